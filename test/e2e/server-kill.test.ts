// A location server killed with -9 in the middle of 1,000 registrations, three times: every acknowledged one is there.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import t from 'tap';
import type { TestIdentity } from '../support/location-client.ts';
import { expectWelcome, makeIdentity, readInvite, TestConnection } from '../support/location-client.ts';
import { startServer, temporaryFolder } from '../support/location-server.ts';

const REGISTRATIONS = 1000;
const KILL_AFTER = [200, 500, 800];
const AT_ONCE = 12;
const PATIENCE_MS = 60_000;

interface Child {
  readonly process: ChildProcess;
  readonly port: number;
  readonly invites: readonly string[];
}

async function startChild(stateDir: string, port: number, invites: number): Promise<Child> {
  const program = new URL('../support/server-process.js', import.meta.url).pathname;
  const process_ = spawn(process.execPath, [program, stateDir, String(port), String(invites)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: process_.stdout })) {
    const said = JSON.parse(line) as { port: number; invites: string[] };
    return { process: process_, ...said };
  }
  throw new Error('the server did not start');
}

async function kill(child: Child): Promise<void> {
  if (child.process.exitCode !== null || child.process.signalCode !== null) return;
  const gone = new Promise(resolve => child.process.once('exit', resolve));
  child.process.kill('SIGKILL');
  await gone;
}

/** Tries until acknowledged; answers the virtual IP. An invite that our own killed log-in used up is no failure. */
async function register(identity: TestIdentity, text: string, port: () => number): Promise<string> {
  const invite = readInvite(text);
  for (const since = Date.now(); Date.now() - since < PATIENCE_MS;) {
    try {
      const connection = await TestConnection.open({ invite, port: port(), identity });
      const { ip4 } = expectWelcome(await connection.login({ token: invite.token })).assignment;
      connection.terminate();
      return ip4;
    } catch (error) {
      if (/not welcome/.test(String(error))) throw error;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
  throw new Error('never acknowledged');
}

t.test(
  'V1: killed with -9 amid 1,000 registrations, every acknowledged one is there and no virtual IP twice',
  async t => {
    t.setTimeout(4 * PATIENCE_MS);
    const stateDir = temporaryFolder(t);
    let child = await startChild(stateDir, 0, REGISTRATIONS);
    const { port, invites } = child;
    t.teardown(() => kill(child));
    const acknowledged = new Map<string, string>();
    const waiting = [...invites];
    const kills = [...KILL_AFTER];
    let restarting: Promise<void> = Promise.resolve();
    const restart = async (): Promise<void> => {
      await kill(child);
      child = await startChild(stateDir, port, 0);
    };
    const worker = async (): Promise<void> => {
      for (let invite = waiting.shift(); invite !== undefined; invite = waiting.shift()) {
        const identity = makeIdentity();
        acknowledged.set(identity.id, await register(identity, invite, () => port));
        if (acknowledged.size < (kills[0] ?? Infinity)) continue;
        kills.shift();
        restarting = restarting.then(restart);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await restarting;
    t.equal(kills.length, 0, 'three kills happened');
    await kill(child);
    const { server } = await startServer(t, {}, { stateDir });
    const kept = new Map(server.summary().nodes.map(({ id, ip4 }) => [id, ip4]));
    t.equal(acknowledged.size, REGISTRATIONS);
    const wrong = [...acknowledged].filter(([id, ip4]) => kept.get(id) !== ip4);
    t.same(wrong, [], 'each has the address that was acknowledged');
    t.equal(new Set(kept.values()).size, kept.size, 'no virtual IP twice');
  },
);
