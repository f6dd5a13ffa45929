// A secret that is chosen here: typed twice, since nobody sees what they type, and not shorter than what would be refused.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useWords } from '../state/language.ts';
import { Field } from './field.tsx';

/** Characters; the box refuses shorter ones. */
export const LEAST = { page: 8, backup: 10 } as const;

export interface TwiceOptions {
  readonly label: string;
  readonly again: string;
  readonly hint: string;
  /** Characters. */
  readonly least: number;
}

export interface Twice {
  readonly value: string;
  readonly fields: JSX.Element;
  /** Is it good? What is not is said at its field from now on. */
  readonly check: () => boolean;
  readonly clear: () => void;
}

export function useTwice({ label, again: againLabel, hint, least }: TwiceOptions): Twice {
  const { t } = useWords();
  const [value, setValue] = useState('');
  const [again, setAgain] = useState('');
  const [isChecked, setChecked] = useState(false);
  const isShort = value.length < least;
  const isDifferent = value !== again;
  const shared = { type: 'password', autocomplete: 'new-password', required: true } as const;
  return {
    value,
    fields: (
      <>
        <Field
          {...shared}
          label={label}
          hint={hint}
          error={isChecked && isShort && t('password.short', { least, count: value.length })}
          value={value}
          onInput={setValue}
        />
        <Field
          {...shared}
          label={againLabel}
          error={isChecked && !isShort && isDifferent && t('password.different')}
          value={again}
          onInput={setAgain}
        />
      </>
    ),
    check: () => {
      setChecked(true);
      return !isShort && !isDifferent;
    },
    clear: () => {
      setValue('');
      setAgain('');
      setChecked(false);
    },
  };
}
