// Questions to the daemon. What goes wrong becomes one kind of error, with the code and the words that the daemon gave.
import { jsonLines } from '../pure/ndjson.ts';
import type { ErrorAnswer } from '../pure/wire.ts';
import { sessionEnded } from './session.ts';

export class ApiProblem extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor({ code, message, details = {} }: ErrorAnswer) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** The box did not answer at all: words are found where it is shown. */
export const UNREACHED = 'PAGE_UNREACHED';

export const get = <T>(path: string): Promise<T> => asked<T>(path, { method: 'GET' });

export const post = <T>(path: string, body: object = {}): Promise<T> =>
  asked<T>(path, { method: 'POST', ...json(body) });

/** Each line of the answer; an error among them is thrown. */
export async function* stream<T>(path: string, body: object, signal: AbortSignal): AsyncGenerator<T> {
  const answer = await reached(path, { method: 'POST', signal, ...json(body) });
  if (answer.body === null) return;
  for await (const line of jsonLines(piecesOf(answer.body))) {
    if (isError(line)) throw new ApiProblem(line);
    yield line as T;
  }
}

async function asked<T>(path: string, request: RequestInit): Promise<T> {
  const answer = await reached(path, request);
  return (await answer.json()) as T;
}

async function reached(path: string, request: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...request, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (request.signal?.aborted === true) throw error;
    throw new ApiProblem({ code: UNREACHED, message: '' });
  }
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  // Before signing in, these are answers about the password itself.
  if (answer.status === 401 && !path.startsWith('/v1/page/sign-in')) sessionEnded();
  throw problem;
}

async function problemOf(answer: Response): Promise<ApiProblem> {
  try {
    return new ApiProblem((await answer.json()) as ErrorAnswer);
  } catch {
    return new ApiProblem({ code: `HTTP_${answer.status}`, message: answer.statusText });
  }
}

const json = (body: object): RequestInit => ({
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

/** Not every browser lets a stream be looped over. */
async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

const isError = (line: unknown): line is ErrorAnswer =>
  typeof line === 'object' && line !== null && 'type' in line && line.type === 'error';
