// Does UDP get out of this network at all? The location server is asked, as nat-stun asks it, by the core's own socket.
import type { StunDoor } from '../../core/contract/plugin.ts';

export type UdpPasses = 'yes' | 'no' | 'not-checked';

const PATIENCE_MS = 4_000;

export class UdpCheck {
  readonly #stun: StunDoor;
  readonly #signal: AbortSignal;
  #passes: UdpPasses = 'not-checked';
  #looks = 0;

  constructor(stun: StunDoor, signal: AbortSignal) {
    this.#stun = stun;
    this.#signal = signal;
  }

  get passes(): UdpPasses {
    return this.#passes;
  }

  /** Asks afresh; of several the last one counts. Never rejects. */
  async look(): Promise<void> {
    const look = ++this.#looks;
    const asked = this.#stun.servers().flatMap(({ endpoint }) => {
      const socket = this.#stun.main(endpoint.family);
      const ask = { to: endpoint, attributes: [], timeoutMs: PATIENCE_MS };
      return socket === null ? [] : [socket.transact(ask, this.#signal).catch(() => null)];
    });
    const outcomes = await Promise.all(asked);
    if (look !== this.#looks || this.#signal.aborted) return;
    if (outcomes.some(outcome => outcome?.ok === true)) this.#passes = 'yes';
    else if (outcomes.some(outcome => outcome?.ok === false && outcome.code === 'timeout'))
      this.#passes = 'no';
    else this.#passes = 'not-checked';
  }
}
