// PCP with one gateway (RFC 6887); of IPv6 too, where a mapping is a hole in the firewall.
import {
  decodePcp,
  encodePcpAnnounce,
  encodePcpMap,
  PCP_PORT,
  pcpResultName,
  type PcpAnswer,
} from '../../protocol/portmap/pcp.ts';
import { isPcpEpochGood } from '../../protocol/portmap/epoch.ts';
import { EpochWatch } from './epoch-watch.ts';
import { refuse, type Asked, type Ground, type Look, type MapAnswer, type PortProtocol } from './protocol.ts';
import type { Wire } from './wire.ts';

/** It does not speak PCP, or not with us: there is no use in asking on. */
const HOPELESS = ['UNSUPP_VERSION', 'ADDRESS_MISMATCH', 'MALFORMED_REQUEST'];

/** Its own line is down, or it stands behind another router. */
const NO_OUTSIDE = ['NETWORK_FAILURE', 'CANNOT_PROVIDE_EXTERNAL'];

/** Null: the gateway does not speak it. */
export async function findPcp(ground: Ground, wire: Wire, signal: AbortSignal): Promise<PortProtocol | null> {
  const pcp = new Pcp(ground, wire);
  return (await pcp.look(signal)) === 'silent' ? null : pcp;
}

class Pcp implements PortProtocol {
  readonly name = 'pcp';
  readonly #ground: Ground;
  readonly #wire: Wire;
  readonly #epoch: EpochWatch;

  constructor(ground: Ground, wire: Wire) {
    this.#ground = ground;
    this.#wire = wire;
    this.#epoch = new EpochWatch(ground, isPcpEpochGood);
  }

  async look(signal: AbortSignal): Promise<Look> {
    const bytes = encodePcpAnnounce(this.#ground.gateway.local);
    const answer = await this.#wire.ask(PCP_PORT, bytes, received => this.#announce(received), signal);
    // Whoever does not know ANNOUNCE says so in PCP, and that will do.
    if (answer === null || HOPELESS.includes(pcpResultName(answer.result))) return 'silent';
    return this.#epoch.heard(answer.epochS);
  }

  async map(asked: Asked, signal?: AbortSignal): Promise<MapAnswer> {
    const bytes = encodePcpMap({
      ...{ client: this.#ground.gateway.local, nonce: asked.nonce, transport: asked.transport },
      ...{ port: asked.port, lifetimeS: asked.leaseS, suggested: { address: null, port: asked.outerPort } },
    });
    const answer = await this.#wire.ask(PCP_PORT, bytes, received => this.#mapped(received, asked), signal);
    if (answer === null) return { ok: false, code: 'silent', answer: '' };
    this.#epoch.noted(answer.epochS);
    const name = pcpResultName(answer.result);
    if (answer.result !== 0 || answer.map === null)
      return { ok: false, code: NO_OUTSIDE.includes(name) ? 'no-outside' : 'refused', answer: `PCP ${name}` };
    const { outer } = answer.map;
    const nonsense =
      asked.leaseS === 0
        ? null
        : outer.port === 0
          ? 'port-zero'
          : answer.lifetimeS === 0
            ? 'lease-zero'
            : outer.family !== this.#ground.gateway.family
              ? 'family'
              : null;
    if (nonsense === null) return { ok: true, outer, leaseS: answer.lifetimeS };
    refuse(this.#ground, nonsense);
    return { ok: false, code: 'refused', answer: `nonsense (${nonsense})` };
  }

  async unmap(asked: Asked): Promise<void> {
    await this.map({ ...asked, leaseS: 0 });
  }

  #decode(bytes: Uint8Array): PcpAnswer | null {
    // NAT-PMP's answers come to the same socket.
    if (bytes[0] === 0) return null;
    const decoded = decodePcp(bytes);
    if (!decoded.ok) refuse(this.#ground, decoded.code);
    return decoded.ok ? decoded.value : null;
  }

  #announce(bytes: Uint8Array): PcpAnswer | null {
    const answer = this.#decode(bytes);
    return answer?.about === 'announce' ? answer : null;
  }

  /** To this very question: whoever does not know its nonce was not asked. */
  #mapped(bytes: Uint8Array, { nonce, transport, port }: Asked): PcpAnswer | null {
    const answer = this.#decode(bytes);
    if (answer === null || answer.about === 'announce') return null;
    const { map } = answer;
    if (map === null) {
      refuse(this.#ground, 'nonce');
      return null;
    }
    if (map.transport !== transport || map.port !== port) return null;
    if (Buffer.compare(map.nonce, nonce) === 0) return answer;
    refuse(this.#ground, 'nonce');
    return null;
  }
}
