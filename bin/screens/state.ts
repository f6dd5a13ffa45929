// What `ginnel check` and `ginnel repair` say.
import { basename } from 'node:path';
import type { ExportReport, PartReport, StateReport } from '../../base/state/check.ts';
import type { FileStep, Step, StoreStep } from '../../base/state/plan.ts';
import { durationInWords, plain, table } from '../words.ts';

export function checkScreen(report: StateReport, folder: string, nowMs: number): string {
  const { ok, parts, exports, todo } = report;
  const head = `The state in ${plain(folder)} is ${ok ? 'whole' : 'damaged'}.`;
  const exportLines = exports
    .toSorted((a, b) => (b.changes ?? 0) - (a.changes ?? 0))
    .map(one => exportRow(one, nowMs));
  return [
    head,
    table(parts.map(partRow)),
    ...(exportLines.length === 0 ? ['There is no export of it yet.'] : ['Exports:', table(exportLines)]),
    ...(todo === '' ? [] : [`What to do: ${todo}`]),
  ].join('\n');
}

function partRow({ name, state, entries, problems }: PartReport): string[] {
  const facts = state === 'whole' && entries !== null ? inEntries(entries) : '';
  const words = state === 'none' ? 'not there, and not missed' : state;
  return [`  ${name}`, words, problems.length === 0 ? facts : problems.map(sentence).join(' ')];
}

function exportRow({ path, problem, madeAtMs, entries }: ExportReport, nowMs: number): string[] {
  const age = madeAtMs === null ? '' : `${durationInWords(Math.max(0, nowMs - madeAtMs) / 1000)} old`;
  return [
    `  ${basename(path)}`,
    problem === '' ? 'whole' : 'useless',
    problem === '' ? `${age}, ${inEntries(entries ?? 0)}` : sentence(problem),
  ];
}

export function repairScreen(steps: readonly Step[], aside: string | null, when: 'planned' | 'done'): string {
  if (steps.length === 0) return 'Nothing is damaged. Nothing was changed.';
  const lines = steps.flatMap(step =>
    step.kind === 'store' ? storeLines(step, when) : fileLines(step, when),
  );
  const isKept = aside !== null && steps.some(({ use }) => use !== null);
  const after = steps.every(({ use }) => use !== null)
    ? ['Start Ginnel again: ginnel run, or as you usually do.']
    : [];
  return [
    ...lines,
    ...(isKept ? [`What was damaged is kept in ${plain(aside)}; delete it when all is well.`] : []),
    ...(when === 'done' ? after : []),
  ].join('\n');
}

function storeLines(step: StoreStep, when: 'planned' | 'done'): string[] {
  const name = basename(step.part.path);
  const head = `${name}: ${step.problems.map(sentence).join(' ')}`;
  if (step.use === null)
    return [
      head,
      '  No whole state of it is left, in its files or in an export. It stays as it is.',
      ...withoutAny(name),
    ];
  return [head, `  ${sourceInWords(step, when)}`, ...lossInWords(step).map(line => `  ${line}`)];
}

const withoutAny = (name: string): string[] =>
  name === 'registry'
    ? [
        '  If you have a back-up (ginnel server export), bring it in; else set the server up anew in an empty folder.',
      ]
    : [
        '  If you have a back-up of the folder, put it back; else move the folder away and set this box up anew.',
      ];

function sourceInWords({ use }: StoreStep, when: 'planned' | 'done'): string {
  const will = when === 'planned' ? 'It would be' : 'It was';
  if (use?.source === 'repaired by LevelDB') return `${will} repaired from its own files.`;
  if (use?.source === 'as it is') return `${will} kept as its own files say, and sealed anew.`;
  return `${will} put back from the export ${basename(use?.path ?? '')} of ${timeInWords(use?.madeAtMs ?? 0)}.`;
}

function lossInWords({ lost, use, part }: StoreStep): string[] {
  if (use?.strange === true) return [STRANGE];
  if (lost.changes === 0) return ['Nothing that was confirmed is lost.'];
  const kinds = Object.entries(lost.differing).map(([kind, count]) => `${count} in ${plain(kind)}`);
  const seen = kinds.length === 0 ? '' : ` Known to differ: ${kinds.join(', ')}.`;
  const since =
    use?.madeAtMs === null || use?.madeAtMs === undefined ? '' : ` since ${timeInWords(use.madeAtMs)}`;
  const count =
    lost.changes === null
      ? `Whether changes${since} are missing cannot be told: the seal that counts them is gone too.`
      : `${lost.changes} confirmed ${lost.changes === 1 ? 'change' : 'changes'}${since} ${lost.changes === 1 ? 'is' : 'are'} gone.`;
  return [`${count}${seen}`, ...(basename(part.path) === 'registry' ? REGISTRY_BACK_IN_TIME : [])];
}

const STRANGE =
  'That export goes further than this state ever came, so it may be of another one that was here before: what is in it may take the place of what was here.';

const REGISTRY_BACK_IN_TIME = [
  'Boxes that joined since then are unknown to the server: each needs a new invite. Invites used since then would work again: revoke them.',
  'Boxes that know of newer decisions, such as a removal, tell the server when they come.',
];

function fileLines({ path, problems, use }: FileStep, when: 'planned' | 'done'): string[] {
  const head = `${basename(path)}: ${problems.map(sentence).join(' ')}`;
  if (use === null) return [head, '  No export has it. It stays as it is; put it back from a back-up.'];
  const will = when === 'planned' ? 'It would be' : 'It was';
  return [
    head,
    `  ${will} put back from the export ${basename(use.path)} of ${timeInWords(use.madeAtMs)}.`,
    ...(use.strange ? [`  ${STRANGE}`] : []),
  ];
}

const inEntries = (count: number): string => `${count} ${count === 1 ? 'entry' : 'entries'}`;

const sentence = (problem: string): string => `${plain(problem)}${/[.!?]$/.test(problem) ? '' : '.'}`;

const timeInWords = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
