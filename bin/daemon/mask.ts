// Makes names, numbers and addresses in a report unrecognisable, the same one always by the same made-up word, so that
// what belongs together still shows. Addresses that mean the same everywhere stay.
import { isIP } from 'node:net';
import type { NodeStatus } from '../../core/admin.ts';
import type { ServerSummary } from '../../server/admin.ts';

const ADDRESS_6 = /(?<![\w.:])(?:[0-9a-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4})(?![\w:])/gi;
/** A port may follow. */
const ADDRESS_4 = /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)/g;
/** A DNS name; known as one by the port behind it, or by an ending that no file or option has. */
const HOST_PORT =
  /(?<![\w.-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}(?=:\d{1,5}(?!\d))/gi;
/** Under these somebody is named, in settings and in what the log tells beside its words. */
const NAMES = new Set(['name', 'id', 'by', 'subject', 'host', 'peer', 'account', 'network']);
/** Under these hosts stand, with a port or without. */
const HOSTS = new Set(['server', 'advertise', 'external-addresses', 'listen', 'address', 'addresses']);
/** Parts in which nobody else is named. */
const AS_IT_IS = new Set(['about', 'machine', 'counters', 'gauges']);
const KNOWN_TO_ALL = new Set(['0.0.0.0', '::', '127.0.0.1', '::1']);

type Words = Map<string, string>;

export function masked(
  report: Readonly<Record<string, unknown>>,
  node: NodeStatus | null,
  server: ServerSummary | null,
): Readonly<Record<string, unknown>> {
  const words = wordsFor(node, server);
  for (const [name, part] of Object.entries(report)) if (!AS_IT_IS.has(name)) noteNames(part, name, words);
  const mask = masker(words);
  return Object.fromEntries(
    Object.entries(report).map(([name, part]) => [name, AS_IT_IS.has(name) ? part : walked(part, mask)]),
  );
}

/** Names, ids and host names that are known as such. */
function wordsFor(node: NodeStatus | null, server: ServerSummary | null): Words {
  const words: Words = new Map();
  const note = (text: string, kind: string): void => noteWord(words, text, kind);
  for (const peer of [...(node?.peers ?? []), ...(server?.nodes ?? [])]) {
    note(peer.name, 'box');
    note(peer.id, 'id');
  }
  if (node !== null) for (const text of [node.name, node.id, node.network]) note(text, 'own');
  if (server !== null) {
    for (const text of [server.network, server.networkName, server.key]) note(text, 'network');
    for (const place of [...server.addresses, ...server.seenFromOutside])
      note(place.replace(/:\d+$/, ''), 'host');
  }
  const at = node?.server.address?.replace(/:\d+$/, '');
  if (at !== undefined) note(at, 'host');
  return words;
}

function noteWord(words: Words, text: string, kind: string): void {
  if (text.length > 1 && isIP(text) === 0 && !words.has(text)) words.set(text, `${kind}-${words.size + 1}`);
}

/** Those that only settings and the log know: hosts, and boxes that were here once. Plugins have names that all know. */
function noteNames(value: unknown, key: string, words: Words, isPlugin = false): void {
  if (typeof value === 'string') {
    if (HOSTS.has(key)) noteWord(words, value.replace(/:\d+$/, ''), 'host');
    else if (NAMES.has(key) && !isPlugin) noteWord(words, value, 'name');
    for (const [host] of value.matchAll(HOST_PORT)) noteWord(words, host, 'host');
  } else if (Array.isArray(value)) {
    for (const one of value) noteNames(one, key, words, isPlugin || key === 'plugins');
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, one] of Object.entries(value)) noteNames(one, name, words, isPlugin);
  }
}

function masker(words: Words): (text: string) => string {
  const addresses = new Map<string, string>();
  // The longest first: a name may be a part of another.
  const known = [...words.keys()].sort((a, b) => b.length - a.length);
  const named =
    known.length === 0 ? null : new RegExp(`(?<![\\w-])(?:${known.map(literal).join('|')})(?![\\w-])`, 'g');
  const addressWord = (address: string): string => {
    if (isIP(address) === 0 || KNOWN_TO_ALL.has(address)) return address;
    let word = addresses.get(address);
    if (word === undefined) {
      word = `ip${isIP(address)}-${addresses.size + 1}`;
      addresses.set(address, word);
    }
    return word;
  };
  return text => {
    const withoutNames = named === null ? text : text.replaceAll(named, name => words.get(name) ?? name);
    return withoutNames.replaceAll(ADDRESS_6, addressWord).replaceAll(ADDRESS_4, addressWord);
  };
}

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

function walked(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map(one => walked(one, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [mask(name), walked(one, mask)]));
}
