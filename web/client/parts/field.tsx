// One field of a form: its label, its hint, and what is wrong with it, tied together for whoever cannot see them.
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

export interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly error?: ComponentChildren;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: 'text' | 'password' | 'number' | 'search';
  readonly rows?: number;
  readonly autocomplete?: AutoFill;
  readonly required?: boolean;
  readonly maxLength?: number | undefined;
  readonly placeholder?: string;
  readonly mono?: boolean;
}

type AutoFill = 'off' | 'current-password' | 'new-password' | 'one-time-code' | 'username';

export function Field(props: FieldProps): JSX.Element {
  const id = useId();
  const { label, hint, error, value, onInput, rows } = props;
  const described = describedBy(id, hint, error);
  // The types of inputs are told apart more finely than is any use here.
  const kind: object = { type: props.type ?? 'text' };
  const shared = {
    ...{ id, value, 'aria-describedby': described, 'aria-invalid': error ? true : undefined },
    ...{ required: props.required, maxLength: props.maxLength, placeholder: props.placeholder },
    ...{ class: props.mono ? 'mono' : undefined, spellcheck: false, autocapitalize: 'off' as const },
    autocomplete: props.autocomplete ?? 'off',
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows === undefined ? (
        <input {...shared} {...kind} onInput={event => onInput(event.currentTarget.value)} />
      ) : (
        <textarea {...shared} rows={rows} onInput={event => onInput(event.currentTarget.value)} />
      )}
      <Beside id={id} hint={hint} error={error} />
    </div>
  );
}

export interface ChoiceProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly error?: ComponentChildren;
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly onChange: (value: string) => void;
}

export function Choice({ label, hint, error, value, options, onChange }: ChoiceProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        aria-describedby={describedBy(id, hint, error)}
        aria-invalid={error ? true : undefined}
        onChange={event => onChange(event.currentTarget.value)}
      >
        {options.map(option => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <Beside id={id} hint={hint} error={error} />
    </div>
  );
}

export interface SwitchProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly error?: ComponentChildren;
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
  readonly busy?: boolean;
  /** The label is for screen readers alone: the words stand elsewhere already. */
  readonly bare?: boolean;
}

export function Switch({
  label,
  hint,
  error,
  on,
  onChange,
  busy = false,
  bare = false,
}: SwitchProps): JSX.Element {
  const id = useId();
  return (
    <div class={bare ? 'switch-bare' : 'field'}>
      <div class="switch-row">
        {!bare && <label for={id}>{label}</label>}
        <button
          id={id}
          type="button"
          role="switch"
          class="switch"
          aria-checked={on}
          aria-busy={busy || undefined}
          aria-label={bare ? label : undefined}
          aria-describedby={describedBy(id, hint, error)}
          onClick={() => {
            if (!busy) onChange(!on);
          }}
        >
          <span class="switch-knob" />
        </button>
      </div>
      <Beside id={id} hint={hint} error={error} />
    </div>
  );
}

function Beside({
  id,
  hint,
  error,
}: {
  id: string;
  hint: ComponentChildren;
  error: ComponentChildren;
}): JSX.Element {
  return (
    <>
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </>
  );
}

function describedBy(id: string, hint: ComponentChildren, error: ComponentChildren): string | undefined {
  const ids = [...(error ? [`${id}-error`] : []), ...(hint ? [`${id}-hint`] : [])];
  return ids.length === 0 ? undefined : ids.join(' ');
}
