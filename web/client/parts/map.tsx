// The map of boxes as a live picture. It is painted when something happened, and stands still otherwise; the table beside
// it tells the same in words.
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { layoutOf, type MapNode } from '../pure/layout.ts';
import { counted } from '../pure/peers.ts';
import type { Live, Peer } from '../pure/wire.ts';
import { useWords } from '../state/language.ts';
import { go } from '../state/router.ts';
import { useStore } from '../state/store.ts';
import { colours } from '../state/theme.ts';
import { Icon } from './icon.tsx';
import { MapTip } from './map-tip.tsx';
import { paint, pointOf, type Colours, type Picture, type View } from './map-paint.ts';

const MOVE_MS = 450;
const NEAR_PX = 14;
const NO_ZOOM = { scale: 1, panX: 0, panY: 0 };
const MOST_ZOOM = 8;

export interface MapProps {
  readonly selfName: string;
  readonly peers: readonly Peer[];
  readonly rates: Live['rates'];
  readonly found: ReadonlySet<string> | null;
}

export function Map({ selfName, peers, rates, found }: MapProps): JSX.Element {
  const { t, f } = useWords();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [zoom, setZoom] = useState(NO_ZOOM);
  const [hovered, setHovered] = useState<string | null>(null);
  const drag = useRef<{ readonly x: number; readonly y: number; moved: boolean } | null>(null);
  const shownColours = useStore(colours);
  const nodes = layoutOf(peers, rates);
  const view = { ...size, ...zoom };
  useSize(canvas, setSize);
  usePainting(canvas, shownColours, {
    ...{ nodes, selfName, view, hovered, found },
    ringWords: ms => f.ms(ms),
    nodeWords: node =>
      node.rttMs === null ? (node.isHelper ? '' : t(`peer.${node.state}`)) : f.ms(node.rttMs),
  });
  const zoomBy = (factor: number): void =>
    setZoom(now => {
      const scale = Math.min(MOST_ZOOM, Math.max(1, now.scale * factor));
      const ratio = scale === 1 ? 0 : scale / now.scale;
      return { scale, panX: now.panX * ratio, panY: now.panY * ratio };
    });
  const at = (event: PointerEvent): MapNode | null => nearest(nodes, view, event.offsetX, event.offsetY);
  const move = (event: PointerEvent): void => {
    const from = drag.current;
    if (from === null) {
      setHovered(at(event)?.id ?? null);
      return;
    }
    const [dx, dy] = [event.offsetX - from.x, event.offsetY - from.y];
    if (!from.moved && Math.hypot(dx, dy) < 4) return;
    drag.current = { x: event.offsetX, y: event.offsetY, moved: true };
    if (zoom.scale > 1) setZoom(now => ({ ...now, panX: now.panX + dx, panY: now.panY + dy }));
  };
  const release = (event: PointerEvent): void => {
    const picked = drag.current?.moved === false ? at(event) : null;
    drag.current = null;
    if (picked !== null && !picked.isHelper) go('peers', picked.id);
  };
  const counts = counted(peers);
  const tip = nodes.find(({ id }) => id === hovered);
  return (
    <div class="map">
      <canvas
        ref={canvas}
        role="img"
        aria-label={t('map.label', { ...counts, name: selfName })}
        class={hovered === null ? '' : 'is-over'}
        onPointerDown={event => {
          drag.current = { x: event.offsetX, y: event.offsetY, moved: false };
        }}
        onPointerMove={move}
        onPointerUp={release}
        onPointerLeave={() => {
          drag.current = null;
          setHovered(null);
        }}
        onWheel={event => {
          if (!event.ctrlKey) return;
          event.preventDefault();
          zoomBy(event.deltaY < 0 ? 1.25 : 0.8);
        }}
      />
      {tip !== undefined && !tip.isHelper && (
        <MapTip
          node={tip}
          peer={peers.find(({ id }) => id === tip.id)}
          at={pointOf(tip, view)}
          width={size.width}
        />
      )}
      <div class="map-zoom">
        <button type="button" class="icon-button" aria-label={t('map.closer')} onClick={() => zoomBy(1.5)}>
          <Icon name="plus" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={t('map.farther')}
          disabled={zoom.scale === 1}
          onClick={() => zoomBy(1 / 1.5)}
        >
          <Icon name="minus" />
        </button>
      </div>
    </div>
  );
}

function useSize(
  canvas: { readonly current: HTMLCanvasElement | null },
  set: (size: { width: number; height: number }) => void,
): void {
  useLayoutEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const measure = (): void => set({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
}

type Painted = Omit<Picture, 'colours'>;

/** Boxes glide to new places, unless their reader wants nothing to move. */
function usePainting(
  canvas: { readonly current: HTMLCanvasElement | null },
  shownColours: string,
  picture: Painted,
): void {
  const shown = useRef<ReadonlyMap<string, { x: number; y: number }>>(new globalThis.Map());
  const { nodes, view, hovered, found } = picture;
  const places = nodes
    .map(({ id, x, y, state, rate, rttMs }) => `${id} ${x} ${y} ${state} ${rate} ${rttMs}`)
    .join();
  const look = `${view.width} ${view.height} ${view.scale} ${view.panX} ${view.panY} ${hovered} ${found?.size}`;
  useLayoutEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || view.width === 0) return undefined;
    fit(element, context, view);
    const colours = coloursOf(element);
    const from = shown.current;
    const isMoving = nodes.some(node => {
      const before = from.get(node.id);
      return before !== undefined && (before.x !== node.x || before.y !== node.y);
    });
    const moves = isMoving && !matchMedia('(prefers-reduced-motion: reduce)').matches;
    const start = performance.now();
    let frame = 0;
    const step = (): void => {
      const share = moves ? eased(Math.min(1, (performance.now() - start) / MOVE_MS)) : 1;
      const between = share === 1 ? nodes : nodes.map(node => moved(node, from.get(node.id), share));
      shown.current = new globalThis.Map(between.map(({ id, x, y }) => [id, { x, y }]));
      paint(context, { ...picture, nodes: between, colours });
      if (share < 1) frame = requestAnimationFrame(step);
    };
    step();
    return () => cancelAnimationFrame(frame);
  }, [places, look, shownColours, picture.ringWords(1), picture.selfName, found]);
}

const eased = (share: number): number => 1 - (1 - share) ** 3;

const moved = (node: MapNode, from: { x: number; y: number } | undefined, share: number): MapNode =>
  from === undefined
    ? node
    : { ...node, x: from.x + (node.x - from.x) * share, y: from.y + (node.y - from.y) * share };

function fit(element: HTMLCanvasElement, context: CanvasRenderingContext2D, { width, height }: View): void {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (element.width !== w || element.height !== h) {
    element.width = w;
    element.height = h;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ text: of('text'), muted: of('muted'), line: of('line'), card: of('card'), accent: of('accent') },
    ...{ good: of('good'), fair: of('fair'), bad: of('bad'), quiet: of('quiet'), font: style.fontFamily },
  };
}

function nearest(nodes: readonly MapNode[], view: View, x: number, y: number): MapNode | null {
  let best: MapNode | null = null;
  let least = NEAR_PX;
  for (const node of nodes) {
    const point = pointOf(node, view);
    const distance = Math.hypot(point.x - x, point.y - y);
    if (distance < least) [best, least] = [node, distance];
  }
  return best;
}
