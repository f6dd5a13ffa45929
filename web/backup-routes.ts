// A back-up of the whole box, and its way back. Both are POSTs: the file and the passphrase are secrets.
import type Router from '@koa/router';
import type { BackupAdmin } from './backup-admin.ts';
import type { ReadBody } from './body.ts';

export function backupRoutes(router: Router, backup: BackupAdmin, read: ReadBody): void {
  router.post('/backup', async context => {
    const { passphrase } = await read(context.req, 'Backup');
    context.body = await backup.make(passphrase);
  });
  router.post('/restore', async context => {
    const { file, passphrase } = await read(context.req, 'Restore');
    context.body = await backup.restore(file, passphrase);
  });
}
