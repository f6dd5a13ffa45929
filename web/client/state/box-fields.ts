// The settings of a form in the language of the page, where there are words for them.
import { plainText, type BoxWords, type SettingText } from '../pure/box-words.ts';
import { inWords, type FormField } from '../pure/form.ts';

export const boxFields = (
  box: BoxWords | null,
  fields: readonly FormField[],
  textOf: (key: string) => SettingText | null | undefined,
): readonly FormField[] =>
  fields.map(field => {
    const text = textOf(field.key);
    return box === null || !text ? field : inWords(field, text, english => plainText(box.phrase(english)));
  });

/** Of a plugin; a third party's speak for themselves, whatever they are called. */
export const pluginFields = (
  box: BoxWords | null,
  { name, thirdParty }: { readonly name: string; readonly thirdParty: boolean },
  fields: readonly FormField[],
): readonly FormField[] =>
  thirdParty ? fields : boxFields(box, fields, key => box?.plugin(name)?.settings[key]);

/** Null: there are no words but the plugin's own. */
export const pluginPurpose = (
  box: BoxWords | null,
  { name, thirdParty }: { readonly name: string; readonly thirdParty: boolean },
): string | null => (thirdParty ? null : (box?.plugin(name)?.purpose ?? null));
