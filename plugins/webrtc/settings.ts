// The settings of plugin.json as the code reads them. The host has checked them against the schema and filled in defaults.
import { parseInterface, prefixContains, type Prefix } from '../../protocol/ip/prefix.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import { parseHostPort } from '../../protocol/location/addresses.ts';

export interface TurnServer {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
}

export interface WebrtcSettings {
  readonly turn: readonly TurnServer[];
  readonly user: string;
  /** Empty: none. */
  readonly password: string;
  readonly secret: string;
  /** Empty: all addresses are told. */
  readonly hostRanges: readonly Prefix[];
  /** What is not used, and why, in words; empty: all is. */
  readonly problem: string;
}

export function readSettings(settings: Readonly<Record<string, unknown>>): WebrtcSettings {
  const problems: string[] = [];
  const turn = textsOf(settings['turn']).flatMap(text => {
    const place = parseHostPort(text.replace(/^turn:/, ''));
    if (place === null) problems.push(`"${text}" is no host with a port`);
    return place === null ? [] : [{ host: place.host, port: place.port }];
  });
  const hostRanges = textsOf(settings['host-ranges']).flatMap(text => {
    const parsed = parseInterface(text);
    if (!parsed.ok) problems.push(`"${text}" is no range of addresses`);
    return parsed.ok ? [parsed.value.prefix] : [];
  });
  const [user, password, secret] = ['turn-user', 'turn-password', 'turn-secret'].map(name =>
    textOf(settings[name]),
  ) as [string, string, string];
  if (turn.length > 0 && password === '' && secret === '')
    problems.push('the TURN servers have neither a password nor a secret');
  return { turn, user, password, secret, hostRanges, problem: problems.join('; ') };
}

/** May this box's own address be told to others? */
export function isTold(address: string, { hostRanges }: Pick<WebrtcSettings, 'hostRanges'>): boolean {
  const ip = parseIp(address);
  return ip.ok && (hostRanges.length === 0 || hostRanges.some(range => prefixContains(range, ip.value)));
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((text): text is string => typeof text === 'string') : [];
