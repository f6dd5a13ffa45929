// What `ginnel certificates` shows. Names in certificates are others' words.
import type { AuthoritySummary, CertificatesSummary, IssuedCertificate } from '../../server/log-in-admin.ts';
import { plain, table } from '../words.ts';
import { dateInWords } from './invites.ts';

export function certificatesScreen({ authorities, issued, revoked }: CertificatesSummary): string {
  const parts = [
    authorities.length === 0
      ? 'No certificate lets a box in. Issue one with ginnel certificates issue NAME, or trust an authority.'
      : `Certificates of these let boxes in:\n${table(authorities.map(authorityRow))}`,
  ];
  if (issued.length > 0) {
    const rows = issued.map(({ serial, state, expires, name, usedBy }) => {
      const box = usedBy === '' ? '' : `by ${plain(usedBy)}`;
      return [`  ${serial}`, plain(name), `${state} ${box}`.trimEnd(), `until ${dateInWords(expires)}`];
    });
    parts.push(`Issued here:\n${table(rows)}`);
  }
  if (revoked.length > 0) parts.push(`Revoked:\n${revoked.map(serial => `  ${plain(serial)}`).join('\n')}`);
  return parts.join('\n');
}

const authorityRow = ({ id, subject, expires, own }: AuthoritySummary): string[] => [
  `  ${id}`,
  plain(subject),
  `until ${dateInWords(expires)}`,
  own ? "the network's own" : '',
];

export function issuedScreen(
  { name, serial, expires }: IssuedCertificate,
  files: { readonly certificate: string; readonly key: string },
): string {
  return [
    `Certificate ${serial} for ${plain(name)}, good for one box until ${dateInWords(expires)}:`,
    `  ${plain(files.certificate)} and ${plain(files.key)} (a secret)`,
    `On the box: ginnel up --certificate ${plain(files.certificate)} --key ${plain(files.key)} --network LINE`,
    'with the line of: ginnel invite --address-only. Once it is in, it needs neither file any more.',
  ].join('\n');
}

export function authorityScreen({ id, subject, own }: AuthoritySummary, isTrusted: boolean): string {
  const who = `${plain(subject)} (${id})`;
  if (isTrusted) return `Certificates of ${who} let boxes in from now on, each one box.`;
  const key = own ? ' Its key is gone; the next certificate issued here makes a new authority.' : '';
  return `Certificates of ${who} let nobody in any more.${key} Boxes that are in stay.`;
}

export function revokedScreen(serial: string, usedBy: readonly string[]): string {
  const gone = `Certificate ${plain(serial)} lets nobody in any more.`;
  if (usedBy.length === 0) return gone;
  const names = usedBy.map(plain);
  return `${gone} The box that came in by it stays (it is known by its own key): ${names.join(', ')}.\nTake it out with: ginnel nodes remove ${names[0] ?? ''}`;
}
