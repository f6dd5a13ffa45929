// The pieces that every screen is made of: buttons, cards, dots with words, a problem in words.
import type { ComponentChildren, JSX } from 'preact';
import type { Tone } from '../pure/peers.ts';
import { ApiProblem, UNREACHED } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { Icon, type IconName } from './icon.tsx';
import { Pieces } from './pieces.tsx';

export interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick?: () => void;
  readonly kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  readonly submit?: boolean;
  readonly busy?: boolean;
  readonly disabled?: boolean;
  readonly icon?: IconName;
  /** Where the words alone do not tell which of many. */
  readonly label?: string;
  readonly pressed?: boolean;
}

/** While busy it can be reached still, and does nothing. */
export function Button(props: ButtonProps): JSX.Element {
  const { children, onClick, kind = 'plain', submit = false, busy = false, disabled = false } = props;
  return (
    <button
      type={submit ? 'submit' : 'button'}
      class={`button button-${kind}`}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      aria-label={props.label}
      aria-pressed={props.pressed}
      onClick={event => {
        if (busy) event.preventDefault();
        else onClick?.();
      }}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : props.icon && <Icon name={props.icon} />}
      <span>{children}</span>
    </button>
  );
}

export interface CardProps {
  readonly title?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly wide?: boolean;
  readonly id?: string;
}

export function Card({ title, actions, children, wide = false, id }: CardProps): JSX.Element {
  return (
    <section class={wide ? 'card card-wide' : 'card'} id={id}>
      {title !== undefined && (
        <div class="card-head">
          <h2>{title}</h2>
          {actions !== undefined && <div class="row">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

/** Colour never alone: the words say the same. */
export function State({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <span class={`state tone-${tone}`}>
      <span class="dot" aria-hidden="true" />
      <span>{children}</span>
    </span>
  );
}

export function Badge({
  tone = 'quiet',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}): JSX.Element {
  return <span class={`badge tone-${tone}`}>{children}</span>;
}

/** Nothing while there is none. The code stands in small, for a search. */
export function Problem({ problem }: { readonly problem: unknown }): JSX.Element | null {
  const { t, box } = useWords();
  if (problem === null || problem === undefined) return null;
  const code = problem instanceof ApiProblem ? problem.code : '';
  const told = problem instanceof Error ? problem.message : '';
  const words = code === UNREACHED ? t('problem.unreached') : told.replace(` (${code})`, '');
  const said = problem instanceof ApiProblem ? (box?.error(code, problem.details) ?? null) : null;
  const isEnglish = box !== null && code !== UNREACHED;
  return (
    <div class="notice tone-bad" role="alert">
      <Icon name="alert" />
      <div>
        {said !== null && (
          <p>
            <Pieces of={[...said.words, ...said.todo]} />
          </p>
        )}
        {said?.isWhole !== true && <p lang={isEnglish ? 'en' : undefined}>{words}</p>}
        {code !== '' && <p class="code">{code}</p>}
      </div>
    </div>
  );
}

export function Loading(): JSX.Element {
  const { t } = useWords();
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" /> {t('loading')}
    </p>
  );
}

/** What was asked for, or that it is waited for, or why it did not come. */
export function Shown<T>(props: {
  readonly loaded: { readonly value: T | null; readonly problem: unknown };
  readonly children: (value: T) => ComponentChildren;
}): JSX.Element {
  const { value, problem } = props.loaded;
  return (
    <>
      <Problem problem={problem} />
      {value !== null ? props.children(value) : problem === null && <Loading />}
    </>
  );
}

export interface Fact {
  readonly name: string;
  readonly value: ComponentChildren;
}

export function Facts({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
