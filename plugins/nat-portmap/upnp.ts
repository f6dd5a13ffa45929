// UPnP with one gateway (IGD 1 and 2): made by SOAP, looked after by SSDP.
import { canonicalIp, familyOf, parseDecimal } from '../../protocol/ip/address.ts';
import { servicesOf, type IgdService, type SoapArguments } from '../../protocol/portmap/igd.ts';
import { askHttp } from './http.ts';
import { refuse, type Asked, type Ground, type Look, type MapAnswer, type PortProtocol } from './protocol.ts';
import { isOutside } from './outside.ts';
import { searchGateway, type FoundGateway } from './search.ts';
import { call, type Called } from './soap.ts';

const DESCRIPTION_MS = 1_000;
/** UPnP's errors by number: what they mean for us. */
const TAKEN = [718, 729];
const PERMANENT_ONLY = [402, 725];
const SAME_PORT_ONLY = 724;
const PORT_TRIES = 4;
/** Where the gateway does not answer a straight search, it is asked for a mapping instead, so much less often. */
const LOOK_BY_CALL_MS = 20_000;
const LOWEST = 20_000;
const PORTS = 40_000;

/** Null: the gateway does not speak it. */
export async function findUpnp(
  ground: Ground,
  random: { below(limit: number): number },
  signal: AbortSignal,
): Promise<PortProtocol | null> {
  const found = await searchGateway(ground, signal);
  if (found === null) return null;
  const { place } = found;
  const body = await askHttp(ground, { place, withinMs: DESCRIPTION_MS, statuses: [200] }, signal);
  if (body === null) return null;
  const services = servicesOf(body, place);
  if (!services.ok) {
    refuse(ground, services.code);
    return null;
  }
  const connected = await connectedOf(ground, services.value, signal);
  return connected === null ? null : new Upnp(ground, random, found, connected);
}

/** Of several services the one with an address outside, else the first that answers at all. */
async function connectedOf(
  ground: Ground,
  services: readonly IgdService[],
  signal: AbortSignal,
): Promise<IgdService | null> {
  let answering: IgdService | null = null;
  for (const service of services) {
    const answer = await call(ground, service, 'GetExternalIPAddress', [], signal);
    if (addressIn(answer) !== '') return service;
    if (answer.kind === 'done') answering ??= service;
  }
  return answering;
}

/** Empty: none. */
function addressIn(answer: Called): string {
  const text = answer.kind === 'done' ? (answer.values.get('NewExternalIPAddress') ?? '') : '';
  const address = canonicalIp(text);
  return address === null || familyOf(address) !== 4 || address === '0.0.0.0' ? '' : address;
}

class Upnp implements PortProtocol {
  readonly name = 'upnp';
  readonly #ground: Ground;
  readonly #random: { below(limit: number): number };
  readonly #service: IgdService;
  readonly #found: FoundGateway;
  /** Where its description lies and what it says of its start. */
  #answersStraight: boolean | null = null;
  #isPermanentOnly = false;
  #made: { readonly asked: Asked; readonly outerPort: number } | null = null;
  #lookedAt: number;

  constructor(
    ground: Ground,
    random: { below(limit: number): number },
    found: FoundGateway,
    service: IgdService,
  ) {
    this.#ground = ground;
    this.#random = random;
    this.#found = found;
    this.#service = service;
    this.#lookedAt = ground.clock.monotonicMs();
  }

  async look(signal: AbortSignal): Promise<Look> {
    if (this.#answersStraight !== false) {
      const found = await searchGateway(this.#ground, signal, true);
      if (found !== null) {
        this.#answersStraight = true;
        const { place, boot } = this.#found;
        const isSame =
          found.boot === boot && found.place.port === place.port && found.place.path === place.path;
        // Its places are others then: whoever keeps this searches anew.
        return isSame ? 'same' : 'silent';
      }
      if (this.#answersStraight === true) return 'silent';
      this.#answersStraight = false;
    }
    return this.#lookByCall(signal);
  }

  async #lookByCall(signal: AbortSignal): Promise<Look> {
    const now = this.#ground.clock.monotonicMs();
    if (this.#made === null || now - this.#lookedAt < LOOK_BY_CALL_MS) return 'same';
    this.#lookedAt = now;
    const { asked, outerPort } = this.#made;
    const owner = await this.#ownerOf(asked, outerPort, signal);
    return owner === 'silent' ? 'silent' : owner === 'ours' ? 'same' : 'restarted';
  }

  async map(asked: Asked, signal: AbortSignal): Promise<MapAnswer> {
    let outerPort = asked.outerPort;
    for (let tries = 0; tries < PORT_TRIES; tries++) {
      // Some routers let whoever asks last have a port that another box has.
      const owner = await this.#ownerOf(asked, outerPort, signal);
      if (owner === 'silent') return SILENT;
      if (owner !== 'other') {
        const added = await this.#add(asked, outerPort, signal);
        if (added === 'silent') return SILENT;
        if (added === 'done') return await this.#added(asked, outerPort, signal);
        const isElsewhere = TAKEN.includes(added) || added === SAME_PORT_ONLY;
        if (!isElsewhere || (added === SAME_PORT_ONLY && outerPort === asked.port))
          return this.#refused(added, signal);
        if (added === SAME_PORT_ONLY) {
          outerPort = asked.port;
          continue;
        }
      }
      outerPort = LOWEST + this.#random.below(PORTS);
    }
    return { ok: false, code: 'refused', answer: 'UPnP: the port is taken' };
  }

  async unmap({ outer, ...asked }: Asked & { readonly outer: { readonly port: number } }): Promise<void> {
    if ((await this.#ownerOf(asked, outer.port)) !== 'ours') return;
    await this.#call('DeletePortMapping', whichOf(asked.transport, outer.port));
  }

  /** Those behind another router refuse with whatever number comes to hand; their address tells. */
  async #refused(error: number, signal: AbortSignal): Promise<MapAnswer> {
    const address = addressIn(await this.#call('GetExternalIPAddress', [], signal));
    const code = isOutside(address) ? 'refused' : 'no-outside';
    return { ok: false, code, answer: `UPnP error ${error}` };
  }

  async #added(asked: Asked, outerPort: number, signal: AbortSignal): Promise<MapAnswer> {
    const address = addressIn(await this.#call('GetExternalIPAddress', [], signal));
    this.#made = { asked, outerPort };
    const outer = { family: 4, address, port: outerPort } as const;
    return { ok: true, outer, leaseS: this.#isPermanentOnly ? 0 : asked.leaseS };
  }

  /** The number of the error where it was refused. */
  async #add(asked: Asked, outerPort: number, signal: AbortSignal): Promise<'done' | 'silent' | number> {
    const { transport, port, leaseS } = asked;
    const add = (lease: number): Promise<Called> =>
      this.#call(
        'AddPortMapping',
        [
          ...whichOf(transport, outerPort),
          ['NewInternalPort', port],
          ['NewInternalClient', this.#ground.gateway.local],
          ['NewEnabled', 1],
          ['NewPortMappingDescription', 'Ginnel'],
          ['NewLeaseDuration', lease],
        ],
        signal,
      );
    let answer = await add(this.#isPermanentOnly ? 0 : leaseS);
    if (answer.kind === 'fault' && PERMANENT_ONLY.includes(answer.code) && !this.#isPermanentOnly) {
      this.#isPermanentOnly = true;
      answer = await add(0);
    }
    return answer.kind === 'fault' ? answer.code : answer.kind;
  }

  /** `ours`: it leads to that very port here; what another program of this box was given is not. */
  async #ownerOf(
    asked: Pick<Asked, 'transport' | 'port'>,
    outerPort: number,
    signal?: AbortSignal,
  ): Promise<'ours' | 'other' | 'nobody' | 'silent'> {
    const answer = await this.#call(
      'GetSpecificPortMappingEntry',
      whichOf(asked.transport, outerPort),
      signal,
    );
    if (answer.kind === 'silent') return 'silent';
    // Routers that do not know the call: whoever adds hears whether it is taken.
    if (answer.kind === 'fault') return 'nobody';
    const client = answer.values.get('NewInternalClient') ?? '';
    const port = parseDecimal(answer.values.get('NewInternalPort') ?? '', 65_535);
    if (port === null || port === 0) refuse(this.#ground, 'upnp.entry');
    return client === this.#ground.gateway.local && port === asked.port ? 'ours' : 'other';
  }

  #call(action: string, args: SoapArguments, signal?: AbortSignal): Promise<Called> {
    return call(this.#ground, this.#service, action, args, signal);
  }
}

const SILENT = { ok: false, code: 'silent', answer: '' } as const;

/** Port 0 would be all ports: that is never asked for. */
function whichOf(transport: Asked['transport'], outerPort: number): SoapArguments {
  if (outerPort < 1 || outerPort > 65_535) throw new TypeError('an outer port is from 1 to 65535');
  return [
    ['NewRemoteHost', ''],
    ['NewExternalPort', outerPort],
    ['NewProtocol', transport.toUpperCase()],
  ];
}
