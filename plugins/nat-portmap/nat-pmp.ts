// NAT-PMP with one gateway (RFC 6886).
import { isNatPmpEpochGood } from '../../protocol/portmap/epoch.ts';
import {
  decodeNatPmp,
  encodeNatPmpAddress,
  encodeNatPmpMap,
  NAT_PMP_PORT,
  type NatPmpAnswer,
} from '../../protocol/portmap/nat-pmp.ts';
import { EpochWatch } from './epoch-watch.ts';
import { refuse, type Asked, type Ground, type Look, type MapAnswer, type PortProtocol } from './protocol.ts';
import type { Wire } from './wire.ts';

const RESULTS: Readonly<Record<number, string>> = {
  2: 'not authorized',
  3: 'network failure',
  4: 'out of resources',
  5: 'unsupported opcode',
};
const UNSUPPORTED_VERSION = 1;
/** Its own line is down, or it stands behind another router. */
const NETWORK_FAILURE = 3;

/** Null: the gateway does not speak it. */
export async function findNatPmp(
  ground: Ground,
  wire: Wire,
  signal: AbortSignal,
): Promise<PortProtocol | null> {
  const natPmp = new NatPmp(ground, wire);
  return (await natPmp.look(signal)) === 'silent' ? null : natPmp;
}

/** RFC 6886 3.5: what a router that knows NAT-PMP alone answers to PCP, which is asked from the same socket. */
const isToPcp = (answer: NatPmpAnswer): boolean =>
  answer.about === 'error' && answer.result === UNSUPPORTED_VERSION;

class NatPmp implements PortProtocol {
  readonly name = 'nat-pmp';
  readonly #ground: Ground;
  readonly #wire: Wire;
  readonly #epoch: EpochWatch;
  /** The router's address outside; empty: it has none. Null: not asked yet. */
  #address: string | null = null;

  constructor(ground: Ground, wire: Wire) {
    this.#ground = ground;
    this.#wire = wire;
    this.#epoch = new EpochWatch(ground, isNatPmpEpochGood);
  }

  async look(signal: AbortSignal): Promise<Look> {
    const answer = await this.#ask(encodeNatPmpAddress(), this.#isAddress, signal);
    if (answer === null) return 'silent';
    const before = this.#address;
    this.#address = answer.about === 'address' && answer.address !== '0.0.0.0' ? answer.address : '';
    const look = this.#epoch.heard(answer.epochS);
    // What stands, stands at another place then.
    return before !== null && before !== this.#address ? 'restarted' : look;
  }

  async map({ transport, port, outerPort, leaseS }: Asked, signal?: AbortSignal): Promise<MapAnswer> {
    const bytes = encodeNatPmpMap({ transport, port, suggestedPort: outerPort, lifetimeS: leaseS });
    const isOurs = (answer: NatPmpAnswer): boolean =>
      (answer.about === 'map' && answer.transport === transport && answer.port === port) ||
      (answer.about === 'error' && answer.asked === transport);
    const answer = await this.#ask(bytes, isOurs, signal);
    if (answer === null || answer.about === 'address') return { ok: false, code: 'silent', answer: '' };
    this.#epoch.noted(answer.epochS);
    if (answer.about === 'error') {
      const words = RESULTS[answer.result] ?? `result ${answer.result}`;
      const code = answer.result === NETWORK_FAILURE ? 'no-outside' : 'refused';
      return { ok: false, code, answer: `NAT-PMP ${words}` };
    }
    const nonsense =
      leaseS === 0
        ? null
        : answer.outerPort === 0
          ? 'port-zero'
          : answer.lifetimeS === 0
            ? 'lease-zero'
            : null;
    const outer = { family: 4, address: this.#address ?? '', port: answer.outerPort } as const;
    if (nonsense === null) return { ok: true, outer, leaseS: answer.lifetimeS };
    refuse(this.#ground, nonsense);
    return { ok: false, code: 'refused', answer: `nonsense (${nonsense})` };
  }

  async unmap(asked: Asked): Promise<void> {
    await this.map({ ...asked, leaseS: 0 });
  }

  readonly #isAddress = (answer: NatPmpAnswer): boolean =>
    answer.about === 'address' || (answer.about === 'error' && answer.asked === 'address');

  #ask(
    bytes: Uint8Array,
    isOurs: (answer: NatPmpAnswer) => boolean,
    signal?: AbortSignal,
  ): Promise<NatPmpAnswer | null> {
    const read = (received: Uint8Array): NatPmpAnswer | null => {
      // PCP's answers come to the same socket.
      if (received[0] === 2) return null;
      const decoded = decodeNatPmp(received);
      if (!decoded.ok) refuse(this.#ground, decoded.code);
      return decoded.ok && !isToPcp(decoded.value) && isOurs(decoded.value) ? decoded.value : null;
    };
    return this.#wire.ask(NAT_PMP_PORT, bytes, read, signal);
  }
}
