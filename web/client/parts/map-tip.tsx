// What a box on the map is, while it is pointed at.
import type { JSX } from 'preact';
import type { MapNode } from '../pure/layout.ts';
import type { Peer } from '../pure/wire.ts';
import { useWords } from '../state/language.ts';
import type { Point } from './map-paint.ts';
import { PeerWay } from './path.tsx';

const WIDTH = 220;

interface TipProps {
  readonly node: MapNode;
  readonly peer: Peer | undefined;
  readonly at: Point;
  readonly width: number;
}

/** The pointer's own: whoever has none reads the same in the table. */
export function MapTip({ node, peer, at, width }: TipProps): JSX.Element | null {
  const { t, f } = useWords();
  if (peer === undefined) return null;
  const left = Math.max(8, Math.min(width - WIDTH - 8, at.x - WIDTH / 2));
  return (
    <div class="map-tip" aria-hidden="true" style={{ left: `${left}px`, top: `${at.y + 18}px` }}>
      <p class="strong">{node.name}</p>
      <p>
        <PeerWay peer={peer} />
      </p>
      <p class="hint">
        {peer.ip4}
        {node.rttMs !== null && ` · ${f.ms(node.rttMs)}`}
      </p>
      {node.rate > 0 && <p class="hint">{t('map.now', { rate: f.rate(node.rate) })}</p>}
    </div>
  );
}
