// `--json` of every command against the real daemon: what is printed is what docs/openapi.yaml says under `x-cli`.
// A new command needs an entry there and a case here.
import { createServer, type AddressInfo } from 'node:net';
import { join as joinPath } from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import t from 'tap';
import { ginnel, programOf } from '../../../bin/program.ts';
import { join, makeIdentity } from '../../support/location-client.ts';
import { openapi, problemsOf } from '../../support/openapi.ts';
import { quietSurroundings } from '../../support/quiet-surroundings.ts';
import { realDaemon, type RealDaemon } from '../../support/real-daemon.ts';

interface World extends RealDaemon {
  readonly port: number;
  /** A field of what an earlier command printed. */
  readonly told: (command: string, field: string) => string;
}

interface Case {
  readonly args?: (world: World) => readonly string[];
  readonly input?: (world: World) => Promise<string>;
  readonly first?: (world: World) => Promise<unknown>;
  /** On a box with nothing on it. */
  readonly isElsewhere?: boolean;
  /** Exit codes other than 0 that are the right ones here. */
  readonly codes?: readonly number[];
  /** Why it cannot be tried in a test. */
  readonly untried?: string;
}

const invited = async ({ client }: World): Promise<string> =>
  (await client.post<{ invite: string }>('/v1/server/invites', {})).invite;

/** In an order that works. */
const CASES: Readonly<Record<string, Case>> = {
  server: { args: ({ port }) => ['--port', String(port), '--listen', '127.0.0.1', '--name', 'home'] },
  invite: {},
  'invite list': {},
  'invite revoke': {
    args: ({ told }) => [told('invite', 'id')],
  },
  'accounts add': { args: () => ['anna'], input: async () => Promise.resolve('correct horse\n') },
  'accounts password': { args: () => ['anna'], input: async () => Promise.resolve('battery staple\n') },
  'accounts list': {},
  accounts: {},
  'accounts remove': { args: () => ['anna'] },
  'certificates issue': { args: ({ places }) => ['attic', '--out', joinPath(places.state, 'attic')] },
  'certificates list': {},
  certificates: {},
  'certificates revoke': { args: ({ told }) => [told('certificates issue', 'serial')] },
  'certificates trust': { untried: 'test/unit/web/real-api.test.ts asks the same route' },
  'certificates untrust': { untried: 'test/unit/web/real-api.test.ts asks the same route' },
  up: { args: () => ['--name', 'attic'], input: invited },
  plugins: {},
  'plugins list': {},
  'plugins show': { args: () => ['nat-stun'] },
  'plugins disable': { args: () => ['nat-stun'] },
  'plugins enable': { args: () => ['nat-stun'] },
  'plugins retry': { args: () => ['nat-stun'], codes: [0, 1] },
  'plugins set': { args: () => ['nat-stun', 'portSamples=4'] },
  check: {},
  repair: { untried: 'it needs a box where nothing runs; test/unit/cli/state.test.ts' },
  ping: {
    first: async world => join(await invited(world), world.port, makeIdentity('cellar')),
    args: () => ['cellar', '-c', '1'],
    codes: [0, 1],
  },
  why: { args: () => ['cellar'] },
  speed: { untried: 'the made-up card carries nothing: test/lab/speed.test.ts' },
  status: {},
  nodes: {},
  'nodes list': {},
  'nodes approve': { args: () => ['cellar'] },
  'nodes disable': { args: () => ['cellar'] },
  'nodes enable': { args: () => ['cellar'] },
  'nodes rename': { args: () => ['cellar', 'shed'] },
  'nodes remove': { args: () => ['shed', '--yes'] },
  relays: {},
  audit: {},
  'rules set': { args: () => ['198.18.0.0/15', 'public'] },
  rules: {},
  'rules list': {},
  'rules unset': { args: () => ['198.18.0.0/15'] },
  restart: { untried: 'it replaces the process that runs the test' },
  netcheck: {},
  logs: {},
  get: {},
  set: { args: () => ['external-addresses', '203.0.113.1:7443', '[2001:db8::1]:7443'] },
  unset: { args: () => ['external-addresses'] },
  bugreport: { args: ({ places }) => [joinPath(places.state, 'report.json')] },
  metrics: { args: () => ['--token'] },
  page: {},
  'page reset-password': {},
  'service status': { codes: [0, 1] },
  'service install': { untried: 'it changes the machine' },
  'service remove': { untried: 'it changes the machine' },
  backup: {
    args: ({ places }) => [joinPath(places.state, 'box.backup')],
    input: async () => Promise.resolve('correct horse\n'),
  },
  restore: { untried: 'it needs an empty box: test/e2e/backup.test.ts' },
  'server export': { args: ({ places }) => [joinPath(places.state, 'export.json'), '--move'] },
  'server import': {
    isElsewhere: true,
    args: ({ places, port }) => [joinPath(places.state, 'export.json'), '--port', String(port)],
  },
  run: { untried: 'it is the daemon and prints nothing' },
  down: {},
};

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function ran(places: RealDaemon['places'], args: readonly string[], input = ''): Promise<Ran> {
  const said = { out: '', err: '' };
  const around = { environment: { GINNEL_STATE: places.state }, input: Readable.from([input]) };
  return { code: await ginnel(args, quietSurroundings(said, around)), ...said };
}

const leaves = (command: Command, path: readonly string[] = []): readonly string[] => [
  ...(command.options.some(({ long }) => long === '--json') ? [path.join(' ')] : []),
  ...command.commands.flatMap(each => leaves(each, [...path, each.name()])),
];

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const commands = leaves(programOf(quietSurroundings({ out: '', err: '' }), () => undefined));

t.test('every command with --json is described and tried', t => {
  t.same(Object.keys(openapi['x-cli']).sort(), [...commands].sort(), 'x-cli in docs/openapi.yaml');
  t.same(Object.keys(CASES).sort(), [...commands].sort(), 'CASES in this file');
  t.end();
});

t.test('what every command prints with --json is what is written', async t => {
  const printed = new Map<string, Record<string, unknown>>();
  const home: World = {
    ...(await realDaemon(t)),
    port: await freePort(),
    told: (command, field) => String(printed.get(command)?.[field]),
  };
  const elsewhere = await realDaemon(t);
  for (const [command, { args, input, first, isElsewhere, codes = [0], untried }] of Object.entries(CASES)) {
    if (untried !== undefined) continue;
    await first?.(home);
    const { places } = isElsewhere === true ? elsewhere : home;
    const words = [...command.split(' '), ...(args?.(home) ?? []), '--json'];
    const { code, out, err } = await ran(places, words, await input?.(home));
    t.ok(codes.includes(code), `${command}: ${code} ${err}`);
    const { schema, lines } = openapi['x-cli'][command] ?? { schema: { $ref: 'none' } };
    const documents = lines === true ? out.trimEnd().split('\n') : [out];
    if (lines !== true) printed.set(command, JSON.parse(out) as Record<string, unknown>);
    for (const document of documents)
      t.equal(problemsOf(schema.$ref, JSON.parse(document)), null, `${command}: ${document.slice(0, 300)}`);
  }
});

t.test(
  'what every command prints with --json where it fails is an error, on standard error alone',
  async t => {
    const { places } = await realDaemon(t);
    for (const command of commands) {
      const { code, out, err } = await ran(places, [...command.split(' '), '--no-such-option', '--json']);
      t.equal(code, 2, command);
      t.equal(out, '', command);
      t.equal(problemsOf('#/components/schemas/CliError', JSON.parse(err)), null, command);
    }
  },
);
