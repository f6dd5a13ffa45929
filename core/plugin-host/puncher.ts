// What the core gets instead of a plugin's puncher itself: measurements that end, volleys whose every shot was looked at.
import { canonicalIp, familyOf } from '../../protocol/ip/address.ts';
import type { Forecast, PunchMethod } from '../../protocol/location/messages.ts';
import {
  MAX_BURST_SOCKETS,
  MAX_SHOTS,
  type Measured,
  type Puncher,
  type PunchShot,
  type Volley,
  type VolleyAsk,
} from '../contract/punch.ts';
import { within } from './deadline.ts';
import type { TraversalSurroundings } from './traversal.ts';

const METHODS: readonly PunchMethod[] = ['predict', 'birthday', 'tcp'];
const MEASURE_TIMEOUT_MS = 2_000;
const MAX_ENDS_MS = 30_000;
/** More of them count as heavy, whatever the plugin says. */
const LIGHT_FLOWS = 128;

export class GuardedPuncher implements Puncher {
  readonly #puncher: Puncher;
  readonly #around: TraversalSurroundings;

  constructor(puncher: Puncher, around: TraversalSurroundings) {
    this.#puncher = puncher;
    this.#around = around;
  }

  get methods(): readonly PunchMethod[] {
    return this.#around.guard.ask('puncher.methods', () => [...this.#puncher.methods], readMethods) ?? [];
  }

  async measure(transport: 'udp' | 'tcp', signal: AbortSignal): Promise<Measured | null> {
    const { guard, clock } = this.#around;
    const late = (): void => undefined;
    const patience = { clock, timeoutMs: MEASURE_TIMEOUT_MS, signal, late };
    const asked = guard.inside(async () => this.#puncher.measure(transport, signal));
    // Whatever it rejects with is its own to tell.
    const outcome = await within(patience, () => asked).catch(() => null);
    if (outcome?.kind !== 'done') {
      void asked.then(value => this.#close(value)).catch(late);
      return null;
    }
    if (outcome.value === null) return null;
    const { value } = outcome;
    const measured = guard.ask('puncher.measure()', () => value, readMeasured);
    if (measured === null) this.#close(value);
    return measured;
  }

  /** Nobody waits for it any more, or it is of no use. */
  #close(measured: Measured | null): void {
    this.#around.guard.callback(() => measured?.socket.close());
  }

  volley(ask: VolleyAsk): Volley | null {
    const { guard } = this.#around;
    const read = (answer: unknown): { readonly volley: Volley | null } => {
      const { volley } = answer as { readonly volley: Volley | null };
      return { volley: volley === null ? null : readVolley(volley, ask.theirs.forecast.address) };
    };
    return guard.ask('puncher.volley()', () => ({ volley: this.#puncher.volley(ask) }), read)?.volley ?? null;
  }
}

function readMethods(answer: unknown): readonly PunchMethod[] {
  if (!Array.isArray(answer)) throw new Error('they are no list');
  return METHODS.filter(method => answer.includes(method));
}

function readMeasured(answer: unknown): Measured {
  const { forecast, socket } = answer as {
    readonly forecast: Forecast;
    readonly socket?: Measured['socket'];
  };
  if (socket === undefined || typeof socket.close !== 'function' || !isPort(socket.localPort))
    throw new Error('it gives no socket');
  return { forecast: readForecast(forecast), socket };
}

function readForecast({ address, port, step, drift }: Forecast): Forecast {
  const isRule = step === null || (Number.isInteger(step) && Math.abs(step) <= 4096);
  const isDrift = Number.isInteger(drift) && drift >= 0 && drift <= 1024;
  if (canonicalIp(address) !== address || familyOf(address) !== 4) throw new Error('it has no address');
  if (!isPort(port) || !isRule || !isDrift) throw new Error('its numbers are out of range');
  return { address, port, step, drift };
}

/** `address`: whom it is for; nobody else has asked for anything. */
function readVolley(answer: Volley, address: string): Volley {
  const { shots, endsMs, isHeavy } = answer;
  if (!Array.isArray(shots) || shots.length > MAX_SHOTS)
    throw new Error('its shots are no list, or too many');
  if (!(endsMs >= 0 && endsMs <= MAX_ENDS_MS)) throw new Error('it does not end in time');
  let earliest = 0;
  const read = (shots as readonly PunchShot[]).map(({ from, to, atMs, ttl }) => {
    if (!(atMs >= earliest && atMs <= endsMs)) throw new Error('its shots are not in the order of time');
    earliest = atMs;
    if (to.address !== address) throw new Error('a shot goes to another address than the forecast one');
    return { from: readSocket(from), to: readPlace(to), atMs, ttl: ttl === 'low' ? ttl : ('full' as const) };
  });
  const flows = new Set(read.map(({ from, to }) => `${from} ${to.port}`)).size;
  return { shots: read, endsMs, isHeavy: isHeavy ? true : flows > LIGHT_FLOWS };
}

function readSocket(from: PunchShot['from']): PunchShot['from'] {
  if (from === 'main' || from === 'measured') return from;
  if (Number.isInteger(from) && from >= 0 && from < MAX_BURST_SOCKETS) return from;
  throw new Error('a shot leaves from no socket');
}

function readPlace({ address, port }: PunchShot['to']): PunchShot['to'] {
  if (!isPort(port) || familyOf(address) !== 4) throw new Error('a shot goes to no place');
  return { family: 4, address, port };
}

const isPort = (port: unknown): port is number =>
  Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535;
