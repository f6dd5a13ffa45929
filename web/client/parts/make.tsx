// Making a new network: this box becomes its location server and its first member. What was done stays done if a later
// step fails, so that trying again goes on from there.
import type { ComponentChildren, JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { IssuedInvite } from '../pure/wire-server.ts';
import type { NodeStatus } from '../pure/wire.ts';
import { useAction } from '../state/action.ts';
import { post } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { Button, Problem } from './basics.tsx';
import { Field } from './field.tsx';
import { Icon } from './icon.tsx';

export interface MakeProps {
  readonly name: string;
  readonly onDone: (done: { readonly node: NodeStatus; readonly invite: IssuedInvite }) => void;
  readonly back: ComponentChildren;
}

const STEPS = ['server', 'join', 'invite'] as const;
const DAY_MS = 86_400_000;

export function Make({ name: known, onDone, back }: MakeProps): JSX.Element {
  const { t } = useWords();
  const [network, setNetwork] = useState('home');
  const [name, setName] = useState(known);
  const [address, setAddress] = useState('');
  const [step, setStep] = useState<number | null>(null);
  const node = useRef<NodeStatus | null>(null);
  const action = useAction();
  const make = async (): Promise<void> => {
    setStep(0);
    const advertise = address.split(/[\s,]+/).filter(part => part !== '');
    await post('/v1/server/up', {
      networkName: network.trim(),
      ...(advertise.length === 0 ? {} : { advertise }),
    });
    setStep(1);
    node.current ??= await joined(name);
    setStep(2);
    const invite = await post<IssuedInvite>('/v1/server/invites', { validMs: DAY_MS, uses: 1, note: '' });
    onDone({ node: node.current, invite });
  };
  return (
    <form class="stack" onSubmit={event => (event.preventDefault(), void action.run(make))}>
      <Field
        label={t('make.network')}
        hint={t('make.networkHint')}
        value={network}
        onInput={setNetwork}
        maxLength={63}
        required
      />
      <Field label={t('name.box')} hint={t('name.boxHint')} value={name} onInput={setName} maxLength={63} />
      <Field
        label={t('make.address')}
        hint={t('make.addressHint')}
        value={address}
        onInput={setAddress}
        placeholder="home.example.net"
        maxLength={512}
      />
      {step === null && (
        <div class="notice tone-quiet">
          <Icon name="info" />
          <div>
            <p class="strong">{t('make.ports')}</p>
            <p>{t('make.portsHow')}</p>
          </div>
        </div>
      )}
      {step !== null && (
        <ol class="progress" aria-live="polite">
          {STEPS.map((one, i) => (
            <li key={one} class={stateOf(i, step, action.problem !== null)}>
              {i < step ? (
                <Icon name="check" />
              ) : (
                <span class={i === step && action.busy ? 'spinner' : 'step'} />
              )}
              {t(`make.step.${one}`)}
            </li>
          ))}
        </ol>
      )}
      <Problem problem={action.problem} />
      <div class="row row-ends">
        {back}
        <Button kind="primary" submit busy={action.busy}>
          {action.problem === null ? t('make.do') : t('again')}
        </Button>
      </div>
    </form>
  );
}

async function joined(name: string): Promise<NodeStatus> {
  const { invite } = await post<IssuedInvite>('/v1/server/invites', {
    validMs: 3_600_000,
    uses: 1,
    note: '',
  });
  return post<NodeStatus>('/v1/node/up', { invite, ...(name.trim() === '' ? {} : { name: name.trim() }) });
}

function stateOf(i: number, step: number, hasFailed: boolean): string {
  if (i < step) return 'is-done';
  if (i > step) return 'is-ahead';
  return hasFailed ? 'is-failed' : 'is-now';
}
