// What a run of the bench looks like: tables with versions and dates, targets judged, a drawing that is well formed.
import t from 'tap';
import { drawing } from '../../bench/drawing.ts';
import { verdicts } from '../../bench/targets.ts';
import { markdown, terminalText } from '../../bench/words.ts';
import { madeUpRun } from './made-up-run.ts';

t.test('the table has medians with their ends, and each version with its date', async t => {
  const text = terminalText(madeUpRun());
  t.match(text, /Ginnel, AES +3\.00 \(2\.90–3\.40\) +4\.1 \(3\.9–4\.2\)/);
  t.match(text, /wireguard-go +0\.0\.20220316-1\+b4 +2022-03-16/);
  t.match(text, /bare veth +11\.00 \(10\.00–12\.00\) +–/, 'a cable has no CPU time');
  t.match(text, /Ginnel, AES +71,234/);
});

t.test('who failed and what is not there yet is told with the reason, in one line', async t => {
  const text = terminalText(madeUpRun());
  t.match(text, /tinc +failed +failed/);
  t.match(text, 'Failed (tcp): tinc: it did not start\n');
  t.match(text, 'Not yet (lan): Ginnel, AES: not so far\n');
});

t.test('the noise of the machine is told: calculation, cable, load, and who waited noisily', async t => {
  const text = terminalText(madeUpRun());
  t.match(text, /22\.0 ms \(20\.0 to 40\.0, p90 40\.0; 3 times\)/);
  t.match(text, /10\.0 to 12\.0 Gbit\/s, a spread of 18 %/);
  t.match(text, /none took more than 0\.7 % of a core \(nebula\); none was held still/);
});

t.test(
  'targets are judged by what the peers had in the same run; what was not measured is left out',
  async t => {
    const judged = verdicts(madeUpRun());
    const of = (says: string) => judged.find(verdict => verdict.says === says);
    t.match(of('TCP against wireguard-go'), { measured: '6 ×', wanted: '≥ 6 ×', isMet: true });
    t.match(of('CPU (AES) against wireguard-go'), { measured: '0.2 ×', isMet: true });
    t.match(of('CPU for a gigabyte, AES'), { measured: '4.1 s/GB', isMet: false });
    t.match(of('UDP, 64 bytes, under 1 % lost'), { isMet: true });
    t.match(of('UDP, 64 bytes, under 1 % lost (stretch)'), { isMet: false });
    t.equal(of('TCP against tinc'), undefined);
    t.equal(of('memory, idle'), undefined);
  },
);

t.test('the page has the machine, the command and every table', async t => {
  const page = markdown(madeUpRun());
  t.match(page, 'Measured 2026-01-02 03:04 UTC in 12 minutes by `npm run bench`');
  t.match(page, '| Ginnel, AES | 3.00 (2.90–3.40) | 4.1 (3.9–4.2) |');
  t.match(page, '| tinc | 1.0.36-2+b2 | 2022-03-16 | as it comes |');
});

t.test('the drawing is well-formed XML with a bar for each contender and its version', async t => {
  const svg = drawing(madeUpRun());
  t.equal(complaintAbout(svg), null);
  t.match(svg, '0.0.20220316-1+b4, 2022-03-16');
  t.match(svg, 'Some &lt;CPU&gt; &amp; more');
  t.equal(svg.match(/<rect x=/g)?.length, 2 + 2, 'TCP and CPU of two');
  t.match(svg, 'the bare cable: 11.00<');
  t.notMatch(svg, 'NaN');
});

t.test('the check notices a drawing that is not well formed', async t => {
  t.type(complaintAbout('<svg><text>a < b</text></svg>'), 'string');
  t.type(complaintAbout('<svg><g></svg>'), 'string');
  t.type(complaintAbout('<svg a="1" b=2/>'), 'string');
});

/** Null: well formed, as far as elements, attributes and text go. */
function complaintAbout(xml: string): string | null {
  const open: string[] = [];
  const token = /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>|([^<>]+)/gy;
  let at = 0;
  for (let match = token.exec(xml); match !== null; match = token.exec(xml)) {
    at = token.lastIndex;
    const [, end, name = '', , alone, text] = match;
    if (text !== undefined && /&(?!(amp|lt|gt|quot);)/.test(text)) return `a bare & in ${text}`;
    if (text !== undefined || alone === '/') continue;
    if (end === '') open.push(name);
    else if (open.pop() !== name) return `</${name}> closes nothing`;
  }
  if (at !== xml.length) return `cannot be read from ${xml.slice(at, at + 40)}`;
  return open.length === 0 ? null : `<${open.join('>, <')}> stays open`;
}
