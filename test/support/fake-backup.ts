// A made-up back-up of a made-up box: one word opens it.
import type { BackupAdmin, BackupFacts } from '../../web/backup-admin.ts';
import { backupErrors } from '../../bin/backup/errors.ts';

const FACTS: BackupFacts = {
  name: 'attic-nas',
  made: Date.UTC(2026, 0, 1),
  parts: [
    { part: 'node', count: 1 },
    { part: 'peers', count: 2 },
  ],
};
const FILE = '{"ginnel":"box backup"}\n';

export const fakeBackup: BackupAdmin = {
  async make() {
    await Promise.resolve();
    return { ...FACTS, file: FILE, bytes: FILE.length };
  },
  async restore(file, passphrase) {
    await Promise.resolve();
    if (!file.startsWith('{"ginnel":"box backup"')) throw backupErrors('BACKUP_FOREIGN');
    if (passphrase === 'wrong passphrase') throw backupErrors('BACKUP_PASSPHRASE');
    const notes = ['The location server listened on 192.0.2.1, which this machine does not have.'];
    return { ...FACTS, id: 'attic-id', ip4: '10.77.0.2', roles: [], notes };
  },
};
