// A strict reader of Prometheus' text format 0.0.4, for tests: throws an Error for whatever the format does not allow.

export interface Sample {
  readonly labels: Record<string, string>;
  readonly value: number;
}

export interface MetricFamily {
  type: string;
  help: string;
  readonly samples: Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? ([+-]?(?:\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|Inf)|NaN)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

export function parseExposition(text: string): Map<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, MetricFamily>();
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('#')) comment(families, line);
    else sample(families, line);
  }
  return families;
}

function comment(families: Map<string, MetricFamily>, line: string): void {
  const [, what = '', name = '', rest = ''] = COMMENT.exec(line) ?? fail(line);
  const family = families.get(name) ?? { type: '', help: '', samples: [] };
  families.set(name, family);
  if (family.samples.length > 0) fail(`${line}: after its samples`);
  if (what === 'TYPE' && (family.type !== '' || !TYPES.includes(rest))) fail(line);
  if (what === 'HELP' && (family.help !== '' || /(^|[^\\])\\([^\\n]|$)/.test(rest))) fail(line);
  if (what === 'TYPE') family.type = rest;
  else family.help = rest;
}

function sample(families: Map<string, MetricFamily>, line: string): void {
  const [, name = '', labelText = '', value = ''] = SAMPLE.exec(line) ?? fail(line);
  const family = families.get(name);
  if (family === undefined || family.type === '') return fail(`${line}: no type was told`);
  if ([...families.values()].at(-1) !== family) fail(`${line}: outside its family`);
  const labels = labelsOf(labelText, line);
  const isTwice = family.samples.some(other => JSON.stringify(other.labels) === JSON.stringify(labels));
  if (isTwice) fail(`${line}: told twice`);
  family.samples.push({ labels, value: Number(value) });
}

function labelsOf(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== '';) {
    const [whole = '', name = '', value = ''] = LABEL.exec(rest) ?? fail(line);
    if (name in labels) fail(`${line}: a label twice`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(whole.length);
  }
  return labels;
}

function fail(line: string): never {
  throw new Error(`not in the format: ${line}`);
}
