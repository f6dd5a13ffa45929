// What the box says, bit by bit: what is in no other language is marked as English.
import type { JSX } from 'preact';
import type { Piece } from '../pure/box-words.ts';
import { useWords } from '../state/language.ts';

export function Pieces({ of }: { readonly of: readonly Piece[] }): JSX.Element {
  return (
    <>
      {of.map((piece, index) =>
        typeof piece === 'string' ? (
          piece
        ) : (
          <span key={index} lang="en">
            {piece.en}
          </span>
        ),
      )}
    </>
  );
}

/** What the box says in English and without a code, in the language of the page as far as there are words for it. */
export function BoxPhrase({ children }: { readonly children: string }): JSX.Element {
  const { box } = useWords();
  return box === null ? <>{children}</> : <Pieces of={box.phrase(children)} />;
}
