// One setting of a form, by its kind: text, number, switch, choice, list, several of a few, or a secret that is never shown.
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { Draft, FormField } from '../pure/form.ts';
import { useWords, type Say } from '../state/language.ts';
import { Badge } from './basics.tsx';
import { Choice, Field, Switch } from './field.tsx';
import { rangeWords } from './settings-form.tsx';

export interface SettingFieldProps {
  readonly field: FormField;
  readonly draft: Draft;
  readonly error: string | undefined;
  readonly onEdit: (draft: Draft) => void;
  readonly onDefault: () => void;
}

export function SettingField(props: SettingFieldProps): JSX.Element {
  const { field, draft, error, onEdit } = props;
  const { t } = useWords();
  const hint = <Hint {...props} />;
  const shared = { label: field.title, hint, error };
  switch (field.kind) {
    case 'switch':
      return <Switch {...shared} on={draft === true} onChange={onEdit} />;
    case 'choice':
      return <Choice {...shared} value={String(draft)} options={optionsOf(field, t)} onChange={onEdit} />;
    case 'choices':
      return <Several {...props} />;
    case 'list':
      return (
        <Field
          {...shared}
          value={String(draft)}
          rows={Math.min(6, String(draft).split('\n').length + 1)}
          onInput={onEdit}
          mono
        />
      );
    default:
      return (
        <Field
          {...shared}
          type={field.secret ? 'password' : 'text'}
          autocomplete={field.secret ? 'new-password' : 'off'}
          value={String(draft)}
          placeholder={placeholderOf(field, t)}
          maxLength={field.kind === 'text' ? (field.maxLength ?? undefined) : undefined}
          onInput={onEdit}
        />
      );
  }
}

function placeholderOf(field: FormField, t: Say): string {
  if (field.secret) return field.isSet ? t('form.secretSet') : t('form.secretNone');
  return field.nullable ? t('none') : '';
}

const optionsOf = ({ options, labels }: FormField, t: Say): readonly { value: string; label: string }[] =>
  options.map(one => ({
    value: JSON.stringify(one),
    label: one === null ? t('none') : (labels[String(one)] ?? String(one)),
  }));

/** What it does, what it may be, whether it holds already, and the way back to the default. */
function Hint({ field, error, onDefault }: SettingFieldProps): JSX.Element {
  const { t } = useWords();
  const mayBe = mayBeWords(field, t);
  const isTold = mayBe === '' || (error?.includes(mayBe) ?? false);
  const isOwn = field.isSet && !field.secret && field.default !== null;
  return (
    <>
      <span class="block">{field.description}</span>
      {!isTold && <span class="block">{mayBe}</span>}
      {field.pending && <Badge tone="fair">{t('form.pending')}</Badge>}
      {isOwn && (
        <button type="button" class="link" onClick={onDefault}>
          {t('form.default', { value: shownDefault(field, t) })}
        </button>
      )}
      {field.secret && field.isSet && (
        <button type="button" class="link" onClick={onDefault}>
          {t('form.secretForget')}
        </button>
      )}
    </>
  );
}

function mayBeWords(field: FormField, t: Say): string {
  if (field.words !== '') return t('form.mayBe', { mayBe: field.words });
  if (field.kind === 'list') return t('form.lines', { most: field.maxItems ?? 0 });
  const isNumber = field.kind === 'number' || field.kind === 'integer';
  return isNumber && (field.min !== null || field.max !== null) ? rangeWords(field, t) : '';
}

function shownDefault(field: FormField, t: Say): string {
  const { default: value } = field;
  if (typeof value === 'boolean') return value ? t('on') : t('off');
  if (Array.isArray(value)) return value.length === 0 ? t('none') : value.join(', ');
  return value === '' ? t('none') : (field.labels[String(value)] ?? String(value));
}

function Several({ field, draft, error, onEdit, ...rest }: SettingFieldProps): JSX.Element {
  const { t } = useWords();
  const id = useId();
  const chosen = Array.isArray(draft) ? (draft as readonly string[]) : [];
  const options = optionsOf(field, t);
  const turn = (value: string, isOn: boolean): void =>
    onEdit(options.map(one => one.value).filter(one => (one === value ? isOn : chosen.includes(one))));
  return (
    <fieldset class="field" aria-describedby={`${id}-hint`}>
      <legend>{field.title}</legend>
      <div class="row">
        {options.map(({ value, label }) => (
          <label key={value} class="check">
            <input
              type="checkbox"
              checked={chosen.includes(value)}
              onChange={event => turn(value, event.currentTarget.checked)}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      {error !== undefined && <p class="field-error">{error}</p>}
      <p class="hint" id={`${id}-hint`}>
        <Hint field={field} draft={draft} error={error} onEdit={onEdit} {...rest} />
      </p>
    </fieldset>
  );
}
