// The parts of a large screen, each with an address of its own.
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly href: string;
  /** How many there wait for somebody. */
  readonly count?: number;
}

export function Tabs({
  label,
  tabs,
  here,
}: {
  label: string;
  tabs: readonly Tab[];
  here: string;
}): JSX.Element {
  const bar = useRef<HTMLElement>(null);
  const [more, setMore] = useState('');
  const look = (): void => setMore(moreOf(bar.current));
  useLayoutEffect(() => {
    // On a phone they are wider than the screen: the one that is shown stands in the middle.
    const nav = bar.current;
    const tab = nav?.querySelector<HTMLElement>('[aria-current]');
    if (nav && tab) nav.scrollLeft = tab.offsetLeft - (nav.clientWidth - tab.offsetWidth) / 2;
    look();
    window.addEventListener('resize', look);
    return () => window.removeEventListener('resize', look);
  }, [here, label]);
  return (
    <div class="tabs-frame" data-more={more}>
      <nav ref={bar} class="tabs" aria-label={label} onScroll={look}>
        {tabs.map(tab => (
          <a key={tab.id} href={tab.href} aria-current={tab.id === here ? 'page' : undefined}>
            {tab.label}
            {(tab.count ?? 0) > 0 && <span class="count">{tab.count}</span>}
          </a>
        ))}
      </nav>
    </div>
  );
}

/** On which sides there are more than are seen: `before after`. */
function moreOf(nav: HTMLElement | null): string {
  if (nav === null) return '';
  const left = nav.scrollLeft;
  const right = nav.scrollWidth - nav.clientWidth - left;
  return [...(left > 4 ? ['before'] : []), ...(right > 4 ? ['after'] : [])].join(' ');
}
