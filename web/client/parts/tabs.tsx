// The parts of a large screen, each with an address of its own.
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

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
  useLayoutEffect(() => {
    // On a phone they are wider than the screen: the one that is shown stands in the middle.
    const nav = bar.current;
    const tab = nav?.querySelector<HTMLElement>('[aria-current]');
    if (nav && tab) nav.scrollLeft = tab.offsetLeft - (nav.clientWidth - tab.offsetWidth) / 2;
  }, [here]);
  return (
    <nav ref={bar} class="tabs" aria-label={label}>
      {tabs.map(tab => (
        <a key={tab.id} href={tab.href} aria-current={tab.id === here ? 'page' : undefined}>
          {tab.label}
          {(tab.count ?? 0) > 0 && <span class="count">{tab.count}</span>}
        </a>
      ))}
    </nav>
  );
}
