// Boxes that join a network by the real protocol, many in one process: what the programs beside the bench begin with.
import type { Invite } from '../../protocol/location/invite.ts';
import type { SignedNode } from '../../protocol/location/messages.ts';
import { expectWelcome, makeIdentity, TestConnection } from '../support/location-client.ts';

/** The server takes 50 handshakes a second of all when it has just started. */
const EVERY_MS = 22;

export interface Joined {
  readonly connection: TestConnection;
  readonly node: SignedNode;
}

/** Calls `join` so many times, each with the next of `sources`, no faster than the server takes them. */
export async function joinAll(
  count: number,
  sources: readonly string[],
  join: (from: string) => Promise<void>,
): Promise<void> {
  const joining: Promise<void>[] = [];
  for (let made = 0; made < count; made += 1) {
    joining.push(join(sources[made % sources.length] ?? ''));
    await new Promise(resolve => setTimeout(resolve, EVERY_MS));
  }
  await Promise.all(joining);
}

/** Logs in by the invite and publishes its record; the connection stays open. */
export async function joinFrom(invite: Invite, host: string, port: number, from: string): Promise<Joined> {
  const identity = makeIdentity();
  const connection = await TestConnection.open({ invite, host, port, identity, from });
  const { assignment, ...welcome } = expectWelcome(await connection.login({ token: invite.token }));
  const record = connection.record({ ...welcome, assignment });
  const published = await connection.ask({ type: 'publish', record });
  if (published.type !== 'done') throw new Error(JSON.stringify(published));
  return { connection, node: { record, assignment } };
}
