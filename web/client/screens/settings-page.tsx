// The page's own settings: the password, who is signed in, and how the page is read in this browser.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Certificate, SignedIn } from '../pure/wire.ts';
import { useAction, useLoad } from '../state/action.ts';
import { announce } from '../state/announce.ts';
import { get, post } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { moved } from '../state/moved.ts';
import { Badge, Button, Card, Facts, Problem, Shown } from '../parts/basics.tsx';
import { Field } from '../parts/field.tsx';
import { LanguageChoice, ThemeChoice } from '../parts/taste.tsx';
import { LEAST, useTwice } from '../parts/twice.tsx';

export function PageSettings(): JSX.Element {
  const { t } = useWords();
  return (
    <div class="halves">
      <div class="stack">
        <Password />
        <Card title={t('taste.title')}>
          <p class="hint">{t('taste.words')}</p>
          <div class="row">
            <LanguageChoice />
            <ThemeChoice />
          </div>
        </Card>
      </div>
      <div class="stack">
        <Sessions />
        <Encryption />
      </div>
    </div>
  );
}

interface CertificateAnswer {
  readonly certificate: Certificate | null;
}

const TURNS_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 500;

/** Here, and through a tunnel that ends here, the page stays as it is. */
function isOnTheBox(): boolean {
  const { hostname } = location;
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

const getCertificate = (): Promise<CertificateAnswer> => get<CertificateAnswer>('/v1/page/certificate');

/** Once the box has done it; the page is away for a moment meanwhile. */
async function turned(isTls: boolean): Promise<CertificateAnswer | null> {
  for (let waited = 0; waited < TURNS_WITHIN_MS; waited += LOOK_EVERY_MS) {
    await new Promise(resolve => window.setTimeout(resolve, LOOK_EVERY_MS));
    const answer = await getCertificate().catch(() => null);
    if (answer !== null && (answer.certificate !== null) === isTls) return answer;
  }
  return null;
}

function Encryption(): JSX.Element {
  const { t, f } = useWords();
  const loaded = useLoad(getCertificate);
  const action = useAction();
  const turn = (isTls: boolean): void =>
    void action.run(async () => {
      await post('/v1/settings', { set: { 'page-tls': isTls } });
      if (!isOnTheBox()) {
        moved.set({ isTls, address: `http${isTls ? 's' : ''}://${location.host}/${location.hash}` });
        return;
      }
      const answer = await turned(isTls);
      if (answer === null) loaded.reload();
      else loaded.set(answer);
    });
  return (
    <Card title={t('tls.title')}>
      <Shown loaded={loaded}>
        {({ certificate }) => (
          <>
            <p class="hint">{t(certificate === null ? 'tls.off' : 'tls.on')}</p>
            {certificate !== null && (
              <Facts
                facts={[
                  { name: t('tls.fingerprint'), value: <Fingerprint text={certificate.fingerprint} /> },
                  { name: t('tls.until'), value: f.date(certificate.until) },
                ]}
              />
            )}
            <p class="hint">{t(certificate === null ? 'tls.offTrusted' : 'tls.compare')}</p>
            {certificate !== null && isOnTheBox() && <p class="hint">{t('tls.here')}</p>}
            <Problem problem={action.problem} />
            <div class="form-foot">
              <Button busy={action.busy} onClick={() => turn(certificate === null)}>
                {t(certificate === null ? 'tls.turnOn' : 'tls.turnOff')}
              </Button>
            </div>
          </>
        )}
      </Shown>
    </Card>
  );
}

/** May break after each colon: it is longer than a phone is wide. */
const Fingerprint = ({ text }: { readonly text: string }): JSX.Element => (
  <span class="code">{text.replaceAll(':', ':\u200b')}</span>
);

function Password(): JSX.Element {
  const { t } = useWords();
  const [old, setOld] = useState('');
  const next = useTwice({
    label: t('password.new'),
    again: t('password.again'),
    hint: t('password.hint'),
    least: LEAST.page,
  });
  const action = useAction();
  const change = async (): Promise<void> => {
    await post('/v1/page/password', { old, new: next.value });
    setOld('');
    next.clear();
    announce(t('password.changed'));
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (next.check()) void action.run(change);
  };
  return (
    <Card title={t('password')}>
      <p class="hint">{t('password.changeWords')}</p>
      <form class="stack" onSubmit={submit}>
        <input type="text" value="owner" autocomplete="username" hidden readonly />
        <Field
          label={t('password.old')}
          type="password"
          autocomplete="current-password"
          value={old}
          onInput={setOld}
          required
        />
        {next.fields}
        <Problem problem={action.problem} />
        <div class="form-foot">
          <Button kind="primary" submit busy={action.busy}>
            {t('password.change')}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Sessions(): JSX.Element {
  const { t, f } = useWords();
  const loaded = useLoad(() => get<{ readonly sessions: readonly SignedIn[] }>('/v1/page/sessions'));
  const action = useAction();
  const end = (id: string): void =>
    void action.run(async () => {
      await post(`/v1/page/sessions/${encodeURIComponent(id)}/end`);
      loaded.reload();
    });
  return (
    <Card title={t('sessions.title')}>
      <Problem problem={action.problem} />
      <Shown loaded={loaded}>
        {({ sessions }) => (
          <ul class="items">
            {sessions.map(one => (
              <li key={one.id}>
                <div>
                  <p class="strong">
                    {one.browser} {one.isThis && <Badge tone="good">{t('sessions.this')}</Badge>}
                  </p>
                  <p class="hint">
                    {one.from} · {t('sessions.since', { when: f.date(one.since) })} ·{' '}
                    {t('sessions.seen', { when: f.until(one.lastSeen, Date.now()) })}
                  </p>
                </div>
                {!one.isThis && (
                  <Button
                    busy={action.busy}
                    onClick={() => end(one.id)}
                    label={t('sessions.endOf', { what: one.browser })}
                  >
                    {t('sessions.end')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </Card>
  );
}
