// Before anything else: the owner's password, set at the first visit and asked for ever after.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Session } from '../pure/wire.ts';
import { useAction } from '../state/action.ts';
import { post } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { askSession, beforeSignIn } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { Button, Problem } from '../parts/basics.tsx';
import { Field } from '../parts/field.tsx';
import { Entrance } from '../parts/entrance.tsx';
import { LEAST, useTwice } from '../parts/twice.tsx';

export function SignIn({ session }: { readonly session: Session }): JSX.Element {
  const { t } = useWords();
  const [password, setPassword] = useState('');
  const told = useStore(beforeSignIn);
  const action = useAction();
  const signIn = async (): Promise<void> => {
    await post('/v1/page/sign-in', { password });
    beforeSignIn.set('');
    await askSession();
  };
  return (
    <Entrance title={session.name === '' ? t('signIn.title') : t('signIn.to', { name: session.name })}>
      {told !== '' && (
        <p class="notice tone-good" role="status">
          {told}
        </p>
      )}
      <form onSubmit={event => (event.preventDefault(), void action.run(signIn))} class="stack">
        <input type="text" value="owner" autocomplete="username" hidden readonly />
        <Field
          label={t('password')}
          type="password"
          autocomplete="current-password"
          value={password}
          onInput={setPassword}
          required
        />
        <Problem problem={action.problem} />
        <Button kind="primary" submit busy={action.busy}>
          {t('signIn.do')}
        </Button>
        <p class="hint">{t('signIn.forgotten')}</p>
      </form>
    </Entrance>
  );
}

export function FirstPassword({ session }: { readonly session: Session }): JSX.Element {
  const { t } = useWords();
  const [code, setCode] = useState('');
  const password = useTwice({
    label: t('password.new'),
    again: t('password.again'),
    hint: t('password.hint'),
    least: LEAST.page,
  });
  const action = useAction();
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!password.check()) return;
    void action.run(async () => {
      const { value } = password;
      await post('/v1/page/owner', { password: value, ...(session.needsCode ? { code: code.trim() } : {}) });
      await askSession();
    });
  };
  return (
    <Entrance title={t('first.title')} {...(session.isNew ? { step: 1 } : {})}>
      <p>{t('first.why')}</p>
      <form onSubmit={submit} class="stack">
        <input type="text" value="owner" autocomplete="username" hidden readonly />
        {session.needsCode && (
          <Field
            label={t('first.code')}
            hint={t('first.codeHint')}
            autocomplete="one-time-code"
            value={code}
            onInput={setCode}
            required
            mono
          />
        )}
        {password.fields}
        <Problem problem={action.problem} />
        <Button kind="primary" submit busy={action.busy}>
          {t('next')}
        </Button>
      </form>
    </Entrance>
  );
}
