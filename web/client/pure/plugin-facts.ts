// What a plugin that came with Ginnel tells of itself, as a household reads it: names in words, figures with their unit, and
// nothing of what is none. All else of it, and all of what other plugins tell, is for experts.
import type { TextKey } from '../texts/en.ts';
import type { Format } from './format.ts';
import type { Filling } from './text.ts';
import type { Plugin } from './wire.ts';

export interface Told {
  readonly name: string;
  readonly value: string;
}

export interface PluginFacts {
  readonly told: readonly Told[];
  /** By the plugin's own names. */
  readonly inner: readonly Told[];
}

type Facts = Readonly<Record<string, unknown>>;
type Telling = Pick<Plugin, 'name' | 'facts' | 'thirdParty'>;
type Say = (key: TextKey, given?: Filling) => string;

/** What its state says already is left out. */
export function pluginFacts({ name, facts, thirdParty }: Telling, t: Say, f: Format): PluginFacts {
  const isKnown =
    !thirdParty && Object.hasOwn(READERS, name) && Object.keys(facts).some(key => key !== 'message');
  const told = isKnown ? (READERS[name]?.(facts, t, f) ?? []) : [];
  const inner = Object.entries(facts).flatMap(([key, value]) => {
    const shown = SAID_ELSEWHERE.has(key) ? '' : plain(value);
    return shown === '' ? [] : [{ name: key, value: shown }];
  });
  return { told: told.filter(({ value }) => value !== ''), inner };
}

const SAID_ELSEWHERE: ReadonlySet<string> = new Set(['message']);

type Reader = (facts: Facts, t: Say, f: Format) => readonly Told[];

const READERS: Readonly<Record<string, Reader>> = {
  'nat-stun': (facts, t, f) => [
    { name: t('told.seen'), value: f.list(textsOf(facts['mapped'])) },
    { name: t('told.asks'), value: counted(numberOf(facts['servers']), 'told.askable', t) },
    { name: t('told.unreadable'), value: f.list(textsOf(facts['unreadable'])) },
  ],
  'nat-portmap': (facts, t, f) =>
    listOf(facts['routers']).map(router => ({
      name: t('told.router', { gateway: textOf(router['gateway']) }),
      value: f.list(portsOf(router, t)),
    })),
  'nat-portpredict': (facts, t, f) => {
    const next = partOf(facts['forecast']);
    const can = textsOf(facts['methods']).flatMap(method => METHODS.find(one => one === method) ?? []);
    return [
      { name: t('told.can'), value: f.list(can.map(method => t(`told.can.${method}`))) },
      {
        name: t('told.next'),
        value: next === null ? '' : `${textOf(next['address'])}:${numberOf(next['port'])}`,
      },
    ];
  },
  'relay-tcp': (facts, t, f) => {
    const isServing = facts['serving'] === true;
    const [rate, forwarded] = [numberOf(facts['bitsPerSecond']), numberOf(facts['forwardedBytes'])];
    const boxes = { count: numberOf(facts['nodes']), most: numberOf(facts['mostNodes']) };
    const dropped = Object.values(partOf(facts['dropped']) ?? {}).reduce<number>(
      (all, one) => all + numberOf(one),
      0,
    );
    const relays = listOf(facts['relays']).map(({ name, node }) => textOf(name) || textOf(node).slice(0, 12));
    return [
      { name: t('told.serving'), value: isServing ? t('told.boxes', boxes) : t('told.serving.no') },
      { name: t('told.rate'), value: isServing && rate > 0 ? f.rate(rate) : '' },
      { name: t('told.forwarded'), value: forwarded > 0 ? f.bytes(forwarded) : '' },
      { name: t('told.droppedName'), value: counted(dropped, 'told.dropped', t) },
      { name: t('told.relays'), value: f.list(relays) },
    ];
  },
  webrtc: (facts, t, f) => [
    {
      name: t('told.channels'),
      value: f.list(
        listOf(facts['channels']).map(({ name, way }) =>
          t(way === 'turn' ? 'told.channel.turn' : 'told.channel.direct', { name: textOf(name) }),
        ),
      ),
    },
    { name: t('told.sought'), value: counted(numberOf(facts['trying']), 'told.trying', t) },
    { name: t('told.turn'), value: f.list(textsOf(facts['turn'])) },
    { name: t('told.problem'), value: textOf(facts['problem']) },
  ],
};

const METHODS = ['predict', 'birthday', 'tcp'] as const;

function portsOf(router: Facts, t: Say): readonly string[] {
  const ports = listOf(router['ports']).map(({ transport, outside, isReached }) =>
    t(isReached === true ? 'told.port' : 'told.port.unproved', {
      transport: textOf(transport).toUpperCase(),
      outside: textOf(outside),
    }),
  );
  return ports.length === 0 ? [t('told.router.no-ports')] : ports;
}

const counted = (count: number, key: 'told.askable' | 'told.dropped' | 'told.trying', t: Say): string =>
  count === 0 ? '' : t(key, { count });

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);
const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(one => typeof one === 'string') : [];
const isPart = (value: unknown): value is Facts =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const partOf = (value: unknown): Facts | null => (isPart(value) ? value : null);
const listOf = (value: unknown): readonly Facts[] => (Array.isArray(value) ? value.filter(isPart) : []);

/** Whatever a plugin tells, as text; empty: nothing. */
function plain(value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (typeof value !== 'object') return typeof value === 'string' ? value : JSON.stringify(value);
  if (Array.isArray(value))
    return value
      .map(plain)
      .filter(one => one !== '')
      .join(', ');
  return Object.entries(value)
    .map(([key, one]) => [key, plain(one)] as const)
    .filter(([, shown]) => shown !== '')
    .map(([key, shown]) => `${key}: ${shown}`)
    .join(' · ');
}
