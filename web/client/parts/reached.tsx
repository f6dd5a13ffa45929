// How a box is reached and why so, what would make it better, what stands between the two, and what was tried.
import type { JSX } from 'preact';
import { transportWords } from './path.tsx';
import { Card, Shown } from './basics.tsx';
import { hashOf } from '../pure/route.ts';
import { relayOf } from '../pure/peers.ts';
import { reasonOf } from '../pure/said.ts';
import type { Peer, Said, Why } from '../pure/wire.ts';
import { useLoad } from '../state/action.ts';
import { get } from '../state/api.ts';
import { useWords, type Say, type Words } from '../state/language.ts';

export function Reached({ peer }: { readonly peer: Peer }): JSX.Element {
  const words = useWords();
  const because = becauseOf(peer, words);
  const path = `/v1/node/peers/${encodeURIComponent(peer.id)}/why`;
  const loaded = useLoad(() => get<Why>(path), `${peer.id} ${peer.state} ${peer.reason}`);
  return (
    <Card title={words.t('how.title')} id="why">
      <p>{howWords(peer, words.t)}</p>
      {because !== '' && <p>{because}</p>}
      <Shown loaded={loaded}>{why => <WhyShown peer={peer} why={why} />}</Shown>
    </Card>
  );
}

function WhyShown({ peer, why }: { readonly peer: Peer; readonly why: Why }): JSX.Element {
  const { t } = useWords();
  return (
    <>
      <h3>{t('better.title')}</h3>
      {why.advice.length === 0 ? (
        <p>{t(isLan(peer) ? 'better.lan' : `better.${peer.state}`)}</p>
      ) : (
        <Advice advice={why.advice} />
      )}
      <Sentences title={t('how.here')} of={why.here.slice(0, 1)} />
      {why.here.length > 1 && (
        <details>
          <summary>{t('how.more')}</summary>
          <SentenceList of={why.here.slice(1)} />
        </details>
      )}
      <Sentences title={t('how.there', { name: peer.name })} of={why.there} />
      <Tries tries={why.tries} />
    </>
  );
}

/** `shop-till is reached through office-vps, which cannot read what it forwards.` */
export function howWords(peer: Peer, t: Say): string {
  const { name, path } = peer;
  if (path === null)
    return t(`how.${peer.state === 'direct' || peer.state === 'relayed' ? 'trying' : peer.state}`, { name });
  const relay = relayOf({ path }) ?? '';
  return t(`how.${path.class}`, {
    name,
    transport: transportWords(path.transport),
    relay: relay || path.label,
  });
}

/** Not where the state says it already. */
function becauseOf(peer: Peer, words: Words): string {
  const { t } = words;
  const isTold = peer.reason === '' || peer.state === 'idle' || peer.state === 'offline';
  if (isTold) return '';
  // The path it names stands before it already.
  const reason = reasonOf(peer);
  const cause = reason.code === 'reason.because' ? reason.facts['why'] : undefined;
  return t('how.why', { reason: lowered(withoutFigure(typeof cause === 'object' ? cause : reason, words)) });
}

/** The round trip at which it was chosen is another by now; the diary has it. */
function withoutFigure(reason: Said, { t, said }: Words): string {
  if (reason.code === 'reason.only') return t('how.only');
  const { count } = reason.facts;
  const isBest = reason.code === 'reason.best' && (typeof count === 'number' || typeof count === 'string');
  return isBest ? t('how.best', { count }) : said(reason);
}

const lowered = (sentence: string): string =>
  /^\p{Lu}\p{Ll}/u.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence;

const isLan = ({ path, state }: Peer): boolean => state === 'direct' && path?.class === 'lan';

function Advice({ advice }: { readonly advice: readonly Said[] }): JSX.Element {
  const { t, said } = useWords();
  return (
    <ol class="advice">
      {advice.map(one => (
        <li key={one.code}>
          {said(one)}
          {placesOf(one.code, t).map(({ href, words }) => (
            <a key={href} class="advice-way" href={href}>
              {words}
            </a>
          ))}
        </li>
      ))}
    </ol>
  );
}

/** Where on this page it is done. */
function placesOf(code: string, t: Say): readonly { readonly href: string; readonly words: string }[] {
  const plugin = (name: string) => ({
    href: hashOf('plugins', name),
    words: t('better.plugin', { plugin: name }),
  });
  switch (code) {
    case 'advice.predict-here':
      return [plugin('nat-portpredict')];
    case 'advice.port':
      return [plugin('nat-portmap'), { href: hashOf('settings', 'all'), words: t('better.addresses') }];
    case 'advice.relay':
      return [{ href: hashOf('settings', 'box'), words: t('better.relay') }];
    default:
      return [];
  }
}

function Sentences({
  title,
  of,
}: {
  readonly title: string;
  readonly of: readonly Said[];
}): JSX.Element | null {
  if (of.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <SentenceList of={of} />
    </>
  );
}

function SentenceList({ of }: { readonly of: readonly Said[] }): JSX.Element {
  const { said } = useWords();
  return (
    <ul class="lines">
      {of.map(one => (
        <li key={one.code}>{said(one)}</li>
      ))}
    </ul>
  );
}

function Tries({ tries }: { readonly tries: Why['tries'] }): JSX.Element | null {
  const { t, f, said } = useWords();
  if (tries.length === 0) return null;
  return (
    <details>
      <summary>{t('tries.title', { count: tries.length })}</summary>
      <ol class="lines">
        {tries.map((one, i) => (
          <li key={i}>
            <span class="hint">{f.ago(one.secondsAgo)}</span> {said(one)}
          </li>
        ))}
      </ol>
    </details>
  );
}
