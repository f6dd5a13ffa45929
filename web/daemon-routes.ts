// Routes of the daemon itself: figures, log, metrics, the report for a helper. What names other boxes is a POST, so that
// the read-only socket does not tell it.
import type Router from '@koa/router';
import type { Log } from '../base/log.ts';
import type { ReadBody } from './body.ts';
import type { DaemonAdmin } from './daemon-admin.ts';
import { eventStream } from './event-stream.ts';
import { untilHungUp } from './until-hung-up.ts';

export function daemonRoutes(router: Router, daemon: DaemonAdmin, read: ReadBody, log: Log): void {
  router.get('/counters', context => void (context.body = daemon.figures()));
  router.post('/logs', async context => {
    const asked = await read(context.req, 'Logs');
    context.body = await eventStream(daemon.logs(asked, untilHungUp(context)), log);
    context.type = 'application/x-ndjson';
  });
  router.post('/bugreport', async context => {
    context.body = await daemon.bugReport(await read(context.req, 'BugReport'));
  });
  router.post('/restart', async context => {
    await read(context.req, 'Nothing');
    context.body = await daemon.restart();
  });
  router.post('/metrics', async context => {
    await read(context.req, 'Nothing');
    context.body = await daemon.metrics();
  });
}
