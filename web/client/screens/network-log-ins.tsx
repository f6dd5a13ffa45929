// Ways in other than invites: accounts with passwords, and certificates.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Account } from '../pure/wire-server.ts';
import { useAction, useLoad } from '../state/action.ts';
import { get, post } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { Button, Card, Problem, Shown } from '../parts/basics.tsx';
import { CertificatesCard } from '../parts/certificates.tsx';
import { Confirm, Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';

export function LogIns(): JSX.Element {
  return (
    <>
      <Accounts />
      <CertificatesCard />
    </>
  );
}

const pathOf = (account: Account, order: string): string =>
  `/v1/server/accounts/${encodeURIComponent(account.name)}/${order}`;

function Accounts(): JSX.Element {
  const { t } = useWords();
  const loaded = useLoad(() => get<{ readonly accounts: readonly Account[] }>('/v1/server/accounts'));
  const [isMaking, setMaking] = useState(false);
  return (
    <Card
      title={t('accounts.title')}
      actions={
        <Button icon="plus" onClick={() => setMaking(true)}>
          {t('accounts.new')}
        </Button>
      }
    >
      <p class="hint">{t('accounts.what')}</p>
      <Shown loaded={loaded}>
        {({ accounts }) =>
          accounts.length === 0 ? (
            <p class="hint">{t('accounts.none')}</p>
          ) : (
            <ul class="items">
              {accounts.map(account => (
                <AccountLine key={account.name} account={account} onChanged={loaded.reload} />
              ))}
            </ul>
          )
        }
      </Shown>
      {isMaking && (
        <AccountForm
          account={null}
          onClose={isDone => {
            setMaking(false);
            if (isDone) loaded.reload();
          }}
        />
      )}
    </Card>
  );
}

function AccountLine({
  account,
  onChanged,
}: {
  readonly account: Account;
  readonly onChanged: () => void;
}): JSX.Element {
  const { t, f } = useWords();
  const [open, setOpen] = useState<'password' | 'remove' | null>(null);
  const action = useAction();
  const remove = (): void =>
    void action
      .run(() => post(pathOf(account, 'remove')))
      .then(isDone => {
        if (!isDone) return;
        setOpen(null);
        onChanged();
      });
  const { name, boxes, used } = account;
  return (
    <li>
      <div>
        <p class="strong">{name}</p>
        <p class="hint">
          {boxes === null
            ? t('accounts.used', { count: used.length })
            : t('accounts.usedOf', { count: used.length, all: boxes })}
          {used.length > 0 && ` · ${f.list(used)}`}
        </p>
      </div>
      <div class="actions">
        <Button label={t('accounts.password.of', { name })} onClick={() => setOpen('password')}>
          {t('accounts.password')}
        </Button>
        <Button kind="danger" label={t('accounts.remove.of', { name })} onClick={() => setOpen('remove')}>
          {t('nodes.remove')}
        </Button>
      </div>
      {open === 'password' && <AccountForm account={account} onClose={() => setOpen(null)} />}
      {open === 'remove' && (
        <Confirm
          title={t('accounts.remove.of', { name })}
          words={t('accounts.remove.words')}
          doIt={t('nodes.remove')}
          action={action}
          onDo={remove}
          onClose={() => setOpen(null)}
        />
      )}
    </li>
  );
}

interface AccountFormProps {
  /** Null: a new one. */
  readonly account: Account | null;
  readonly onClose: (isDone: boolean) => void;
}

function AccountForm({ account, onClose }: AccountFormProps): JSX.Element {
  const { t } = useWords();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [boxes, setBoxes] = useState('');
  const action = useAction();
  const submit = (event: Event): void => {
    event.preventDefault();
    const most = boxes.trim() === '' ? null : Number(boxes);
    const order = (): Promise<unknown> =>
      account === null
        ? post('/v1/server/accounts', { name: name.trim(), password, boxes: most })
        : post(pathOf(account, 'password'), { password });
    void action.run(order).then(isDone => {
      if (isDone) onClose(true);
    });
  };
  return (
    <Dialog
      title={account === null ? t('accounts.new') : t('accounts.password.of', { name: account.name })}
      onClose={() => onClose(false)}
    >
      <form class="stack" onSubmit={submit}>
        {account === null && (
          <Field label={t('accounts.name')} value={name} onInput={setName} maxLength={63} required />
        )}
        <Field
          label={t('password.new')}
          hint={t('accounts.passwordHint')}
          type="password"
          autocomplete="new-password"
          value={password}
          onInput={setPassword}
          required
        />
        {account === null && (
          <Field
            label={t('accounts.boxes')}
            hint={t('invites.usesHint')}
            type="number"
            value={boxes}
            onInput={setBoxes}
          />
        )}
        <Problem problem={action.problem} />
        <div class="row row-end">
          <Button onClick={() => onClose(false)}>{t('cancel')}</Button>
          <Button kind="primary" submit busy={action.busy}>
            {t('save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
