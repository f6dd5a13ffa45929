// Certificates made by somebody else's hand: the openssl command, in a folder that is gone afterwards.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type KeyKind = 'ed25519' | 'p256' | 'rsa' | 'p192';

const KEYS: Record<KeyKind, readonly string[]> = {
  ed25519: ['-algorithm', 'ed25519'],
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p192: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime192v1'],
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
};

export const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
})();

export interface Pair {
  readonly name: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface MadeBy {
  readonly key?: KeyKind;
  /** Null: itself. */
  readonly by?: Pair | null;
  /** Lines of an extension section. */
  readonly extensions?: readonly string[];
  readonly days?: number;
  readonly digest?: string;
}

export const AUTHORITY = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];

export class Openssl {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  make(name: string, { key = 'p256', by = null, extensions = [], days = 30, digest }: MadeBy): Pair {
    const path = (kind: string): string => join(this.#folder, `${name}.${kind}`);
    this.#run(['genpkey', ...KEYS[key], '-out', path('key')]);
    writeFileSync(path('ext'), ['[e]', ...extensions].join('\n'));
    this.#run(['req', '-new', '-key', path('key'), '-subj', `/CN=${name}`, '-out', path('csr')]);
    const issuer = by === null ? ['-signkey', path('key')] : this.#issuer(by);
    const section = extensions.length === 0 ? [] : ['-extfile', path('ext'), '-extensions', 'e'];
    const hash = digest === undefined ? [] : [`-${digest}`];
    const made = ['-days', String(days), '-out', path('crt')];
    this.#run(['x509', '-req', '-in', path('csr'), ...issuer, ...section, ...hash, ...made]);
    return {
      name,
      certificate: readFileSync(path('crt'), 'utf8'),
      key: readFileSync(path('key'), 'utf8'),
    };
  }

  #issuer({ name }: Pair): string[] {
    const [certificate, key] = [join(this.#folder, `${name}.crt`), join(this.#folder, `${name}.key`)];
    return ['-CA', certificate, '-CAkey', key, '-CAcreateserial'];
  }

  #run(args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' });
  }
}
