// A screen's heading, which is also the window's title; it takes the keyboard when the screen is come to.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface TitleProps {
  readonly children: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly back?: ComponentChildren;
}

/** Not at the very first screen: there a reader starts at the top. */
let isFirst = true;

export function Title({ children, actions, back }: TitleProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, []);
  useEffect(() => {
    document.title = `${heading.current?.textContent ?? ''} · Ginnel`;
  });
  return (
    <div class="title">
      {back}
      <div class="row row-ends">
        <h1 ref={heading} tabIndex={-1}>
          {children}
        </h1>
        {actions !== undefined && <div class="row">{actions}</div>}
      </div>
    </div>
  );
}
