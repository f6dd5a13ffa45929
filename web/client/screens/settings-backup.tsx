// The whole box as one sealed file, and back again.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { BackupPart, Live, MadeBackup, Restored } from '../pure/wire.ts';
import { useAction } from '../state/action.ts';
import { post } from '../state/api.ts';
import { download, fileName } from '../state/files.ts';
import { useWords, type Words } from '../state/language.ts';
import { go } from '../state/router.ts';
import { askSession, beforeSignIn } from '../state/session.ts';
import { Button, Card, Problem } from '../parts/basics.tsx';
import { Field } from '../parts/field.tsx';
import { FileField } from '../parts/file-field.tsx';
import { BoxPhrase } from '../parts/pieces.tsx';
import { LEAST, useTwice } from '../parts/twice.tsx';

export function BackupSettings({ now }: { readonly now: Live }): JSX.Element {
  const isEmpty = (now.node?.network ?? '') === '' && (now.server === null || now.server.network === '');
  return (
    <div class="halves">
      <Make />
      <Restore isEmpty={isEmpty} />
    </div>
  );
}

const partsWords = (parts: readonly BackupPart[], { t, f }: Words): string =>
  f.list(parts.map(({ part, count }) => t(`backup.part.${part}`, { count })));

function Make(): JSX.Element {
  const words = useWords();
  const { t } = words;
  const passphrase = useTwice({
    label: t('backup.passphrase'),
    again: t('backup.again'),
    hint: t('backup.passphraseHint'),
    least: LEAST.backup,
  });
  const [made, setMade] = useState<MadeBackup | null>(null);
  const action = useAction();
  const make = async (): Promise<void> => {
    const backup = await post<MadeBackup>('/v1/backup', { passphrase: passphrase.value });
    download(`${fileName(backup.name, backup.made)}.ginnel-backup`, backup.file);
    setMade(backup);
    passphrase.clear();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (passphrase.check()) void action.run(make);
  };
  return (
    <Card title={t('backup.title')}>
      <p>{t('backup.what')}</p>
      <form class="stack" onSubmit={submit}>
        {passphrase.fields}
        <Problem problem={action.problem} />
        <div class="form-foot">
          <Button kind="primary" submit busy={action.busy} icon="download">
            {t('backup.do')}
          </Button>
        </div>
        <div role="status">
          {made !== null && (
            <p class="notice tone-good">
              {t('backup.done', { name: made.name, parts: partsWords(made.parts, words) })}
            </p>
          )}
        </div>
      </form>
    </Card>
  );
}

function Restore({ isEmpty }: { readonly isEmpty: boolean }): JSX.Element {
  const words = useWords();
  const { t } = words;
  const [file, setFile] = useState<File | null>(null);
  const [passphrase, setPassphrase] = useState('');
  const [done, setDone] = useState<Restored | null>(null);
  const action = useAction();
  const restore = async (): Promise<void> => {
    if (file === null) return;
    const restored = await post<Restored>('/v1/restore', { file: await file.text(), passphrase });
    const told = t('restore.done', { name: restored.name, parts: partsWords(restored.parts, words) });
    beforeSignIn.set([told, ...restored.notes].join(' '));
    setDone(restored);
  };
  if (done !== null) return <RestoredWords done={done} />;
  return (
    <Card title={t('restore.title')}>
      <p>{t('restore.what')}</p>
      {isEmpty ? (
        <form class="stack" onSubmit={event => (event.preventDefault(), void action.run(restore))}>
          <FileField label={t('restore.file')} file={file} onPick={setFile} />
          <Field
            label={t('backup.passphrase')}
            type="password"
            autocomplete="off"
            value={passphrase}
            onInput={setPassphrase}
            required
          />
          <Problem problem={action.problem} />
          <div class="form-foot">
            <Button kind="primary" submit busy={action.busy} disabled={file === null}>
              {t('restore.do')}
            </Button>
          </div>
        </form>
      ) : (
        <p class="notice tone-quiet">{t('restore.notEmpty')}</p>
      )}
    </Card>
  );
}

function RestoredWords({ done }: { readonly done: Restored }): JSX.Element {
  const words = useWords();
  const { t } = words;
  return (
    <Card title={t('restore.title')}>
      <div class="notice tone-good" role="status">
        <div>
          <p>{t('restore.done', { name: done.name, parts: partsWords(done.parts, words) })}</p>
          {done.notes.map(note => (
            <p key={note}>
              <BoxPhrase>{note}</BoxPhrase>
            </p>
          ))}
        </div>
      </div>
      <div class="row">
        <Button kind="primary" onClick={() => (go(), void askSession())}>
          {t('restore.go')}
        </Button>
      </div>
    </Card>
  );
}
