// Accounts and certificates as the admin interface has them: of the server that runs now, whichever that is.
import type { AccountsAdmin, CertificatesAdmin } from './log-in-admin.ts';

/** `now` throws SERVER_DOWN while there is none. */
export const accountsOf = (now: () => AccountsAdmin): AccountsAdmin => ({
  list: () => now().list(),
  add: async account => now().add(account),
  setPassword: async (name, password) => now().setPassword(name, password),
  remove: async name => now().remove(name),
});

export const certificatesOf = (now: () => CertificatesAdmin): CertificatesAdmin => ({
  list: () => now().list(),
  issue: async options => now().issue(options),
  trust: async pem => now().trust(pem),
  untrust: async id => now().untrust(id),
  revoke: async serial => now().revoke(serial),
});
