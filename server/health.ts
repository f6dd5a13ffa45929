// What is not well with the location server, and what a person could do about it. Looks once a minute at what is not
// told by itself.
import type { Clock, Timer } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import { freeBytes } from '../base/disk.ts';
import { defineHealth, worstFirst, type HealthLine } from '../base/health.ts';

export const serverHealth = defineHealth({
  SERVER_DISK_SHORT: {
    severity: 'problem',
    what: 'The disk under the location server is nearly full ({free} MB free).',
    why: 'Below {least} MB nothing new is stored: no box can join.',
    todo: 'Make room on {folder}.',
  },
  SERVER_CLOCK_WRONG: {
    severity: 'problem',
    what: "The location server's clock is wrong: it shows {shown}.",
    why: 'Invites expire by it, and boxes that join need it.',
    todo: 'Set it, or let NTP do so.',
  },
  SERVER_UDP_PORT: {
    severity: 'warning',
    what: 'The location server cannot open its UDP ports on some addresses ({times} tries failed within {minutes} minutes).',
    why: 'Another program may hold it. Boxes then find out less about their NATs.',
    todo: 'See who holds the port: ss -lunp.',
  },
  SERVER_UNHEARD: {
    severity: 'warning',
    what: 'None of the {nodes} boxes has come to the location server for {minutes} minutes.',
    why: 'They are all off, or cannot reach it.',
    todo: 'Is its port forwarded, and is the address in the invites still right? On a box: ginnel why server.',
  },
  SERVER_REFUSES_MUCH: {
    severity: 'warning',
    what: 'The location server refused {refused} log-ins within {minutes} minutes.',
    why: 'Boxes that were removed or invites that are over go on trying, or a stranger guesses.',
    todo: 'The log says whom: ginnel logs --part server.',
  },
});

const LOOK_EVERY_MS = 60_000;
/** Looks that are compared: ten minutes. */
const WINDOW = 10;
const MUCH_REFUSED = 50;
/** An address that is only just coming up fails once or twice. */
const MUCH_UNBOUND = 5;
const UNHEARD_MS = 10 * LOOK_EVERY_MS;
const MEGABYTE = 1_000_000;
/** The store refuses below 4 MiB; this is told well before. */
const SHORT_BYTES = 32 * MEGABYTE;
const LEAST_BYTES = 4 * 1024 * 1024;

export interface ServerHealthOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly isClockRight: () => boolean;
  readonly nodes: () => readonly { readonly online: boolean }[];
  readonly free?: (folder: string) => Promise<number>;
}

export class ServerHealth {
  readonly #options: ServerHealthOptions;
  #free: number | null = null;
  /** What was counted up to each look, the newest last. */
  #looks: Counted[] = [];
  #heardAt: number;
  #timer: Timer | null = null;

  constructor(options: ServerHealthOptions) {
    this.#options = options;
    this.#heardAt = options.clock.monotonicMs();
  }

  start(): void {
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Worst first. */
  lines(): HealthLine[] {
    return worstFirst([
      ...this.#diskLines(),
      ...this.#clockLines(),
      ...this.#unheardLines(),
      ...this.#countedLines(),
    ]);
  }

  #look(): void {
    const { folder, clock, free = freeBytes } = this.#options;
    this.#looks = [...this.#looks, this.#counted()].slice(-WINDOW - 1);
    this.#noteHeard();
    free(folder).then(
      bytes => (this.#free = bytes),
      () => (this.#free = null),
    );
    this.#timer = clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  #noteHeard(): void {
    const nodes = this.#options.nodes();
    if (nodes.length === 0 || nodes.some(({ online }) => online))
      this.#heardAt = this.#options.clock.monotonicMs();
  }

  #diskLines(): HealthLine[] {
    if (this.#free === null || this.#free >= SHORT_BYTES) return [];
    const facts = { free: inMegabytes(this.#free), least: inMegabytes(LEAST_BYTES) };
    return [serverHealth('SERVER_DISK_SHORT', { ...facts, folder: this.#options.folder })];
  }

  #clockLines(): HealthLine[] {
    const { clock, isClockRight } = this.#options;
    if (isClockRight()) return [];
    return [serverHealth('SERVER_CLOCK_WRONG', { shown: new Date(clock.wallMs()).toISOString() })];
  }

  #unheardLines(): HealthLine[] {
    this.#noteHeard();
    const silentMs = this.#options.clock.monotonicMs() - this.#heardAt;
    if (silentMs < UNHEARD_MS) return [];
    const facts = { nodes: this.#options.nodes().length, minutes: Math.floor(silentMs / 60_000) };
    return [serverHealth('SERVER_UNHEARD', facts)];
  }

  /** Of what has been counted within the last minutes. */
  #countedLines(): HealthLine[] {
    const now = this.#counted();
    const then = this.#looks[0] ?? now;
    const minutes = Math.max(1, this.#looks.length - 1);
    const [refused, times] = [now.refused - then.refused, now.unbound - then.unbound];
    return [
      ...(refused < MUCH_REFUSED ? [] : [serverHealth('SERVER_REFUSES_MUCH', { refused, minutes })]),
      ...(times < MUCH_UNBOUND ? [] : [serverHealth('SERVER_UDP_PORT', { times, minutes })]),
    ];
  }

  #counted(): Counted {
    const counted = this.#options.counters.snapshot();
    const refused = Object.entries(counted).filter(([name]) => name.startsWith('session.refused.'));
    return {
      refused: refused.reduce((sum, [, value]) => sum + value, 0),
      unbound: counted['stun.bind-failed'] ?? 0,
    };
  }
}

interface Counted {
  readonly refused: number;
  readonly unbound: number;
}

const inMegabytes = (bytes: number): number => Math.round(bytes / MEGABYTE);
