// What is kept over restarts: under which nonce, and at which outer port, each mapping was made, so that it is the same again.
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Gateway, PluginStore, WantedPort } from '../../core/contract/plugin.ts';
import { PCP_NONCE_BYTES } from '../../protocol/portmap/pcp.ts';

const KEY = 'mappings';
const MOST = 32;

export interface KeptMapping {
  readonly nonce: Uint8Array;
  /** 0: there was none yet. */
  readonly outerPort: number;
}

export interface KeptParts {
  readonly store: PluginStore;
  readonly random: Random;
  readonly log: Log;
}

type Row = readonly [key: string, nonce: string, outerPort: number];

export class Kept {
  readonly #parts: KeptParts;
  /** The latest last. */
  readonly #mappings = new Map<string, KeptMapping>();

  constructor(parts: KeptParts) {
    this.#parts = parts;
  }

  /** What cannot be read is made anew. */
  async load(): Promise<void> {
    const { store, log } = this.#parts;
    try {
      const kept = await store.get(KEY);
      for (const [key, nonce, outerPort] of Array.isArray(kept) ? kept.filter(isRow) : [])
        if (!this.#mappings.has(key))
          this.#mappings.set(key, { nonce: new Uint8Array(Buffer.from(nonce, 'hex')), outerPort });
    } catch (error) {
      log.warn('what was mapped before could not be read', { reason: String(error) });
    }
  }

  of(gateway: Gateway, wanted: Pick<WantedPort, 'transport' | 'port'>): KeptMapping {
    const key = keyOf(gateway, wanted);
    const known = this.#mappings.get(key);
    if (known !== undefined) return known;
    const made = { nonce: this.#parts.random.bytes(PCP_NONCE_BYTES), outerPort: 0 };
    this.#put(key, made);
    return made;
  }

  note(gateway: Gateway, wanted: Pick<WantedPort, 'transport' | 'port'>, outerPort: number): void {
    const known = this.of(gateway, wanted);
    if (known.outerPort !== outerPort) this.#put(keyOf(gateway, wanted), { ...known, outerPort });
  }

  #put(key: string, mapping: KeptMapping): void {
    this.#mappings.delete(key);
    this.#mappings.set(key, mapping);
    for (const oldest of [...this.#mappings.keys()].slice(0, -MOST)) this.#mappings.delete(oldest);
    const rows = [...this.#mappings].map(([at, { nonce, outerPort }]): Row => [
      at,
      Buffer.from(nonce).toString('hex'),
      outerPort,
    ]);
    const { store, log } = this.#parts;
    store.put(KEY, rows).catch((error: unknown) => {
      log.warn('what is mapped could not be kept', { reason: String(error) });
    });
  }
}

const keyOf = (
  { address, local }: Gateway,
  { transport, port }: Pick<WantedPort, 'transport' | 'port'>,
): string => `${address} ${local} ${transport} ${port}`;

const isRow = (row: unknown): row is Row =>
  Array.isArray(row) &&
  typeof row[0] === 'string' &&
  typeof row[1] === 'string' &&
  /^[\da-f]{24}$/.test(row[1]) &&
  Number.isInteger(row[2]) &&
  row[2] >= 0 &&
  row[2] <= 65_535;
