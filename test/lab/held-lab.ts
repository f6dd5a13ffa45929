// For wrapper.test.ts: enters a lab, says who it is, and stays until killed. `--needs TOOL` asks for a tool; `--exit N`
// ends at once.
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildLab } from './topology.ts';
import { enterLab } from './wrapper.ts';

const { values } = parseArgs({
  options: { needs: { type: 'string' }, exit: { type: 'string' }, mark: { type: 'string' } },
});
enterLab(import.meta.url, values.needs === undefined ? {} : { tools: { [values.needs]: 'some-package' } });
if (values.exit !== undefined) process.exit(Number(values.exit));

const lab = await buildLab({ homes: [{ kind: 'prc' }], delayMs: 1 });
lab.homes[0]?.host.spawn('sleep', [values.mark ?? '1000'], { stdio: 'ignore' });
process.stdout.write(`held ${readlinkSync('/proc/self/ns/net')}\n`);
await once(process, 'SIGTERM');
