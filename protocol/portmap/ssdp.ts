// SSDP, the search for a UPnP gateway. Whoever is on the network may answer, so nothing of an answer is taken at its word:
// the only place that is ever asked further is the gateway itself, by its literal address.
import { parseDecimal } from '../ip/address.ts';
import { accepted, refused, type Result } from '../result.ts';

export const SSDP_PORT = 1900;
export const SSDP_GROUP = '239.255.255.250';
const MAX_ANSWER_BYTES = 2048;
const MAX_URL = 600;

export const GATEWAY_TYPES = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
] as const;

export interface SsdpAnswer {
  readonly location: string;
  /** What it said of its type. */
  readonly type: string;
  /** Changes when the device starts again; empty: it says nothing of that. */
  readonly boot: string;
}

export type SsdpRefusal = 'ssdp.length' | 'ssdp.syntax' | 'ssdp.type';

export function encodeSsdpSearch(type: string, host: string): Uint8Array {
  const lines = [
    'M-SEARCH * HTTP/1.1',
    `HOST: ${host}:${SSDP_PORT}`,
    'MAN: "ssdp:discover"',
    'MX: 1',
    `ST: ${type}`,
    '',
    '',
  ];
  return new TextEncoder().encode(lines.join('\r\n'));
}

export function decodeSsdp(bytes: Uint8Array): Result<SsdpAnswer, SsdpRefusal> {
  if (bytes.length > MAX_ANSWER_BYTES) return refused('ssdp.length');
  const [first = '', ...lines] = latin(bytes).split('\r\n');
  if (!/^HTTP\/1\.[01] 200(?: |$)/.test(first)) return refused('ssdp.syntax');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (name !== '' && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  const location = headers.get('location');
  if (location === undefined) return refused('ssdp.syntax');
  const type = headers.get('st') ?? '';
  if (!GATEWAY_TYPES.some(each => each === type)) return refused('ssdp.type');
  const boot = headers.get('bootid.upnp.org') ?? headers.get('01-nls') ?? '';
  return accepted({ location, type, boot: boot.slice(0, 64) });
}

export interface HttpPlace {
  readonly host: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
}

const HTTP_URL =
  /^http:\/\/([0-9.]{7,15})(?::([0-9]{1,5}))?(\/[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]*)?$/i;

/** `http`, at that very host, written as its literal address; no user, no fragment. Null: anything else. */
export function placeAt(url: string, host: string): HttpPlace | null {
  const [, at, portText, path = '/'] = url.length > MAX_URL ? [] : (HTTP_URL.exec(url) ?? []);
  const port = portText === undefined ? 80 : parseDecimal(portText, 65_535);
  return at !== host || port === null || port === 0 ? null : { host, port, path };
}

/** What `reference` means in a document that was read at `base`; null: it leads to another host. */
export function placeFrom(reference: string, base: HttpPlace): HttpPlace | null {
  const text = reference.trim();
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return placeAt(text, base.host);
  if (text.startsWith('//')) return placeAt(`http:${text}`, base.host);
  const folder = base.path.replace(/[?].*$/, '').replace(/[^/]*$/, '');
  const path = text.startsWith('/') ? text : folder + text;
  return placeAt(`http://${base.host}:${base.port}${path}`, base.host);
}

const latin = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};
