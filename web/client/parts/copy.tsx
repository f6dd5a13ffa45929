// Something to be taken elsewhere: text with a button that copies it, also over plain HTTP, where browsers have no clipboard.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';
import { useWords } from '../state/language.ts';
import { Address } from './address.tsx';
import { Icon } from './icon.tsx';

const SHOWN_MS = 2000;

/** `what` names it for a screen reader. */
export function Copy({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  const { t } = useWords();
  const [isDone, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    if (!(await copied(text))) return;
    setDone(true);
    announce(t('copied'));
    window.setTimeout(() => setDone(false), SHOWN_MS);
  };
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={t('copy.what', { what })}
      onClick={() => void copy()}
    >
      <Icon name={isDone ? 'check' : 'copy'} />
    </button>
  );
}

export function Copied({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  return (
    <span class="copied">
      <Address text={text} />
      <Copy text={text} what={what} />
    </span>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text);
  }
}

/** Where the page is no secure context: what is selected is copied, inside an open dialog too. */
function copiedByHand(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'offscreen';
  const before = document.activeElement;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way there is over plain HTTP
  const isDone = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return isDone;
}
