// Standings after a log-in: what the node lacks comes in pages, what the server lost is brought to it.
import t from 'tap';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import type { Standing } from '../../../protocol/location/messages.ts';
import { StandingList } from '../../../protocol/location/standings.ts';
import { controlErrors } from '../../../core/control/errors.ts';
import type { Question } from '../../../core/control/requests.ts';
import { StandingsExchange } from '../../../core/control/standings-exchange.ts';
import type { ExchangeOptions } from '../../../core/control/standings-exchange.ts';
import { toBase64Url } from '../../../protocol/base64.ts';
import { primitives } from '../../../system/crypto.ts';
import { network } from './made-up.ts';

const words = Array.from({ length: 200 }, (_, at): Standing => {
  const id = toBase64Url(primitives.randomBytes(32));
  return { v: 1, network, id, state: 'removed', at, signature: `s${at}` };
});

const listOf = (standings: readonly Standing[]): StandingList => {
  const list = new StandingList(primitives);
  for (const standing of standings) list.take(standing);
  return list;
};

interface Scene {
  readonly node: StandingList;
  readonly server: StandingList;
  readonly asked: Question[];
  readonly exchange: StandingsExchange;
}

/** A server as requests.ts answers, over lists alone. */
function scene(
  ofNode: readonly Standing[],
  ofServer: readonly Standing[],
  ask?: ExchangeOptions['ask'],
): Scene {
  const [node, server] = [listOf(ofNode), listOf(ofServer)];
  const asked: Question[] = [];
  const exchange = new StandingsExchange({
    standings: {
      digest: () => node.digest(),
      differing: digest => node.differing(digest),
      learn: item => (node.take(item as Standing).isNews ? 'new' : 'known'),
    },
    ask(question) {
      asked.push(question);
      if (ask !== undefined) return ask(question);
      if (question.type === 'standings') {
        const lacked = server.differing(question.digest).slice(question.skip);
        const standings = lacked.slice(0, 64);
        return Promise.resolve({ type: 'standings', re: 1, standings, more: lacked.length > 64 });
      }
      if (question.type === 'bring') for (const standing of question.standings) server.take(standing);
      return Promise.resolve({ type: 'done', re: 1 });
    },
    log: silentLog,
    counters: new Counters(),
  });
  return { node, server, asked, exchange };
}

t.test('V3: where both know the same, nothing is asked', async t => {
  const { exchange, server, asked } = scene(words, words.toReversed());
  await exchange.welcomed(server.digest());
  t.same(asked, []);
});

t.test('V3: a node that was away gets all it lacks, page by page, and brings nothing', async t => {
  const { exchange, node, server, asked } = scene([], words);
  await exchange.welcomed(server.digest());
  t.equal(node.size, 200);
  t.equal(node.digest(), server.digest());
  t.same(
    asked.map(({ type }) => type),
    ['standings', 'standings', 'standings', 'standings'],
  );
});

t.test('V3: a server from an old back-up is brought what it lost, and nothing else', async t => {
  const { exchange, node, server, asked } = scene(words, words.slice(0, 199));
  await exchange.welcomed(server.digest());
  t.equal(server.digest(), node.digest());
  const brought = asked.flatMap(question => (question.type === 'bring' ? question.standings : []));
  t.same(brought, words.slice(199));
});

t.test('V3: both may lack some', async t => {
  const { exchange, node, server } = scene(words.slice(0, 150), words.slice(50));
  await exchange.welcomed(server.digest());
  t.equal(node.size, 200);
  t.equal(server.digest(), node.digest());
});

t.test('V3: a server that goes away meanwhile, or never comes to an end, does no harm', async t => {
  const away = scene(words, [], () => Promise.reject(controlErrors('SERVER_AWAY', { reason: 'gone' })));
  await away.exchange.welcomed('A'.repeat(64));
  t.equal(away.asked.length, 1);
  const endless = scene([], [], () =>
    Promise.resolve({ type: 'standings', re: 1, standings: words.slice(0, 64), more: true }),
  );
  await endless.exchange.welcomed('B'.repeat(64));
  t.equal(endless.asked.length, 64, 'no more pages than there can be standings');
});
