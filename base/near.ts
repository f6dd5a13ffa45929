// Which of the known words a mistyped one may have meant.

const MOST = 3;
const LONGEST = 64;

/** The nearest of `known`, best first, at most three; empty where none is near. */
export function nearest(word: string, known: readonly string[]): readonly string[] {
  const wanted = word.toLowerCase().slice(0, LONGEST);
  const furthest = Math.max(1, Math.floor(wanted.length / 3));
  return known
    .map(each => ({ each, far: each.startsWith(wanted) ? 0 : distance(wanted, each.toLowerCase()) }))
    .filter(({ far }) => far <= furthest)
    .sort((a, b) => a.far - b.far)
    .slice(0, MOST)
    .map(({ each }) => each);
}

/** Letters to add, to drop, to change, or to swap with the next one (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (last[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, changed, swapped));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
