// nat-portmap passes the suite of every plugin, with a router that answers and with none.
import t from 'tap';
import { createPlugin } from '../../../plugins/nat-portmap/index.ts';
import manifest from '../../../plugins/nat-portmap/plugin.json' with { type: 'json' };
import { pluginContract } from '../../contract/plugin.ts';
import { home, pcpAnswer } from './fake-router.ts';
import { contextOf, LOCAL } from './stage.ts';

const { router } = home(t);
await router.udp(5351, ({ bytes, reply }) => {
  const answer = pcpAnswer(bytes);
  if (answer !== null) reply(answer);
});
const sockets = (): number =>
  process.getActiveResourcesInfo().filter(name => /UDPWRAP|UDPSOCKET|TCP/i.test(name)).length;
const before = sockets();

for (const [name, gateways] of [
  ['with a router', [{ family: 4, address: router.address, local: LOCAL } as const]],
  ['without', []],
] as const)
  t.test(name, t => {
    pluginContract(t, {
      ...{ name: manifest.name, contract: manifest.contract, create: createPlugin },
      context: signal => contextOf(gateways, {}, signal).context,
      holds: () => sockets() - before,
    });
    t.end();
  });
