// Events as they come: one JSON object a line (NDJSON), ended when the asker hangs up.
import { Readable } from 'node:stream';
import { GinnelError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { errorAnswer } from './answers.ts';

/**
 * Waits for the first event, so that an unknown peer is still an ordinary error answer; what fails later becomes
 * a last line `{ "type": "error", … }`.
 */
export async function eventStream(events: AsyncIterable<object>, log: Log): Promise<Readable> {
  const iterator = events[Symbol.asyncIterator]();
  const first = await iterator.next();
  return Readable.from(lines(first, iterator, log), { objectMode: false });
}

async function* lines(
  first: IteratorResult<object>,
  iterator: AsyncIterator<object>,
  log: Log,
): AsyncGenerator<Buffer, void> {
  try {
    for (let next = first; next.done !== true; next = await iterator.next()) yield line(next.value);
  } catch (error) {
    if (error instanceof GinnelError) yield line({ type: 'error', ...errorAnswer(error) });
    else throw error;
  } finally {
    await iterator
      .return?.()
      .catch((error: unknown) =>
        log.debug('a stream of events did not end cleanly', { error: String(error) }),
      );
  }
}

const line = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
