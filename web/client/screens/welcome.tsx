// A box that is in no network yet: it joins one by an invite, or makes one. The second and third screen of a first visit.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { IssuedInvite } from '../pure/wire-server.ts';
import type { NodeStatus } from '../pure/wire.ts';
import { useWords } from '../state/language.ts';
import { live } from '../state/live.ts';
import { go } from '../state/router.ts';
import { createStore, useStore } from '../state/store.ts';
import { Button } from '../parts/basics.tsx';
import { Entrance } from '../parts/entrance.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { InviteShown } from '../parts/invite.tsx';
import { Join } from '../parts/join.tsx';
import { Make } from '../parts/make.tsx';
import { Reach } from '../parts/reach.tsx';

export interface Arrived {
  readonly node: NodeStatus;
  /** For the second box, where this one made the network. */
  readonly invite: IssuedInvite | null;
}

/** Somebody is at it: the box may be in meanwhile, and the last step is still to be read. */
export const welcoming = createStore(false);

export function Welcome({ name }: { readonly name: string }): JSX.Element {
  const { t } = useWords();
  const [way, setWay] = useState<'join' | 'make' | null>(null);
  const [done, setDone] = useState<Arrived | null>(null);
  useEffect(() => {
    welcoming.set(true);
    return () => welcoming.set(false);
  }, []);
  if (done !== null) return <Done {...done} />;
  const back = (
    <Button kind="quiet" icon="back" onClick={() => setWay(null)}>
      {t('back')}
    </Button>
  );
  if (way === 'join')
    return (
      <Entrance title={t('join.title')} step={2} inside>
        <Join name={name} onDone={node => setDone({ node, invite: null })} back={back} />
      </Entrance>
    );
  if (way === 'make')
    return (
      <Entrance title={t('make.title')} step={2} inside>
        <Make name={name} onDone={setDone} back={back} />
      </Entrance>
    );
  return (
    <Entrance title={t('welcome.title')} step={2} inside>
      <p>{t('welcome.what')}</p>
      <Way
        icon="network"
        title={t('welcome.join')}
        words={t('welcome.joinWords')}
        onClick={() => setWay('join')}
      />
      <Way
        icon="plus"
        title={t('welcome.make')}
        words={t('welcome.makeWords')}
        onClick={() => setWay('make')}
      />
      <p class="hint">
        {t('welcome.restore')} <a href="#/settings/backup">{t('welcome.restoreDo')}</a>
      </p>
    </Entrance>
  );
}

interface WayProps {
  readonly icon: IconName;
  readonly title: string;
  readonly words: string;
  readonly onClick: () => void;
}

function Way({ icon, title, words, onClick }: WayProps): JSX.Element {
  return (
    <button type="button" class="way" onClick={onClick}>
      <Icon name={icon} />
      <span>
        <span class="strong">{title}</span>
        <span class="hint">{words}</span>
      </span>
    </button>
  );
}

function Done({ node, invite }: Arrived): JSX.Element {
  const { t } = useWords();
  const now = useStore(live);
  const leave = (): void => {
    welcoming.set(false);
    go();
  };
  return (
    <Entrance title={t('done.title')} step={3} inside>
      <p>
        {node.ip4 === ''
          ? t('done.waiting', { name: node.name })
          : t('done.in', { name: node.name, ip: node.ip4 })}
      </p>
      {invite !== null && (
        <>
          <h2>{t('done.second')}</h2>
          <InviteShown invite={invite} />
          {now?.server?.state === 'up' && <Reach server={now.server} plugins={now.node?.plugins ?? []} />}
        </>
      )}
      <Button kind="primary" onClick={leave}>
        {t('done.go')}
      </Button>
    </Entrance>
  );
}
