// How a box is reached, in words: never by colour alone.
import type { JSX } from 'preact';
import { relayOf, toneOf } from '../pure/peers.ts';
import type { Path, Peer } from '../pure/wire.ts';
import { useWords, type Say } from '../state/language.ts';
import { State } from './basics.tsx';

const TRANSPORTS: Readonly<Record<string, string>> = {
  udp: 'UDP',
  tcp: 'TCP',
  'relay-tcp': 'TCP',
  webrtc: 'WebRTC',
};

export function PeerState({ peer }: { readonly peer: Peer }): JSX.Element {
  const { t } = useWords();
  return <State tone={toneOf(peer.state)}>{t(`peer.${peer.state}`)}</State>;
}

/** The state, and by which way: `Direct, UDP`. */
export function PeerWay({ peer }: { readonly peer: Peer }): JSX.Element {
  const { t } = useWords();
  if (peer.path === null) return <PeerState peer={peer} />;
  const words = pathWords(peer.path, t);
  return <State tone={toneOf(peer.state)}>{words.charAt(0).toUpperCase() + words.slice(1)}</State>;
}

export const transportWords = (transport: string): string => TRANSPORTS[transport] ?? transport;

const LABEL = /^(LAN|direct|TURN|relay|via) (.+)$/;

/** A path by its label alone: `direct UDP`, `via office-vps`; empty: none. */
export function labelWords(label: string, t: Say): string {
  const [, how, what = ''] = LABEL.exec(label) ?? [];
  if (label === '') return t('label.none');
  if (how === 'via') return t('path.relay', { relay: what });
  if (how === 'TURN') return t('path.turn');
  return how === 'LAN' || how === 'direct'
    ? t(how === 'LAN' ? 'path.lan' : 'path.direct', { transport: what })
    : label;
}

/** How it became known. */
export function foundWords(foundBy: string, t: Say): string {
  const known = FOUND.find(one => one === foundBy);
  return known === undefined ? foundBy : t(`found.${known}`);
}

const FOUND = [
  ...(['host', 'reflexive', 'mapped', 'configured', 'peer-reflexive', 'roaming', 'predict'] as const),
  ...(['birthday', 'tcp', 'relay', 'last good', 'the server says'] as const),
];

/** `direct, UDP`; `through office-vps`. */
export function pathWords(path: Path, t: Say): string {
  const transport = transportWords(path.transport);
  if (path.class === 'turn') return t('path.turn');
  if (path.class === 'relay') {
    const relay = relayOf({ path }) ?? '';
    return relay === '' ? path.label : t('path.relay', { relay });
  }
  return t(`path.${path.class}`, { transport });
}
