// Which screen stands: by who is at the page, and where they went.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Route } from './pure/route.ts';
import type { Live } from './pure/wire.ts';
import { useWords } from './state/language.ts';
import { live, watchLive } from './state/live.ts';
import { moved } from './state/moved.ts';
import { route } from './state/router.ts';
import { askSession, session } from './state/session.ts';
import { useStore } from './state/store.ts';
import { Button, Loading } from './parts/basics.tsx';
import { Entrance } from './parts/entrance.tsx';
import { Frame } from './parts/frame.tsx';
import { Title } from './parts/title.tsx';
import { NetworkScreen } from './screens/network.tsx';
import { MovedScreen } from './screens/moved.tsx';
import { Overview } from './screens/overview.tsx';
import { PeerScreen } from './screens/peer.tsx';
import { PluginScreen } from './screens/plugin.tsx';
import { Plugins } from './screens/plugins.tsx';
import { SettingsScreen } from './screens/settings.tsx';
import { FirstPassword, SignIn } from './screens/sign-in.tsx';
import { Welcome, welcoming } from './screens/welcome.tsx';

const AGAIN_MS = 4000;

export function App(): JSX.Element {
  const known = useStore(session);
  const gone = useStore(moved);
  if (gone !== null) return <MovedScreen moved={gone} />;
  if (known === 'asking') return <main class="entrance">{<Loading />}</main>;
  if (known === 'unreached') return <Unreached />;
  if (known.owner === 'none') return <FirstPassword session={known} />;
  if (!known.signedIn) return <SignIn session={known} />;
  return <Inside name={known.name} version={known.version} />;
}

function Unreached(): JSX.Element {
  const { t } = useWords();
  useEffect(() => {
    const again = window.setInterval(() => {
      if (!document.hidden) void askSession();
    }, AGAIN_MS);
    return () => window.clearInterval(again);
  }, []);
  return (
    <Entrance title={t('unreached.title')}>
      <p>{t('problem.unreached')}</p>
      <Button kind="primary" onClick={() => void askSession()}>
        {t('again')}
      </Button>
    </Entrance>
  );
}

function Inside({ name, version }: { readonly name: string; readonly version: string }): JSX.Element {
  const now = useStore(live);
  const here = useStore(route);
  useEffect(watchLive, []);
  const server = now?.server ?? null;
  return (
    <Frame
      route={here}
      name={now?.node?.name || name}
      version={version}
      hasNetwork={server !== null && (server.state === 'up' || server.network !== '')}
    >
      {now === null ? <Loading /> : <Screen here={here} now={now} name={name} />}
    </Frame>
  );
}

interface ScreenProps {
  readonly here: Route;
  readonly now: Live;
  readonly name: string;
}

function Screen({ here, now, name }: ScreenProps): JSX.Element {
  const { t } = useWords();
  const isArriving = useStore(welcoming);
  switch (here.screen) {
    case 'overview':
      return isArriving || isNew(now) ? <Welcome name={now.node?.name || name} /> : <Overview now={now} />;
    case 'peer':
      return <PeerScreen key={here.peer} id={here.peer} now={now} />;
    case 'plugins':
      return <Plugins now={now} />;
    case 'plugin':
      return <PluginScreen key={here.plugin} name={here.plugin} now={now} />;
    case 'network':
      return <NetworkScreen section={here.section} now={now} />;
    case 'settings':
      return <SettingsScreen part={here.part} now={now} />;
    case 'welcome':
      return <Welcome name={now.node?.name || name} />;
    default:
      return (
        <>
          <Title>{t('unknown.title')}</Title>
          <p>
            <a href="#/">{t('unknown.back')}</a>
          </p>
        </>
      );
  }
}

/** In no network, and running none. */
const isNew = ({ node, server }: Live): boolean =>
  node !== null && node.network === '' && node.state === 'down' && server?.state !== 'up';
