// A fresh invite, to be carried to another box: as a code to scan and as text to paste. It is told this once.
import type { JSX } from 'preact';
import type { IssuedInvite } from '../pure/wire-server.ts';
import { useWords } from '../state/language.ts';
import { Copy } from './copy.tsx';
import { Qr } from './qr.tsx';

export function InviteShown({ invite }: { readonly invite: IssuedInvite }): JSX.Element {
  const { t, f } = useWords();
  return (
    <div class="invite">
      <Qr text={invite.invite} label={t('invite.qr')} />
      <div class="stack">
        <p>{t('invite.how')}</p>
        <div class="secret">
          <code>{invite.invite}</code>
          <Copy text={invite.invite} what={t('invite.one')} />
        </div>
        <p class="hint">
          {invite.uses === null ? t('invite.anyNumber') : t('invite.letsIn', { count: invite.uses })}{' '}
          {t('invite.until', { when: f.date(invite.expires) })} {t('invite.once')}
        </p>
      </div>
    </div>
  );
}
