// Certificates as a way in: whose are trusted, which were issued here, and making, trusting, revoking them.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Certificates, IssuedCertificate } from '../pure/wire-server.ts';
import { useAction, useLoad, type Action } from '../state/action.ts';
import { get, post } from '../state/api.ts';
import { download, fileName } from '../state/files.ts';
import { useWords } from '../state/language.ts';
import { Badge, Button, Card, Problem, Shown } from './basics.tsx';
import { Confirm, Dialog } from './dialog.tsx';
import { Field } from './field.tsx';

type Open =
  | { readonly kind: 'issue' | 'trust' }
  | { readonly kind: 'revoke' | 'untrust'; readonly id: string; readonly name: string };

export function CertificatesCard(): JSX.Element {
  const { t } = useWords();
  const loaded = useLoad(() => get<Certificates>('/v1/server/certificates'));
  const [open, setOpen] = useState<Open | null>(null);
  const action = useAction();
  const done = (): void => {
    setOpen(null);
    action.clear();
    loaded.reload();
  };
  const order = (path: string): void =>
    void action
      .run(() => post(path))
      .then(isDone => {
        if (isDone) done();
      });
  return (
    <Card
      title={t('certificates.title')}
      actions={
        <>
          <Button onClick={() => setOpen({ kind: 'trust' })}>{t('certificates.trust')}</Button>
          <Button icon="plus" onClick={() => setOpen({ kind: 'issue' })}>
            {t('certificates.issue')}
          </Button>
        </>
      }
    >
      <p class="hint">{t('certificates.what')}</p>
      <Shown loaded={loaded}>{certificates => <Lists certificates={certificates} onOpen={setOpen} />}</Shown>
      {open?.kind === 'issue' && <Issue onClose={done} />}
      {open?.kind === 'trust' && <Trust action={action} onClose={done} />}
      {open !== null && 'id' in open && (
        <Confirm
          title={t(`certificates.${open.kind}.of`, { name: open.name })}
          words={t(`certificates.${open.kind}.words`)}
          doIt={t(`certificates.${open.kind}`)}
          action={action}
          onDo={() =>
            order(
              open.kind === 'revoke'
                ? `/v1/server/certificates/${encodeURIComponent(open.id)}/revoke`
                : `/v1/server/certificates/authorities/${encodeURIComponent(open.id)}/untrust`,
            )
          }
          onClose={done}
        />
      )}
    </Card>
  );
}

interface ListsProps {
  readonly certificates: Certificates;
  readonly onOpen: (open: Open) => void;
}

const TONES = { open: 'good', used: 'good', expired: 'quiet', revoked: 'bad' } as const;

function Lists({ certificates: { authorities, issued }, onOpen }: ListsProps): JSX.Element {
  const { t, f } = useWords();
  if (authorities.length + issued.length === 0) return <p class="hint">{t('certificates.none')}</p>;
  return (
    <>
      <ul class="items">
        {authorities.map(({ id, subject, own, expires, fingerprint }) => (
          <li key={id}>
            <div>
              <p class="strong row">
                {subject} <Badge>{t(own ? 'certificates.own' : 'certificates.trusted')}</Badge>
              </p>
              <p class="hint">
                {t('invites.until', { when: f.date(expires) })} ·{' '}
                <span class="mono">{fingerprint.slice(0, 16)}</span>
              </p>
            </div>
            <Button kind="danger" onClick={() => onOpen({ kind: 'untrust', id, name: subject })}>
              {t('certificates.untrust')}
            </Button>
          </li>
        ))}
        {issued.map(({ serial, name, expires, state, usedBy }) => (
          <li key={serial}>
            <div>
              <p class="strong row">
                {name}{' '}
                <Badge tone={TONES[state]}>
                  {t(state === 'used' ? 'certificates.used' : `invites.${state}`)}
                </Badge>
              </p>
              <p class="hint">
                {t('invites.until', { when: f.date(expires) })} · <span class="mono">{serial}</span>
                {usedBy !== '' && ` · ${t('certificates.usedBy', { name: usedBy })}`}
              </p>
            </div>
            {(state === 'open' || state === 'used') && (
              <Button kind="danger" onClick={() => onOpen({ kind: 'revoke', id: serial, name })}>
                {t('certificates.revoke')}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Issue({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { t } = useWords();
  const [name, setName] = useState('');
  const action = useAction();
  const issue = async (): Promise<void> => {
    const made = await post<IssuedCertificate>('/v1/server/certificates/issue', { name: name.trim() });
    download(
      `${fileName(made.name, Date.now())}.pem`,
      `${made.certificate}${made.key}`,
      'application/x-pem-file',
    );
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void action.run(issue).then(isDone => {
      if (isDone) onClose();
    });
  };
  return (
    <Dialog title={t('certificates.issue')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p class="hint">{t('certificates.issueWords')}</p>
        <Field label={t('certificates.name')} value={name} onInput={setName} maxLength={63} required />
        <Problem problem={action.problem} />
        <div class="row row-end">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button kind="primary" submit busy={action.busy} icon="download">
            {t('certificates.issueDo')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Trust({ action, onClose }: { readonly action: Action; readonly onClose: () => void }): JSX.Element {
  const { t } = useWords();
  const [certificate, setCertificate] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    void action
      .run(() => post('/v1/server/certificates/trust', { certificate }))
      .then(isDone => {
        if (isDone) onClose();
      });
  };
  return (
    <Dialog title={t('certificates.trust')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p class="hint">{t('certificates.trustWords')}</p>
        <Field
          label={t('certificates.pem')}
          value={certificate}
          onInput={setCertificate}
          placeholder="-----BEGIN CERTIFICATE-----"
          rows={6}
          maxLength={16384}
          required
          mono
        />
        <Problem problem={action.problem} />
        <div class="row row-end">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button kind="primary" submit busy={action.busy}>
            {t('certificates.trust')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
