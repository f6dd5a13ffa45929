// The registry in Prometheus' text format 0.0.4. Pure: where it is served, and to whom, is bin/metrics.ts's.
import type { Readings } from './counters.ts';
import { wordsOf } from './counter-words.ts';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Family {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** By the text of their labels; two names that come out the same are added up. */
  readonly samples: Map<string, number>;
}

export function prometheusText({ counters, gauges }: Readings, version: string): string {
  const families = new Map<string, Family>();
  for (const [name, value] of Object.entries(counters)) add(families, 'counter', name, value);
  for (const [name, value] of Object.entries(gauges)) add(families, 'gauge', name, value);
  families.set('ginnel_build_info', {
    type: 'gauge',
    help: 'the version that runs',
    samples: new Map([[labels({ version }), 1]]),
  });
  return [...families]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, family]) => familyText(name, family))
    .join('');
}

function add(families: Map<string, Family>, type: Family['type'], name: string, value: number): void {
  const { words = 'not described', family } = wordsOf(name) ?? {};
  const inUnit = name.endsWith('-ms') ? value / 1000 : value;
  const metric = metricName(family?.name ?? name, type);
  const labelled = family === undefined ? '' : labels({ [family.label]: family.value });
  let found = families.get(metric);
  if (found === undefined) families.set(metric, (found = { type, help: words, samples: new Map() }));
  found.samples.set(labelled, (found.samples.get(labelled) ?? 0) + inUnit);
}

/** `[a-zA-Z_:][a-zA-Z0-9_:]*`; times are in seconds, and a counter ends in `_total`. */
function metricName(name: string, type: Family['type']): string {
  const plain = `ginnel_${name.replaceAll(/[^a-zA-Z0-9]+/g, '_')}`.replace(/_+$/, '');
  if (type === 'gauge') return plain.replace(/_ms$/, '_seconds');
  return plain.endsWith('_total') ? plain : `${plain}_total`;
}

function labels(pairs: Readonly<Record<string, string>>): string {
  const texts = Object.entries(pairs).map(([name, value]) => `${name}="${escaped(value, true)}"`);
  return `{${texts.join(',')}}`;
}

/** What a line break or a quote could forge is escaped, as the format says; other control characters go. */
const escaped = (text: string, isLabel: boolean): string =>
  text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?')
    .replaceAll('"', isLabel ? '\\"' : '"');

function familyText(name: string, { type, help, samples }: Family): string {
  const lines = [...samples].map(([labelled, value]) => `${name}${labelled} ${value}`);
  return [`# HELP ${name} ${escaped(help, false)}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}
