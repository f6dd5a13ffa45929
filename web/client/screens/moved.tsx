// HTTPS was turned on or off: the page is at another address, and this one has nothing behind it any more.
import type { JSX } from 'preact';
import type { Moved } from '../state/moved.ts';
import { useWords } from '../state/language.ts';
import { Entrance } from '../parts/entrance.tsx';

export function MovedScreen({ moved: { isTls, address } }: { readonly moved: Moved }): JSX.Element {
  const { t } = useWords();
  return (
    <Entrance title={t(isTls ? 'moved.on' : 'moved.off')}>
      <p>{t(isTls ? 'moved.onWords' : 'moved.offWords')}</p>
      <p>
        <a class="button button-primary" href={address}>
          {t('moved.open')}
        </a>
      </p>
      <p class="hint mono">{address}</p>
    </Entrance>
  );
}
