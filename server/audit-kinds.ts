// What the audit log may tell, and in which words: `{by}`, `{subject}` and facts of the entry are filled in by whoever shows it.

export const AUDIT_KINDS = {
  'network-made': 'the network {subject} was set up',
  'invite-made': 'invite {subject} was made',
  'invite-revoked': 'invite {subject} was revoked',
  'invite-used': '{by} came in by invite {subject}',
  'account-used': '{by} came in by account {subject}',
  'certificate-used': '{by} came in by certificate {subject}',
  'login-refused': '{subject} was refused at the log-in from {from} ({code})',
  'account-made': 'account {subject} was made',
  'account-changed': 'account {subject} was changed',
  'account-removed': 'account {subject} was removed',
  'certificates-changed': 'the certificates that let boxes in were changed ({subject})',
  'node-joined': '{subject} joined as {address}',
  'node-waiting': '{subject} asked to join and waits for approval',
  'node-approved': '{subject} was approved',
  'node-renamed': '{subject} was given the name {name}',
  'node-disabled': '{subject} was disabled',
  'node-enabled': '{subject} was enabled again',
  'node-removed': '{subject} was removed',
  'standing-learnt': '{by} brought the word that {subject} is {state}: this server had lost it',
  'removal-doubted': '{subject} was disabled: this server had let it in again without knowing of its removal',
  'settings-changed': 'settings were changed ({subject})',
  'rules-changed': 'the rule for {subject} was set to {scope}',
  'rules-unset': 'the rule for {subject} was taken back',
  exported: 'the server was exported',
  imported: 'the server was imported',
} as const;

export type AuditKind = keyof typeof AUDIT_KINDS;
