// Answers that come line by line (NDJSON): bytes in whatever pieces the network makes of them, one value a line out.

/** A line longer than this is no answer of ours. */
const MAX_LINE = 1024 * 1024;

/** Throws a SyntaxError for a line that is no JSON, a RangeError for one without end. */
export async function* jsonLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) throw new RangeError('a line without end');
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as unknown;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield JSON.parse(rest) as unknown;
}
