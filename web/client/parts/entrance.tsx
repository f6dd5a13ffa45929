// The frame of what stands before the page itself: signing in, the first visit, a box that does not answer.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useWords } from '../state/language.ts';
import { Logo } from './icon.tsx';
import { LanguageChoice, ThemeChoice } from './taste.tsx';

const STEPS = 3;

export interface EntranceProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** Of the first visit, 1 to 3. */
  readonly step?: number;
  /** The page's own head is above it already. */
  readonly inside?: boolean;
}

export function Entrance({ title, children, step, inside = false }: EntranceProps): JSX.Element {
  const { t } = useWords();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Ginnel`;
    if (step !== undefined && step > 1) heading.current?.focus();
  }, [title]);
  const body = (
    <div class="entrance-box">
      {!inside && (
        <div class="brand">
          <Logo /> <span>Ginnel</span>
        </div>
      )}
      <div class="card">
        {step !== undefined && (
          <p class="steps">
            <span class="offscreen">{t('step', { step, steps: STEPS })}</span>
            {Array.from({ length: STEPS }, (_, i) => (
              <span key={i} class={i < step ? 'step step-done' : 'step'} aria-hidden="true" />
            ))}
          </p>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </div>
      {!inside && (
        <div class="row entrance-taste">
          <LanguageChoice />
          <ThemeChoice />
        </div>
      )}
    </div>
  );
  return inside ? <div class="entrance entrance-inside">{body}</div> : <main class="entrance">{body}</main>;
}
