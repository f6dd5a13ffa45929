// Who is in the network, as one box is told: all at first, then what changed; over the real protocol, and by pages.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import type { RollAnswer } from '../../../protocol/location/messages.ts';
import type { NodeEntry } from '../../../server/registry-entries.ts';
import { Roll } from '../../../server/roll.ts';
import { join, makeIdentity } from '../../support/location-client.ts';
import type { TestConnection } from '../../support/location-client.ts';
import { startServer } from '../../support/location-server.ts';

async function ask(connection: TestConnection, after: number): Promise<RollAnswer> {
  const answer = await connection.ask({ type: 'roll', after });
  if (answer.type !== 'roll') throw new Error(JSON.stringify(answer));
  return answer;
}

const names = ({ members }: Pick<RollAnswer, 'members'>): string[] => members.map(({ name }) => name).sort();

t.test('all who are in the network are told at first, then only what changed', async t => {
  const server = await startServer(t);
  const joined = async (name: string) => join(await server.invite(), server.port, makeIdentity(name));
  const [attic, cellar] = [await joined('attic'), await joined('cellar')];
  const first = await ask(attic.connection, 0);
  t.match(first, { whole: true, more: false, gone: [] });
  t.same(names(first), ['attic', 'cellar'], 'without a packet between them');
  const { ip4, ip6, id } = cellar.welcome.assignment;
  t.match(
    first.members.find(({ name }) => name === 'cellar'),
    { id, ip4, ip6, lastSeen: null },
  );
  t.match(await ask(attic.connection, first.at), { whole: false, members: [], gone: [], at: first.at });

  await server.server.members.renameNode('cellar', 'office');
  cellar.connection.close();
  await cellar.connection.closed;
  const second = await ask(attic.connection, first.at);
  t.match(second, { whole: false, gone: [], members: [{ id, name: 'office', lastSeen: Number }] });

  await server.server.members.disableNode('office');
  const third = await ask(attic.connection, second.at);
  t.match(third, { members: [], gone: [id] }, 'kept out is gone');
  await server.server.members.enableNode('office');
  t.match(await ask(attic.connection, third.at), { members: [{ id }], gone: [] });
  t.match(await ask(attic.connection, 1e9), { whole: true }, 'a mark of another run of the server');
});

t.test('a box that waits for approval is not in it', async t => {
  const server = await startServer(t);
  const attic = await join(await server.invite(), server.port, makeIdentity('attic'));
  const { invite } = await server.server.invite({ approval: true });
  await join(invite, server.port, makeIdentity('guest')).catch(() => undefined);
  t.match(server.server.members.nodes().nodes, [{ name: 'attic' }, { name: 'guest', standing: 'pending' }]);
  t.same(names(await ask(attic.connection, 0)), ['attic']);
});

const clock = new ManualClock();

const entry = (n: number): NodeEntry => {
  const id = `node-${n}`;
  const assignment = {
    v: 1,
    network: '',
    id,
    ip4: `10.77.0.${n}`,
    ip6: '',
    issued: 0,
    signature: '',
  } as const;
  return { v: 1, id, name: id, wireguardKey: '', controlKey: '', assignment, record: null, lastSeen: 1 };
};

/** All pages, as a box asks for them. */
function everything(roll: Roll, from: number): { told: string[]; gone: string[]; at: number; pages: number } {
  const all = { told: [] as string[], gone: [] as string[], at: from, pages: 0 };
  for (let more = true; more; all.pages++) {
    const answer = roll.answer({ type: 'roll', id: 1, after: all.at });
    if (answer.members.length > 128 || answer.gone.length > 128) throw new Error('a page too large');
    all.told.push(...answer.members.map(({ id }) => id));
    all.gone.push(...answer.gone);
    ({ at: all.at, more } = answer);
    if (all.pages > 200) throw new Error('it does not end');
  }
  return all;
}

t.test('a large network comes in pages, each box once', t => {
  const nodes = new Map(Array.from({ length: 500 }, (_, n) => [`node-${n}`, entry(n)] as const));
  const roll = new Roll({ clock, nodes: () => nodes.values(), isHere: id => id.endsWith('7') });
  const first = everything(roll, 0);
  t.equal(new Set(first.told).size, 500);
  t.match(first, { pages: 4, gone: [] });
  t.equal(first.told.length, 500);
  for (let n = 0; n < 300; n++) nodes.delete(`node-${n}`);
  nodes.set('node-999', entry(999));
  const second = everything(roll, first.at);
  t.equal(second.gone.length, 300);
  t.same(second.told, ['node-999']);
  t.end();
});

t.test('so many that went that nobody could be told of all: who asks begins anew, and comes to an end', t => {
  const nodes = new Map<string, NodeEntry>([['node-0', entry(0)]]);
  const roll = new Roll({ clock, nodes: () => nodes.values(), isHere: () => true });
  const { at } = everything(roll, 0);
  for (let n = 1; n <= 5000; n++) nodes.set(`node-${n}`, entry(n));
  roll.answer({ type: 'roll', id: 1, after: at });
  for (let n = 1; n <= 4900; n++) nodes.delete(`node-${n}`);
  t.match(roll.answer({ type: 'roll', id: 1, after: at }), { whole: true, gone: [] });
  const again = everything(roll, at);
  t.same([...again.told].sort(), ['node-0', ...[...nodes.keys()].filter(id => id !== 'node-0')].sort());
  t.end();
});

t.test('however many ask, looking through the network takes a twentieth of the time', t => {
  const clock = new ManualClock();
  let looks = 0;
  const nodes = function* (): Generator<NodeEntry> {
    looks++;
    clock.advance(5);
    yield entry(1);
  };
  const roll = new Roll({ clock, nodes, isHere: () => true });
  for (let asked = 0; asked < 1000; asked++) {
    roll.answer({ type: 'roll', id: 1, after: 0 });
    clock.advance(1);
  }
  t.ok(looks >= 8 && looks <= 11, `${looks} looks in a second and a bit`);
  t.end();
});
