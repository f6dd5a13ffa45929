// This box in one sentence, with a dot whose colour says the same.
import type { ComponentChildren, JSX } from 'preact';
import { counted, type Tone } from '../pure/peers.ts';
import type { NodeStatus, Peer } from '../pure/wire.ts';
import { BoxPhrase } from './pieces.tsx';
import { useWords, type Say } from '../state/language.ts';
import { State } from './basics.tsx';

const BY_SERVER = {
  connected: ['good', 'box.in'],
  connecting: ['fair', 'box.connecting'],
  waiting: ['fair', 'box.waiting'],
  away: ['fair', 'box.serverAway'],
  refused: ['bad', 'box.refused'],
  stopped: ['fair', 'box.connecting'],
} as const;

export function Sentence({ node }: { readonly node: NodeStatus }): JSX.Element {
  const { t } = useWords();
  const [tone, key] = stateOf(node);
  return <State tone={tone}>{t(key, { name: node.name === '' ? t('box.this') : node.name })}</State>;
}

function stateOf(node: NodeStatus) {
  if (node.state === 'down') return ['quiet' as Tone, 'box.down'] as const;
  return node.state === 'starting'
    ? (['fair' as Tone, 'box.starting'] as const)
    : BY_SERVER[node.server.state];
}

/** `5 direct · 1 offline`: what there is none of is not told. */
export function countWords(peers: readonly Peer[], t: Say): string {
  const counts = counted(peers);
  return (['direct', 'relayed', 'other', 'offline'] as const)
    .filter(kind => counts[kind] > 0)
    .map(kind => t(`peers.${kind}`, { count: counts[kind] }))
    .join(' · ');
}

/** How it stands with the others. */
export function summaryOf(node: NodeStatus, t: Say): ComponentChildren {
  if (node.state === 'down') return t('box.downWords');
  if (node.server.state === 'waiting') return t('box.waitingWords');
  if (node.server.state === 'refused') return <BoxPhrase>{node.server.reason}</BoxPhrase>;
  if (node.peers.length === 0) return t('peers.none');
  return countWords(node.peers, t);
}
