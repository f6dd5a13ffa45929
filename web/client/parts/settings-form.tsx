// A form drawn from settings and their schemas. What is wrong is told at its field, what starts anew is told before.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import {
  draftsOf,
  fieldsBlamed,
  readForm,
  unusableIn,
  type Change,
  type Draft,
  type Drafts,
} from '../pure/form.ts';
import type { FormField } from '../pure/form.ts';
import { ApiProblem } from '../state/api.ts';
import { useAction } from '../state/action.ts';
import { announce } from '../state/announce.ts';
import { plainText } from '../pure/box-words.ts';
import { useWords, type Say, type Words } from '../state/language.ts';
import { Button, Problem } from './basics.tsx';
import { SettingField } from './setting-field.tsx';

export interface SettingsFormProps {
  readonly fields: readonly FormField[];
  /** Answers when it is kept; then `fields` are the new ones. */
  readonly onSave: (change: Change) => Promise<void>;
  /** What starts anew where that is needed. */
  readonly restarts: 'plugin' | 'ginnel';
}

export function SettingsForm({ fields, onSave, restarts }: SettingsFormProps): JSX.Element {
  const words = useWords();
  const { t } = words;
  const [drafts, setDrafts] = useState<Drafts>({});
  const [isChecked, setChecked] = useState(false);
  const action = useAction();
  const all = { ...draftsOf(fields), ...drafts };
  const { change, changed, wrong } = readForm(fields, all);
  const blamed = blamedBy(action.problem, { fields, all }, words);
  const isElsewhere = action.problem !== null && !fields.some(({ key }) => key in blamed);
  const save = async (what: Change): Promise<void> => {
    const isDone = await action.run(() => onSave(what));
    if (!isDone) return;
    setDrafts({});
    setChecked(false);
    announce(t('form.saved'));
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    setChecked(true);
    if (Object.keys(wrong).length > 0) focusFirstWrong(event.currentTarget);
    else if (changed.length > 0) void save(change);
  };
  const edit = (key: string, draft: Draft): void => {
    action.clear();
    setDrafts(now => ({ ...now, [key]: draft }));
  };
  return (
    <form class="stack" onSubmit={submit} noValidate>
      <div class="form-grid">
        {fields.map(field => (
          <SettingField
            key={field.key}
            field={field}
            draft={all[field.key] ?? ''}
            error={
              isChecked && wrong[field.key] !== undefined ? wrongWords(field, wrong, t) : blamed[field.key]
            }
            onEdit={draft => edit(field.key, draft)}
            onDefault={() => void save({ set: {}, unset: [field.key] })}
          />
        ))}
      </div>
      {changed.some(({ restart }) => restart) && (
        <p class="notice tone-fair">{t(`form.restarts.${restarts}`)}</p>
      )}
      {isElsewhere && <Problem problem={action.problem} />}
      <div class="form-foot">
        <Button kind="primary" submit busy={action.busy} disabled={changed.length === 0}>
          {t('save')}
        </Button>
        {changed.length > 0 && (
          <Button
            kind="quiet"
            onClick={() => {
              setDrafts({});
              action.clear();
            }}
          >
            {t('form.discard')}
          </Button>
        )}
      </div>
    </form>
  );
}

/** Once it is drawn as wrong. */
function focusFirstWrong(form: EventTarget | null): void {
  if (!(form instanceof HTMLElement)) return;
  requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
}

/** The daemon's refusal, at the settings that it is about. */
function blamedBy(
  problem: unknown,
  { fields, all }: { readonly fields: readonly FormField[]; readonly all: Drafts },
  { t, f, box }: Words,
): Readonly<Record<string, string>> {
  if (!(problem instanceof ApiProblem)) return {};
  const { mayBe, problem: told } = problem.details;
  const own = (english: string): string => (box === null ? english : plainText(box.phrase(english)));
  const words =
    typeof mayBe === 'string'
      ? t('form.mayBe', { mayBe: own(mayBe) })
      : own(typeof told === 'string' ? told : problem.message);
  // What a setting may be needs no code to look for.
  const coded = typeof mayBe === 'string' ? words : `${words} (${problem.code})`;
  return Object.fromEntries(
    fieldsBlamed(problem.details).map(key => {
      const field = fields.find(one => one.key === key);
      const unusable = field === undefined ? [] : unusableIn(field, String(all[key] ?? ''));
      const what = f.list(unusable.map(one => (/\s/u.test(one) ? t('form.space') : one)));
      return [key, unusable.length === 0 ? coded : t('form.unusable', { what, mayBe: words })];
    }),
  );
}

function wrongWords(field: FormField, wrong: Readonly<Record<string, string>>, t: Say): string {
  switch (wrong[field.key]) {
    case 'range':
      return rangeWords(field, t);
    case 'length':
      return t('form.length', { most: field.maxLength ?? 0 });
    case 'many':
      return t('form.many', { most: field.maxItems ?? 0 });
    default:
      return wrong[field.key] === 'whole' ? t('form.whole') : t('form.number');
  }
}

export function rangeWords({ min, max }: FormField, t: Say): string {
  if (min !== null && max !== null) return t('form.range', { min, max });
  return max === null ? t('form.least', { min: min ?? 0 }) : t('form.most', { max });
}
