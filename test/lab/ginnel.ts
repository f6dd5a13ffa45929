// Starts the product in a lab: the daemon by its command line, then steered through its control socket, because a
// command for each step would cost the lab's two cores more than what is being measured.
import { openSync, closeSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NetcheckReport, NodeStatus, PeerStatus } from '../../core/admin.ts';
import type { IssuedInvite, ServerOptions, ServerSummary } from '../../server/admin.ts';
import type { ExecResult, Place } from './place.ts';
import { endOf } from './place.ts';
import type { Lab } from './topology.ts';
import { until } from './waiting.ts';
import { LAB_FOLDER } from './wrapper.ts';

export const GINNEL = fileURLToPath(new URL('../../bin/ginnel.js', import.meta.url));

const START_MS = 15_000;
const REQUEST_MS = 30_000;

/** Which build of the product runs, and with what around it. */
export interface Build {
  readonly script?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What the owner of a box chose before it joined. */
export interface Chosen {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly udpPort?: number;
  /** By plugin. */
  readonly plugins?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Plugins that are turned on, and off, before it goes up. */
  readonly on?: readonly string[];
  readonly off?: readonly string[];
}

export class Daemon {
  readonly place: Place;
  readonly name: string;
  readonly folder: string;
  readonly #script: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;

  constructor(place: Place, name: string, { script = GINNEL, environment = {} }: Build = {}) {
    this.place = place;
    this.name = name;
    this.folder = `${LAB_FOLDER}/${name}`;
    this.#script = script;
    this.#environment = { ...environment, GINNEL_STATE: this.folder };
  }

  /** The daemon's process id; null: it does not run. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Starts it, or starts it again with what it kept. Throws an Error with the end of its log. */
  async start(): Promise<void> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const log = openSync(`${this.folder}.log`, 'a');
    const env = { ...process.env, ...this.#environment };
    const child = this.place.spawn(process.execPath, [this.#script, 'run'], {
      env,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    child.once('exit', () => {
      if (this.#child === child) this.#child = null;
    });
    await this.explained(
      until(`the daemon ${this.name}`, START_MS, async () => {
        if (this.#child !== child) throw new Error(`the daemon ${this.name} ended`);
        return (await this.#answersHealth()) ? true : null;
      }),
    );
  }

  /** SIGTERM waits for its own goodbye; SIGKILL is for the tests of what survives. Answers the exit code, -1 where killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    const child = this.#child;
    if (child === null) return 0;
    child.kill(signal);
    return endOf(child);
  }

  /** HTTP over the control socket. Throws an Error with the code and words of a refusal. */
  api<T>(method: 'GET' | 'POST', path: string, body: object = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const text = method === 'GET' ? '' : JSON.stringify(body);
      const headers =
        method === 'GET'
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const options = {
        socketPath: `${this.folder}/control.sock`,
        method,
        path,
        headers,
        timeout: REQUEST_MS,
      };
      const asked = request(options, response => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(answer) as T);
          else reject(new Error(`${this.name}: ${method} ${path}: ${response.statusCode ?? 0} ${answer}`));
        });
      });
      asked.on('timeout', () => asked.destroy(new Error(`${this.name}: no answer to ${method} ${path}`)));
      asked.on('error', reject);
      asked.end(text);
    });
  }

  /** Runs the command line beside it: `ginnel(['status', '--json'])`. */
  ginnel(args: readonly string[], input = ''): Promise<ExecResult> {
    const words = args.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const line = `'${process.execPath}' '${this.#script}' ${words}`;
    return this.place.exec(line, { env: this.#environment, input, mayFail: true });
  }

  /** The last lines of its log. */
  async logEnd(lines = 15): Promise<string> {
    const log = await readFile(`${this.folder}.log`, 'utf8');
    return log.trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Adds the end of the log to a failure. */
  async explained<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      throw new Error(`${String(error)}\n--- log of ${this.name} ---\n${await this.logEnd()}`, {
        cause: error,
      });
    }
  }

  async #answersHealth(): Promise<boolean> {
    try {
      await this.api('GET', '/v1/health');
      return true;
    } catch {
      // Not listening yet.
      return false;
    }
  }
}

export class LocationServer extends Daemon {
  /** Makes or restarts the location server. */
  async up(options: Partial<ServerOptions> = {}): Promise<ServerSummary> {
    if (this.pid === null) await this.start();
    return this.explained(this.api<ServerSummary>('POST', '/v1/server/up', options));
  }

  async invite(): Promise<string> {
    return (await this.api<IssuedInvite>('POST', '/v1/server/invites')).invite;
  }

  summary(): Promise<ServerSummary> {
    return this.api<ServerSummary>('GET', '/v1/server');
  }
}

export class GinnelNode extends Daemon {
  /** Joins by an invite, or comes up again with what it kept. */
  async up(invite?: string, chosen: Pick<Chosen, 'udpPort'> = {}): Promise<NodeStatus> {
    if (this.pid === null) await this.start();
    const { udpPort } = chosen;
    const body = {
      name: this.name,
      ...(invite === undefined ? {} : { invite }),
      ...(udpPort === undefined ? {} : { udpPort }),
    };
    return this.explained(this.api<NodeStatus>('POST', '/v1/node/up', body));
  }

  async choose({ settings, plugins = {}, on = [], off = [] }: Chosen): Promise<void> {
    if (settings !== undefined) await this.api('POST', '/v1/node/settings', { set: settings });
    for (const [plugin, set] of Object.entries(plugins))
      await this.api('POST', `/v1/node/plugins/${plugin}/settings`, { set });
    for (const plugin of on) await this.api('POST', `/v1/node/plugins/${plugin}/enable`);
    for (const plugin of off) await this.api('POST', `/v1/node/plugins/${plugin}/disable`);
  }

  status(): Promise<NodeStatus> {
    return this.api<NodeStatus>('GET', '/v1/node/status');
  }

  netcheck(): Promise<NetcheckReport> {
    return this.api<NetcheckReport>('POST', '/v1/node/netcheck');
  }

  async peer(name: string): Promise<PeerStatus | null> {
    return (await this.status()).peers.find(peer => peer.name === name) ?? null;
  }

  async why(peer: string): Promise<readonly string[]> {
    return (await this.api<{ lines: string[] }>('GET', `/v1/node/peers/${peer}/why`)).lines;
  }
}

/** The server of the lab as a location server: both its addresses where it has two, STUN on a second port. */
export async function startServer(lab: Lab, options: Partial<ServerOptions> = {}): Promise<LocationServer> {
  const server = new LocationServer(lab.server, 'location-server');
  const advertise = [lab.server.address, lab.server.address6];
  await server.up({ advertise, listen: lab.serverAddresses, secondPort: 7444, ...options });
  return server;
}

/** A node that has joined and has its virtual address. */
export async function startNode(
  server: LocationServer,
  place: Place,
  name: string,
  build: Build & Chosen = {},
): Promise<GinnelNode> {
  const node = new GinnelNode(place, name, build);
  await node.start();
  await node.choose(build);
  await node.up(await server.invite(), build);
  await node.explained(
    until(`${name} to join`, START_MS, async () => {
      const { state, server: told } = await node.status();
      return state === 'up' && told.state === 'connected';
    }),
  );
  return node;
}
