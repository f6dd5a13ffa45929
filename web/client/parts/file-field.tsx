// A file from this device, named once it is picked.
import type { JSX } from 'preact';
import { useWords } from '../state/language.ts';

interface FileFieldProps {
  readonly label: string;
  readonly file: File | null;
  readonly onPick: (file: File | null) => void;
}

export function FileField({ label, file, onPick }: FileFieldProps): JSX.Element {
  const { t } = useWords();
  return (
    <div class="field">
      <span class="strong">{label}</span>
      <div class="row">
        <label class="button button-plain">
          <span>{t('file.pick')}</span>
          <input
            type="file"
            class="offscreen"
            aria-label={label}
            onChange={event => onPick(event.currentTarget.files?.[0] ?? null)}
          />
        </label>
        <span class="hint">{file === null ? t('file.none') : file.name}</span>
      </div>
    </div>
  );
}
