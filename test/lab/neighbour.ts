// Another user behind the same router: foreign mappings while two boxes measure and punch, and a witness of whether new
// connections still work there.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endOf } from './place.ts';
import type { Place } from './place.ts';
import type { Lab } from './topology.ts';

/** Goes nowhere, without a word. */
const NOWHERE = '198.18.0.0/15';

/** From then on `startForeign` has somewhere to send to. */
export async function openNowhere(lab: Lab): Promise<void> {
  await lab.core.exec(`ip route replace blackhole ${NOWHERE}`);
}

/**
 * A datagram from a new socket to a new address, so many times a second on the average, at uneven times. A shell that
 * waits without starting a process each time: a lab has many of these.
 */
export function startForeign(place: Place, perSecond: number): ChildProcess {
  const mostMs = Math.round(2000 / perSecond);
  const line = `
    exec 3<> <(:)
    while :; do
      echo >/dev/udp/198.$((18 + RANDOM % 2)).$((RANDOM % 256)).$((RANDOM % 256))/$((1024 + RANDOM))
      printf -v pause '%d.%03d' $((RANDOM % ${mostMs} / 1000)) $((RANDOM % ${mostMs} % 1000))
      read -t $pause -u 3
    done`;
  return place.spawn('bash', ['-c', line], { stdio: 'ignore' });
}

/** One new connection of another user. */
export interface Tried {
  /** When it began, in ms since 1970. */
  readonly at: number;
  readonly ms: number;
  readonly worked: boolean;
}

/** Opens a new TCP connection every so often, each for itself, and says how each went. */
export class Witness {
  readonly tried: Tried[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new TypeError('no standard output');
    createInterface({ input: child.stdout }).on('line', line => this.tried.push(JSON.parse(line) as Tried));
  }

  /** `to`: `203.0.113.1:9000`, where somebody takes connections. */
  static start(place: Place, to: string, everyMs: number): Witness {
    const program = fileURLToPath(new URL('./newcomer.js', import.meta.url));
    return new Witness(
      place.spawn(process.execPath, [program, to, String(everyMs)], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await endOf(this.#child);
  }
}
