// What `ginnel page` shows, and the line about the page that `ginnel up` and `ginnel server` end with.
import type { PageShown } from '../../web/daemon-admin.ts';
import { plain } from '../words.ts';

const OFF = 'The page is off. Turn it on with: sudo ginnel set page lan';

export function pageScreen(page: PageShown): string {
  if (!page.isOn) return [OFF, ...ownerLines(page)].join('\n');
  const [first, ...others] = page.addresses;
  return [
    first === undefined ? 'The page is not served anywhere yet.' : `Page for this box: ${plain(first)}`,
    ...others.map(address => `               also: ${plain(address)}`),
    ...certificateLines(page),
    ...page.problems.map(plain),
    ...ownerLines(page),
    ...(isForThisBoxAlone(page) ? [tunnelLine(page)] : []),
  ].join('\n');
}

/** Before anybody trusts what a browser warns of. */
function certificateLines({ certificate }: PageShown): string[] {
  if (certificate === null) return [];
  return [
    'Its certificate is made by this box: a browser warns once. Trust it if it shows this SHA-256 fingerprint:',
    ...(plain(certificate.fingerprint).match(/.{1,48}/g) ?? []).map(line => `  ${line.replace(/:$/, '')}`),
  ];
}

function ownerLines({ owner, code }: PageShown): string[] {
  if (owner === 'set') return ['Its password is set. If it is forgotten: sudo ginnel page reset-password'];
  return [
    'It has no password yet: who opens it first sets one.',
    `From outside the home network that takes this code: ${code ?? ''}`,
  ];
}

/** Null: there is nothing to open. */
export function pageLine(page: PageShown | null, words: string): string | null {
  const [first] = page?.addresses ?? [];
  if (page === null || first === undefined) return null;
  return `${words}: ${plain(first)}${page.owner === 'none' ? ' (set a password there first)' : ''}`;
}

const isForThisBoxAlone = ({ addresses }: PageShown): boolean =>
  addresses.length > 0 && addresses.every(address => /^https?:\/\/(127\.|\[::1\])/.test(address));

function tunnelLine({ addresses }: PageShown): string {
  const port = /:(\d+)\/$/.exec(addresses[0] ?? '')?.[1] ?? '';
  return `This machine has no home network. From elsewhere: ssh -L ${port}:localhost:${port} THIS-MACHINE, then open it there.`;
}
