// Invites: what lets boxes in. A new one is shown once, as a code and as text.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AuditEntry, Invite, IssuedInvite } from '../pure/wire-server.ts';
import { useAction, useLoad } from '../state/action.ts';
import { get, post } from '../state/api.ts';
import { useWords, type Words } from '../state/language.ts';
import { Badge, Button, Card, Problem, Shown } from '../parts/basics.tsx';
import { Copied } from '../parts/copy.tsx';
import { Confirm, Dialog } from '../parts/dialog.tsx';
import { Choice, Field, Switch } from '../parts/field.tsx';
import { InviteShown } from '../parts/invite.tsx';

const HOUR_MS = 3_600_000;
/** So many of the latest entries of the history are looked through. */
const PAST = 500;
const HOURS = [1, 24, 168, 720] as const;

export function Invites({ address }: { readonly address: string }): JSX.Element {
  const { t } = useWords();
  const loaded = useLoad(() => get<{ readonly invites: readonly Invite[] }>('/v1/server/invites'));
  const [isMaking, setMaking] = useState(false);
  return (
    <>
      <Card
        title={t('invites.title')}
        actions={
          <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>
            {t('invites.new')}
          </Button>
        }
      >
        <p class="hint">{t('invites.what')}</p>
        <Shown loaded={loaded}>
          {({ invites }) =>
            invites.length === 0 ? (
              <p class="hint">{t('invites.none')}</p>
            ) : (
              <InviteLines invites={[...invites].reverse()} onChanged={loaded.reload} />
            )
          }
        </Shown>
      </Card>
      {address !== '' && (
        <Card title={t('invites.address')}>
          <p class="hint">{t('invites.addressWords')}</p>
          <Copied text={address} what={t('invites.address')} />
        </Card>
      )}
      {isMaking && (
        <NewInvite
          onClose={() => {
            setMaking(false);
            loaded.reload();
          }}
        />
      )}
    </>
  );
}

/** Those that can be used; the others below, behind a fold. */
function InviteLines({
  invites,
  onChanged,
}: {
  readonly invites: readonly Invite[];
  readonly onChanged: () => void;
}): JSX.Element {
  const { t } = useWords();
  const open = invites.filter(({ state }) => state === 'open');
  const over = invites.filter(({ state }) => state !== 'open');
  return (
    <>
      {open.length === 0 && <p>{t('invites.noneOpen')}</p>}
      <ul class="items">
        {open.map(invite => (
          <InviteLine key={invite.id} invite={invite} onChanged={onChanged} />
        ))}
      </ul>
      {over.length > 0 && <Over invites={over} onChanged={onChanged} />}
    </>
  );
}

/** By whom each was used stands in the history. */
function Over(props: { readonly invites: readonly Invite[]; readonly onChanged: () => void }): JSX.Element {
  const { t, f } = useWords();
  const past = useLoad(
    () => get<{ readonly entries: readonly AuditEntry[] }>(`/v1/server/audit?most=${PAST}`),
    props.invites.map(({ id }) => id).join(' '),
  );
  const uses = (past.value?.entries ?? []).filter(({ what }) => what === 'invite-used');
  const userOf = (invite: Invite): string =>
    f.list([...new Set(uses.filter(({ subject }) => subject === invite.id).map(({ by }) => by))]);
  return (
    <details class="fold">
      <summary>{t('invites.over', { count: props.invites.length })}</summary>
      <ul class="items">
        {props.invites.map(invite => (
          <InviteLine key={invite.id} invite={invite} users={userOf(invite)} onChanged={props.onChanged} />
        ))}
      </ul>
    </details>
  );
}

const TONES = { open: 'good', used: 'quiet', expired: 'quiet', revoked: 'bad' } as const;

function InviteLine({
  invite,
  users = '',
  onChanged,
}: {
  readonly invite: Invite;
  readonly users?: string;
  readonly onChanged: () => void;
}): JSX.Element {
  const words = useWords();
  const { t } = words;
  const [isAsking, setAsking] = useState(false);
  const action = useAction();
  const revoke = (): void =>
    void action
      .run(() => post(`/v1/server/invites/${encodeURIComponent(invite.id)}/revoke`))
      .then(isDone => {
        if (!isDone) return;
        setAsking(false);
        onChanged();
      });
  const what = invite.note === '' ? invite.id : invite.note;
  return (
    <li>
      <div>
        <p class="strong row">
          {what} <Badge tone={TONES[invite.state]}>{t(`invites.${invite.state}`)}</Badge>
          {invite.approval && <Badge tone="fair">{t('invites.approval')}</Badge>}
        </p>
        <p class="hint">
          {standingWords(invite, words)}
          {users !== '' && ` · ${t('invites.usedBy', { names: users })}`}
        </p>
      </div>
      {invite.state === 'open' && (
        <Button label={t('invites.revoke.of', { what })} onClick={() => setAsking(true)}>
          {t('invites.revoke')}
        </Button>
      )}
      {isAsking && (
        <Confirm
          title={t('invites.revoke.of', { what })}
          words={t('invites.revoke.words')}
          doIt={t('invites.revoke')}
          action={action}
          onDo={revoke}
          onClose={() => setAsking(false)}
        />
      )}
    </li>
  );
}

function standingWords({ uses, usesLeft, expires }: Invite, { t, f }: Words): string {
  const left =
    uses === null ? t('invites.anyNumber') : t('invites.left', { count: usesLeft ?? 0, all: uses });
  return `${left} · ${t(expires > Date.now() ? 'invites.until' : 'invites.ended', { when: f.date(expires) })}`;
}

function NewInvite({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { t } = useWords();
  const [note, setNote] = useState('');
  const [uses, setUses] = useState('1');
  const [hours, setHours] = useState('24');
  const [approval, setApproval] = useState(false);
  const [made, setMade] = useState<IssuedInvite | null>(null);
  const action = useAction();
  const make = (event: Event): void => {
    event.preventDefault();
    void action.run(async () => {
      const number = uses.trim() === '' ? null : Number(uses);
      const asked = { validMs: Number(hours) * HOUR_MS, uses: number, approval, note: note.trim() };
      setMade(await post<IssuedInvite>('/v1/server/invites', asked));
    });
  };
  if (made !== null)
    return (
      <Dialog title={t('invites.made')} onClose={onClose}>
        <InviteShown invite={made} />
        <div class="row row-end">
          <Button kind="primary" onClick={onClose}>
            {t('done')}
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={t('invites.new')} onClose={onClose}>
      <form class="stack" onSubmit={make}>
        <Field
          label={t('invites.note')}
          hint={t('invites.noteHint')}
          value={note}
          onInput={setNote}
          maxLength={100}
        />
        <Field
          label={t('invites.uses')}
          hint={t('invites.usesHint')}
          type="number"
          value={uses}
          onInput={setUses}
        />
        <Choice
          label={t('invites.valid')}
          value={hours}
          options={HOURS.map(value => ({ value: String(value), label: t(`invites.hours.${value}`) }))}
          onChange={setHours}
        />
        <Switch
          label={t('invites.approvalAsk')}
          hint={t('invites.approvalHint')}
          on={approval}
          onChange={setApproval}
        />
        <Problem problem={action.problem} />
        <div class="row row-end">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button kind="primary" submit busy={action.busy}>
            {t('invites.make')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
