// What the list of sessions calls a browser: by its right name, and by words of ours alone.
import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { browserOf } from '../../../web/page/visitor.ts';

const named = (text: string | undefined): string =>
  browserOf({ headers: { 'user-agent': text } } as unknown as IncomingMessage);

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const LINUX = 'Mozilla/5.0 (X11; Linux x86_64)';
const ANDROID = 'Mozilla/5.0 (Linux; Android 14; SM-S918B)';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)';

const CASES: readonly (readonly [string, string])[] = [
  [`${LINUX} ${WEBKIT} Chrome/131.0.0.0 Safari/537.36`, 'Chrome, Linux'],
  [`${LINUX} ${WEBKIT} HeadlessChrome/131.0.0.0 Safari/537.36`, 'Chrome, Linux'],
  [`${LINUX} ${WEBKIT} Chromium/131.0.0.0 Chrome/131.0.0.0 Safari/537.36`, 'Chromium, Linux'],
  [`${WINDOWS} ${WEBKIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0`, 'Edge, Windows'],
  [`${IPHONE} AppleWebKit/605.1.15 EdgiOS/131.0 Version/17.0 Mobile/15E148 Safari/605.1.15`, 'Edge, iPhone'],
  [`${WINDOWS} Gecko/20100101 Firefox/133.0`, 'Firefox, Windows'],
  [`${IPHONE} AppleWebKit/605.1.15 FxiOS/133.0 Mobile/15E148 Safari/605.1.15`, 'Firefox, iPhone'],
  [`${IPHONE} AppleWebKit/605.1.15 CriOS/131.0 Mobile/15E148 Safari/604.1`, 'Chrome, iPhone'],
  [`${IPHONE} AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1`, 'Safari, iPhone'],
  [`${MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15`, 'Safari, macOS'],
  [
    `${ANDROID} ${WEBKIT} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet, Android',
  ],
  [`${WINDOWS} ${WEBKIT} Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0`, 'Opera, Windows'],
  [
    `${ANDROID} ${WEBKIT} Version/4.0 Chrome/123.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.50`,
    'WeChat, Android',
  ],
  [
    `${LINUX} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15 Epiphany/605.1.15`,
    'GNOME Web, Linux',
  ],
  [`${LINUX} AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15`, 'Linux'],
  ['curl/8.5.0', 'curl'],
];

t.test('browsers by their names', t => {
  for (const [text, name] of CASES) t.equal(named(text), name, text);
  t.end();
});

t.test('what they send of their own is never told', t => {
  const hostile = [
    '<script>alert(1)</script>',
    '\u202e\u0000',
    'x'.repeat(100_000),
    'Chrome/<img src=x onerror=alert(1)>',
    '',
  ];
  for (const text of hostile) t.match(named(text), /^(Chrome)?$/);
  t.equal(named(undefined), '');
  t.end();
});
