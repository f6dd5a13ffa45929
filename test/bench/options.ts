// Reads the bench's command line; whatever is unknown is wrong usage, so that no typing error measures something else.
import { parseArgs } from 'node:util';
import { positive, someOf } from '../lab/command-line.ts';

export interface BenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
  readonly list: boolean;
  readonly writeDocs: boolean;
  readonly only: readonly string[];
  readonly case: readonly string[];
  readonly door: string;
  readonly json: string;
  readonly svg: string;
  readonly from: string;
  readonly remark: string;
}

export const USAGE = `Usage: npm run bench -- [--rounds N] [--seconds N] [--quick] [--only CONTENDER]… [--case CASE]…
         [--door koffi|tuntap] [--json FILE] [--svg FILE] [--write-docs [--from FILE] [--remark WORDS]] [--list]
--list says which contenders and cases there are. --door: by which of its doors to the kernel Ginnel goes (docs/dependencies.md).`;

interface Known {
  readonly cases: readonly { readonly name: string }[];
  readonly contenders: readonly { readonly name: string }[];
}

const ROUNDS = 3;
const SECONDS = 4;
const TEXTS = ['door', 'json', 'svg', 'from', 'remark'] as const;

/** Throws where the command line is wrong, with what is wrong in words. */
export function readOptions(args: readonly string[], known: Known): BenchOptions {
  const { values } = parsed(args);
  const only = (values.only ?? []).flatMap(name => someOf('only', name, namesOf(known.contenders)));
  const cases = (values.case ?? []).flatMap(name => someOf('case', name, namesOf(known.cases)));
  const [rounds, seconds] = [whole('rounds', values.rounds), whole('seconds', values.seconds)];
  if (values.door !== undefined) someOf('door', values.door, ['koffi', 'tuntap']);
  const texts = Object.fromEntries(TEXTS.map(name => [name, values[name] ?? ''])) as Pick<
    BenchOptions,
    (typeof TEXTS)[number]
  >;
  const { quick, list, 'write-docs': writeDocs } = values;
  return { rounds, seconds, quick, list, writeDocs, only, case: cases, ...texts };
}

/** What was measured, as a command; where its results went is nobody else's business. */
export function commandOf({ quick, rounds, seconds, only, case: cases, door }: BenchOptions): string {
  const words = [
    ...(quick ? ['--quick'] : []),
    ...(rounds === ROUNDS ? [] : ['--rounds', rounds]),
    ...(seconds === SECONDS ? [] : ['--seconds', seconds]),
    ...only.flatMap(name => ['--only', name]),
    ...cases.flatMap(name => ['--case', name]),
    ...(door === '' ? [] : ['--door', door]),
  ];
  return ['npm run bench', ...(words.length === 0 ? [] : ['--', ...words])].join(' ');
}

const parsed = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: String(ROUNDS) },
      seconds: { type: 'string', default: String(SECONDS) },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      case: { type: 'string', multiple: true },
      door: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      from: { type: 'string' },
      remark: { type: 'string' },
    },
  });

const namesOf = (all: readonly { readonly name: string }[]): string[] => all.map(({ name }) => name);

function whole(name: string, text: string): number {
  const value = positive(name, text);
  if (Number.isInteger(value)) return value;
  throw new RangeError(`--${name} wants a whole number, not "${text}"`);
}
