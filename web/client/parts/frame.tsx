// The frame of the page: where one can go, whether the box still answers, and how the page is read.
import type { ComponentChildren, JSX } from 'preact';
import { hashOf, type Route } from '../pure/route.ts';
import { useAction } from '../state/action.ts';
import { announcement } from '../state/announce.ts';
import { post } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { connection } from '../state/live.ts';
import { askSession } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { Icon, Logo, type IconName } from './icon.tsx';
import { LanguageChoice, ThemeChoice } from './taste.tsx';

interface FrameProps {
  readonly route: Route;
  readonly name: string;
  readonly version: string;
  readonly hasNetwork: boolean;
  readonly children: ComponentChildren;
}

type Place = 'overview' | 'plugins' | 'network' | 'settings';

const PLACE_OF: Readonly<Record<Route['screen'], Place | null>> = {
  ...{ overview: 'overview', peer: 'overview', welcome: 'overview', plugins: 'plugins', plugin: 'plugins' },
  ...{ network: 'network', settings: 'settings', unknown: null },
};
const HREF: Readonly<Record<Place, string>> = {
  ...{ overview: '#/', plugins: hashOf('plugins'), network: hashOf('network'), settings: hashOf('settings') },
};

export function Frame({ route, name, version, hasNetwork, children }: FrameProps): JSX.Element {
  const { t } = useWords();
  const here = PLACE_OF[route.screen];
  const places: readonly Place[] = [
    'overview',
    'plugins',
    ...(hasNetwork ? (['network'] as const) : []),
    'settings',
  ];
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {t('skip')}
      </a>
      <header class="head">
        <div class="head-inner">
          <a class="brand" href="#/">
            <Logo /> <span>{name === '' ? 'Ginnel' : name}</span>
          </a>
          <nav aria-label={t('nav')}>
            {places.map(place => (
              <a key={place} href={HREF[place]} aria-current={place === here ? 'page' : undefined}>
                <Icon name={place satisfies IconName} />
                <span>{t(place)}</span>
              </a>
            ))}
          </nav>
        </div>
      </header>
      <Lost />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Foot version={version} />
      <Announcer />
    </>
  );
}

/** The address behind # is the screen's: a jump within it is made by hand. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Lost(): JSX.Element {
  const { t } = useWords();
  const isLost = useStore(connection, state => state === 'lost');
  return (
    <div role="status">
      {isLost && (
        <p class="lost">
          <span class="spinner" aria-hidden="true" /> {t('lost')}
        </p>
      )}
    </div>
  );
}

function Foot({ version }: { readonly version: string }): JSX.Element {
  const { t } = useWords();
  const action = useAction();
  const signOut = async (): Promise<void> => {
    await post('/v1/page/sign-out');
    await askSession();
  };
  return (
    <footer class="foot">
      <span>Ginnel {version}</span>
      <LanguageChoice />
      <ThemeChoice />
      <button type="button" class="link" onClick={() => void action.run(signOut)}>
        {t('signOut')}
      </button>
    </footer>
  );
}

function Announcer(): JSX.Element {
  return (
    <div class="offscreen" aria-live="polite">
      {useStore(announcement)}
    </div>
  );
}
