// A STUN server nobody here wrote, and what its client says of a NAT: the measure for the lab's kinds and for nat-stun.
import type { Verdict } from './kinds.ts';
import type { Place } from './place.ts';
import { until } from './waiting.ts';

export const COTURN_TOOLS = { turnserver: 'coturn', turnutils_natdiscovery: 'coturn' };

const PORT = 3478;
const MAPPINGS: readonly (readonly [RegExp, Verdict['mapping']])[] = [
  [/No NAT!/, 'none'],
  [/NAT with Endpoint Independent Mapping/, 'EIM'],
  [/NAT with Address and Port Dependent Mapping/, 'APDM'],
  [/NAT with Address Dependent Mapping/, 'ADM'],
];
const FILTERINGS: readonly (readonly [RegExp, Verdict['filtering']])[] = [
  [/NAT with Endpoint Independent Filtering/, 'EIF'],
  [/NAT with Address and Port Dependent Filtering/, 'APDF'],
  [/NAT with Address Dependent Filtering/, 'ADF'],
];

/** Starts coturn on both addresses of the server; resolves when it answers. */
export async function startCoturn(server: Place): Promise<void> {
  const addresses = ['203.0.113.1', '203.0.113.2'].flatMap(address => ['-L', address]);
  const quiet = ['-n', '--no-cli', '--no-tls', '--no-dtls', '--stun-only', '--log-file', '/dev/null'];
  const ports = ['--listening-port', String(PORT), '--alt-listening-port', String(PORT + 1)];
  server.spawn('turnserver', [...quiet, ...addresses, ...ports], { stdio: 'ignore' });
  const hexPort = (PORT + 1).toString(16).toUpperCase();
  await until('coturn', 10_000, async () =>
    (await server.exec('cat /proc/net/udp')).stdout.includes(`:0${hexPort} `),
  );
}

export interface TurnAccess {
  readonly port: number;
  /** Either a user and a password, or a secret from which both are made. */
  readonly user?: string;
  readonly password?: string;
  readonly secret?: string;
}

/** Starts coturn as a TURN server on the server's first address; resolves when it listens. */
export async function startTurn(server: Place, { port, user, password, secret }: TurnAccess): Promise<void> {
  const quiet = ['-n', '--no-cli', '--no-tls', '--no-dtls', '--no-tcp', '--log-file', '/dev/null'];
  const place = ['-L', '203.0.113.1', '-E', '203.0.113.1', '--listening-port', String(port)];
  const access =
    secret === undefined
      ? ['--lt-cred-mech', '--user', `${user}:${password}`]
      : ['--use-auth-secret', '--static-auth-secret', secret];
  // What is not given a range of its own takes ports of the other one.
  const range = [
    '--min-port',
    String(49_152 + (port % 16) * 512),
    '--max-port',
    String(49_152 + (port % 16) * 512 + 511),
  ];
  const more = ['--realm', 'lab.example', '--fingerprint', '--pidfile', `/tmp/turn-${port}.pid`];
  server.spawn('turnserver', [...quiet, ...place, ...access, ...range, ...more], { stdio: 'ignore' });
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  await until('coturn', 10_000, async () =>
    (await server.exec('cat /proc/net/udp')).stdout.includes(`:${hexPort} `),
  );
}

/** Verdict null where it came to none: UDP does not pass. `tests`: options of turnutils_natdiscovery. */
export async function askCoturn(
  host: Place,
  tests = '-m -f',
): Promise<{ verdict: Verdict | null; said: string }> {
  // One run of it was seen to hang for good.
  const line = `timeout -s KILL 25 turnutils_natdiscovery ${tests} -L ${host.address} 203.0.113.1`;
  const { stdout, stderr } = await host.exec(line, { mayFail: true, timeoutMs: 30_000 });
  const said = stdout + stderr;
  const mapping = MAPPINGS.find(([pattern]) => pattern.test(said))?.[1];
  const filtering = FILTERINGS.find(([pattern]) => pattern.test(said))?.[1];
  if (mapping === undefined || filtering === undefined) return { verdict: null, said };
  return { verdict: { mapping, filtering }, said };
}
