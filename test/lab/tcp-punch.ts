// TCP simultaneous open between two homes of a lab, with a delay and a skew between the two starts.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Forecast, SignedNode } from '../../protocol/location/messages.ts';
import type { Home, Lab } from './topology.ts';

const NODE = fileURLToPath(new URL('./tcp-punch-node.js', import.meta.url));
const SERVER = fileURLToPath(new URL('./tcp-punch-server.js', import.meta.url));
export const STUN_PORTS = [7443, 7444] as const;
const PLACES = STUN_PORTS.map(port => ({ family: 4, address: '203.0.113.1', port }));

export interface PunchOutcome {
  readonly ok: boolean;
  readonly ms?: number;
  readonly heard?: string;
  readonly reason?: string;
  readonly counts: Readonly<Record<string, number>>;
}

export interface Try {
  readonly offerer: PunchOutcome;
  readonly answerer: PunchOutcome;
  readonly forecasts: readonly [Forecast, Forecast];
}

export async function startStun(lab: Lab): Promise<void> {
  lab.server.spawn(process.execPath, [SERVER, ...STUN_PORTS.map(String)], { stdio: 'inherit' });
  const asked = STUN_PORTS.map(
    port => `until (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; do sleep 0.05; done`,
  );
  await lab.server.exec(asked.join('\n'), { timeoutMs: 15_000 });
}

/** A home's process, which measures and punches. */
export class PunchEnd {
  readonly home: Home;
  readonly #child: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];
  node: SignedNode | null = null;

  private constructor(home: Home, child: ChildProcess) {
    this.home = home;
    this.#child = child;
    if (child.stdout === null) throw new TypeError('no standard output');
    createInterface({ input: child.stdout }).on('line', line => this.#waiting.shift()?.(line));
  }

  static async start(home: Home, name: string): Promise<PunchEnd> {
    const child = home.host.spawn(process.execPath, [NODE, name], { stdio: ['pipe', 'pipe', 'inherit'] });
    const end = new PunchEnd(home, child);
    end.node = ((await end.#answer()) as { node: SignedNode }).node;
    return end;
  }

  measure(): Promise<Forecast> {
    return this.#ask<Forecast>({ measure: PLACES });
  }

  punch(asked: object): Promise<PunchOutcome> {
    return this.#ask<PunchOutcome>({ punch: asked });
  }

  async #ask<T>(question: object): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    const answer = (await this.#answer()) as T & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${this.home.kind}: ${answer.error}`);
    return answer;
  }

  #answer(): Promise<unknown> {
    return new Promise(resolve => this.#waiting.push(line => resolve(JSON.parse(line))));
  }
}

export interface TryOptions {
  /** The answerer starts so much later; negative: the offerer does. */
  readonly skewMs: number;
  readonly holdBackMs: number;
  /** One full SYN to each place at once and no more: all else comes of refusals. */
  readonly withoutLow?: boolean;
}

export async function tryOnce(
  offerer: PunchEnd,
  answerer: PunchEnd,
  { skewMs, holdBackMs, withoutLow = false }: TryOptions,
): Promise<Try> {
  const forecasts = await Promise.all([offerer.measure(), answerer.measure()]);
  const [ours, theirs] = forecasts;
  const part = { holdBackMs, withoutLow };
  const outcomes = await Promise.all([
    offerer.punch({
      ...{ role: 'offerer', own: ours, theirs, peer: answerer.node, startInMs: Math.max(0, -skewMs) },
      ...part,
    }),
    answerer.punch({
      ...{ role: 'answerer', own: theirs, theirs: ours, peer: offerer.node, startInMs: Math.max(0, skewMs) },
      ...part,
    }),
  ]);
  await Promise.all([offerer, answerer].map(({ home }) => home.flushNat()));
  return { offerer: outcomes[0], answerer: outcomes[1], forecasts };
}
