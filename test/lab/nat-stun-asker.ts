// Runs nat-stun once on plain sockets of the place it is started in, against the STUN server named, and prints its report.
//   node nat-stun-asker.js 203.0.113.1:3478
import { createPlugin } from '../../plugins/nat-stun/index.ts';
import { parseEndpoint } from '../../protocol/ip/endpoint.ts';
import { openAsker } from './asker.ts';

const server = parseEndpoint(process.argv[2] ?? '');
if (!server.ok) throw new TypeError('address:port of a STUN server expected');
const servers = [{ endpoint: server.value, secondPort: null }];
const asker = await openAsker(servers, { lifetimeProbing: false, refreshMinutes: 0 });
const plugin = createPlugin(asker.context);
await plugin.start(asker.context.signal);
await plugin.refresh('full');
console.log(JSON.stringify(plugin.natReport()));
await plugin.stop();
asker.close();
