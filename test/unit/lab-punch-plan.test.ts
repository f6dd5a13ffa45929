// The plan of a punching run: as many tries as were asked for, none between boxes that have met; and the page it writes.
import t from 'tap';
import { cellsOf, expects, planPunch, PUNCH_KINDS } from '../lab/punch-plan.ts';
import type { PunchSettings } from '../lab/punch-plan.ts';
import { pageWith } from '../lab/traversal-page.ts';

const SETTINGS: PunchSettings = { tries: 1, transport: 'udp', noise: 'none', skewMs: null, atOnce: 1 };

t.test('every cell is tried as often as asked, and within a sweep each time by other boxes', async t => {
  for (const [cells, tries] of [
    ['prc:seq1', 50],
    ['noisy', 7],
    ['all', 3],
    ['naive+rst:prc', 1],
  ] as const) {
    const { boxes, homes, sweeps } = planPunch(cellsOf(cells), { ...SETTINGS, tries });
    t.equal(boxes.length, homes.length);
    t.equal(new Set(boxes.map(({ name }) => name)).size, boxes.length, 'each has a name of its own');
    for (const { from, to } of cellsOf(cells)) {
      const meetings = sweeps.flat().filter(({ cell }) => cell.from === from && cell.to === to);
      t.equal(meetings.length, tries, `${from} × ${to}`);
    }
    for (const sweep of sweeps)
      t.equal(new Set(sweep.map(({ from, to }) => `${from} ${to}`)).size, sweep.length, 'none twice');
  }
});

t.test('a cell is expected to go as its homes allow', async t => {
  const of = (from: string, to: string, transport: 'udp' | 'tcp' = 'udp'): string =>
    expects({ from, to }, transport);
  t.same(
    [of('prc', 'naive+rst'), of('seq1', 'seqd1'), of('adm', 'carrier'), of('sym', 'seq1'), of('adm', 'sym')],
    ['plain', 'predict', 'birthday', 'relay', 'relay'],
  );
  t.same([of('prc', 'seq2', 'tcp'), of('prc', 'sym', 'tcp')], ['tcp', 'relay']);
  for (const from of PUNCH_KINDS)
    for (const to of PUNCH_KINDS) t.equal(of(from, to), of(to, from), `${from} × ${to}, whoever begins`);
});

t.test('a kind that there is not is refused', async t => {
  t.throws(() => cellsOf('prc:nat64'), TypeError);
  t.throws(() => cellsOf('prc'), TypeError);
});

t.test('the page keeps everything but the part that was measured', async t => {
  const page = 'a\n<!-- udp: begin -->\nold\n<!-- udp: end -->\nb\n<!-- tcp: begin -->\n<!-- tcp: end -->\n';
  t.equal(
    pageWith(page, 'udp', 'new'),
    'a\n<!-- udp: begin -->\n\nnew\n\n<!-- udp: end -->\nb\n<!-- tcp: begin -->\n<!-- tcp: end -->\n',
  );
  t.throws(() => pageWith(page, 'birthday', 'new'), /birthday: begin/);
});
