// Did the router lose its mappings? Its seconds since its start, as each answer brings them, must have gone on as ours did.

export interface EpochRead {
  readonly epochS: number;
  readonly atMs: number;
}

/** RFC 6887 8.5: `now` fits what was read before. */
export function isPcpEpochGood(before: EpochRead, now: EpochRead): boolean {
  const ours = (now.atMs - before.atMs) / 1000;
  const theirs = now.epochS - before.epochS;
  if (theirs < -1) return false;
  return ours + 2 >= theirs - theirs / 16 && theirs + 2 >= ours - ours / 16;
}

/** RFC 6886 3.6: clocks that go slow by an eighth are let pass. */
export function isNatPmpEpochGood(before: EpochRead, now: EpochRead): boolean {
  const ours = (now.atMs - before.atMs) / 1000;
  return now.epochS >= before.epochS + (ours * 7) / 8 - 2;
}
