// Joining a network by an invite: pasted, or scanned from another box's screen.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { NodeStatus } from '../pure/wire.ts';
import { useAction } from '../state/action.ts';
import { post } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { Button, Problem } from './basics.tsx';
import { Field } from './field.tsx';
import { Scan } from './scan.tsx';

export interface JoinProps {
  /** What this box is called so far. */
  readonly name: string;
  readonly onDone: (node: NodeStatus) => void;
  readonly back: ComponentChildren;
}

export function Join({ name: known, onDone, back }: JoinProps): JSX.Element {
  const { t } = useWords();
  const [invite, setInvite] = useState('');
  const [name, setName] = useState(known);
  const action = useAction();
  const join = async (): Promise<void> => {
    const named = name.trim() === '' ? {} : { name: name.trim() };
    onDone(await post<NodeStatus>('/v1/node/up', { invite: invite.trim(), ...named }));
  };
  return (
    <form class="stack" onSubmit={event => (event.preventDefault(), void action.run(join))}>
      <Field
        label={t('join.invite')}
        hint={t('join.inviteHint')}
        value={invite}
        onInput={setInvite}
        placeholder="ginnel:…"
        rows={3}
        maxLength={4096}
        required
        mono
      />
      <Scan onFound={setInvite} />
      <Field label={t('name.box')} hint={t('name.boxHint')} value={name} onInput={setName} maxLength={63} />
      <Problem problem={action.problem} />
      {action.busy && (
        <p class="hint" role="status">
          {t('join.busy')}
        </p>
      )}
      <div class="row row-ends">
        {back}
        <Button kind="primary" submit busy={action.busy}>
          {t('join.do')}
        </Button>
      </div>
    </form>
  );
}
