// A sample of `npm run mixes`: bulks of TCP and UDP over inner IPv4 and IPv6, with and without trouble on the way, for a few
// mixes of abilities. Each row says by which path and by what means it was carried.
import t from 'tap';
import { runMixes, type MixesPlan } from './mixes-run.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const skip = process.env['GINNEL_LONG'] === '1' ? false : 'takes half a minute: GINNEL_LONG=1 runs it';
const EACH = { protocols: ['tcp', 'udp'] as const, bytes: 20e6, rowMs: 30_000 };
const PLANS: Readonly<Record<string, MixesPlan>> = {
  'all abilities': { ...EACH, mixes: ['whole'], losses: ['clean', '1'], families: [4] },
  'one packet at a time': { ...EACH, mixes: ['card+cut+coalesce'], losses: ['5'], families: [6] },
  'stock messages': { ...EACH, mixes: ['fast'], losses: ['clean'], families: [4] },
};

for (const [what, plan] of Object.entries(PLANS)) {
  t.test(
    `V12: ${what}: bit-equal, none twice, each loss explained by a counter`,
    { skip, timeout: 90_000 },
    async t => {
      await runMixes(plan, ({ loss, family, protocol, problems, ...row }) => {
        const trouble = loss === 'clean' ? 'no trouble' : `${loss} % lost, re-ordered, duplicated`;
        t.same(problems, [], `${protocol}, IPv${family}, ${trouble}: ${row.carriedBy}, ${row.session}`, row);
      });
    },
  );
}
