// A window over the page, by the browser's own <dialog>: it keeps the keyboard inside and gives it back at the end.
import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import type { Action } from '../state/action.ts';
import { useWords } from '../state/language.ts';
import { Button, Problem } from './basics.tsx';
import { Icon } from './icon.tsx';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Stands as long as it is drawn. */
export function Dialog({ title, onClose, children }: DialogProps): JSX.Element {
  const { t } = useWords();
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = box.current;
    const opener = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      // A window that is taken out of the page gives nothing back by itself.
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      aria-labelledby={id}
      onCancel={event => {
        event.preventDefault();
        onClose();
      }}
    >
      <div class="card-head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="icon-button" aria-label={t('close')} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </dialog>
  );
}

export interface ConfirmProps {
  readonly title: string;
  readonly words: ComponentChildren;
  readonly doIt: string;
  readonly action: Action;
  readonly onDo: () => void;
  readonly onClose: () => void;
}

/** Before what cannot be taken back. */
export function Confirm({ title, words, doIt, action, onDo, onClose }: ConfirmProps): JSX.Element {
  const { t } = useWords();
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{words}</p>
      <Problem problem={action.problem} />
      <div class="row row-end">
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button kind="danger" busy={action.busy} onClick={onDo}>
          {doIt}
        </Button>
      </div>
    </Dialog>
  );
}
