// A relay's evil twin (hostile-relay.ts) in front of its door, put there and told what to do by a test.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Box } from './homes.ts';
import type { Mischief } from './hostile-relay.ts';
import { TCP_PORT } from './relayed.ts';
import { until } from './waiting.ts';

export const TWIN_PORT = 7999;
const TWIN = fileURLToPath(new URL('./hostile-relay.js', import.meta.url));
const BOUND_MS = 20_000;

/** Stands where a relay's door is, for all who come from outside. */
export class Twin {
  readonly #child: ChildProcess;
  #said = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new TypeError('no standard output');
    createInterface({ input: child.stdout }).on('line', line => (this.#said = line));
  }

  static async start({ node: { place } }: Box): Promise<Twin> {
    const args = [TWIN, String(TWIN_PORT), String(TCP_PORT)];
    const twin = new Twin(place.spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
    await until('the twin', BOUND_MS, () => twin.#said === 'ready');
    await place.exec(
      `nft -f - <<'RULES'\ntable ip twin {\n chain pre {\n type nat hook prerouting priority dstnat;
      iifname "eth0" tcp dport ${TCP_PORT} redirect to :${TWIN_PORT}\n }\n}\nRULES`,
    );
    // Connections from before know the door itself.
    await place.exec(`ss -K state established sport = :${TCP_PORT}`, { mayFail: true });
    return twin;
  }

  does(mischief: Mischief | 'none'): void {
    this.#child.stdin?.write(`${mischief}\n`);
  }

  /** Answers how many frames it touched. */
  async stops(): Promise<number> {
    this.#said = '';
    this.does('none');
    await until('its count', BOUND_MS, () => this.#said !== '');
    return (JSON.parse(this.#said) as { did: number }).did;
  }
}
