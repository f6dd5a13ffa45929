// What the box says, bit by bit: what is in no other language is marked as English.
import type { JSX } from 'preact';
import type { Piece } from '../pure/box-words.ts';

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
