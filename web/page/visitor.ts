// Who asks: their address, whether they came by TLS, and what their browser calls itself.
import type { IncomingMessage } from 'node:http';

/** An IPv4 address in its IPv6 clothes is told as IPv4; a zone is left out. Empty: the connection is gone. */
export const addressOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress ?? '');

export const plainAddress = (address: string): string =>
  address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');

/** Whom tries are counted for: an IPv4 address, or the /64 of an IPv6 one, of which one machine has as many as it likes. */
export const sourceOf = (asked: IncomingMessage): string => sourceOfAddress(asked.socket.remoteAddress ?? '');

export function sourceOfAddress(text: string): string {
  const address = plainAddress(text);
  if (!address.includes(':') || address === '::1') return address;
  const [head = '', tail = ''] = address.split('::');
  const groups = head.split(':').filter(group => group !== '');
  const rest = tail.split(':').filter(group => group !== '');
  const zeros = address.includes('::') ? Array<string>(8 - groups.length - rest.length).fill('0') : [];
  return `${[...groups, ...zeros, ...rest].slice(0, 4).join(':')}::/64`;
}

export const isSecure = ({ socket }: IncomingMessage): boolean =>
  'encrypted' in socket && socket.encrypted === true;

/** Somebody stands between: then the connection's address says nothing of the visitor. No browser speaks HTTP/1.0, nginx does. */
export const isPassedOn = ({ headers, httpVersion }: IncomingMessage): boolean =>
  httpVersion !== '1.1' || Object.keys(headers).some(name => MARKS.test(name));

const MARKS = /^(forwarded|via|x-real-ip|x-forwarded-.*)$/;

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(A|iOS)?\//, 'Edge'],
  [/\b(OPR|OPT|OPiOS)\//, 'Opera'],
  [/\bEpiphany\//, 'GNOME Web'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bYaBrowser\//, 'Yandex'],
  [/\bMicroMessenger\//, 'WeChat'],
  [/\bHuaweiBrowser\//, 'Huawei Browser'],
  [/\bMiuiBrowser\//, 'Mi Browser'],
  [/\bUC(Browser|WEB)\//, 'UC Browser'],
  [/\bM?QQBrowser\//, 'QQ Browser'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/Chromium\//, 'Chromium'],
  // `HeadlessChrome/` too.
  [/(Chrome|\bCriOS)\//, 'Chrome'],
  // Many others call themselves so as well; it alone tells a version before.
  [/\bVersion\/\S+ (\S+ )?Safari\//, 'Safari'],
  [/\bcurl\//, 'curl'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\b(HarmonyOS|OpenHarmony)\b/, 'HarmonyOS'],
  [/\bAndroid\b/, 'Android'],
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/** `Firefox, Android`: words of ours alone, never the browser's own text. Empty: unknown. */
export function browserOf({ headers }: IncomingMessage): string {
  const text = (headers['user-agent'] ?? '').slice(0, 512);
  const named = (table: typeof BROWSERS): string => table.find(([pattern]) => pattern.test(text))?.[1] ?? '';
  return [named(BROWSERS), named(SYSTEMS)].filter(word => word !== '').join(', ');
}
