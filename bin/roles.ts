// The two roles a daemon may play, and which of them the owner wants: that is kept, so that a restart brings them back.
import type { NodeAdmin } from '../core/admin.ts';
import type { ServerAdmin } from '../server/admin.ts';

export type Role = 'node' | 'server';

/** Where the wish is kept; a part of the daemon's store. */
export interface Wishes {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
}

export interface Roles {
  readonly node: NodeAdmin | null;
  readonly server: ServerAdmin | null;
  isUp(role: Role): boolean;
  /** Is a call that brings a role up or down under way? */
  readonly busy: boolean;
  wanted(role: Role): Promise<boolean>;
  /** Brings a role up as it was; nothing happens where the daemon lacks it. */
  resume(role: Role): Promise<void>;
  /** In turn with them; where it succeeds, no order is carried out any more: all is about to be built anew. */
  last<T>(work: () => Promise<T>): Promise<T>;
}

/** The same admins, but one `up` or `down` at a time, and what came of each is remembered. */
export function rolesOf(node: NodeAdmin | null, server: ServerAdmin | null, wishes: Wishes): Roles {
  let under = 0;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    under++;
    const done = last.then(work).finally(() => under--);
    last = done.catch(() => undefined);
    return done;
  };
  const wish = async <T>(role: Role, isWanted: boolean, work: () => Promise<T>): Promise<T> => {
    const result = await work();
    await wishes.put(role, isWanted);
    return result;
  };
  const isUp = (role: Role): boolean =>
    role === 'node' ? node !== null && node.status().state !== 'down' : server?.summary().state === 'up';
  const roles: Roles = {
    node: node === null ? null : nodeInTurn(node, inTurn, wish),
    server: server === null ? null : serverInTurn(server, inTurn, wish),
    isUp,
    get busy() {
      return under > 0;
    },
    wanted: async role => (await wishes.get(role)) === true,
    resume: async role => {
      if (role === 'node') await inTurn(async () => (isUp('node') ? undefined : node?.up({})));
      else await inTurn(async () => (isUp('server') ? undefined : server?.up({})));
    },
    last: work => {
      const done = last.then(work);
      last = done.then(
        () => new Promise(() => undefined),
        () => undefined,
      );
      return done;
    },
  };
  return roles;
}

type InTurn = <T>(work: () => Promise<T>) => Promise<T>;
type Wish = <T>(role: Role, isWanted: boolean, work: () => Promise<T>) => Promise<T>;

const nodeInTurn = (node: NodeAdmin, inTurn: InTurn, wish: Wish): NodeAdmin => ({
  plugins: node.plugins,
  status: () => node.status(),
  look: () => node.look(),
  // To be told to go up as it is changes nothing: whatever flows goes on flowing.
  up: options =>
    inTurn(() =>
      wish('node', true, async () =>
        node.status().state === 'up' && Object.keys(options).length === 0 ? node.status() : node.up(options),
      ),
    ),
  // Not only in turn: whoever says `down` while the box still comes up breaks that off.
  down: async () => {
    await Promise.all([node.down(), inTurn(() => wish('node', false, () => node.down()))]);
  },
  ping: (options, signal) => node.ping(options, signal),
  netcheck: signal => node.netcheck(signal),
  why: peer => node.why(peer),
  relays: () => node.relays(),
  counters: () => node.counters(),
  settings: () => node.settings(),
  changeSettings: change => node.changeSettings(change),
});

const serverInTurn = (server: ServerAdmin, inTurn: InTurn, wish: Wish): ServerAdmin => ({
  summary: () => server.summary(),
  up: options => inTurn(() => wish('server', true, () => server.up(options))),
  down: () => inTurn(() => wish('server', false, () => server.down())),
  invite: options => server.invite(options),
  settings: () => server.settings(),
  changeSettings: change => server.changeSettings(change),
  accounts: server.accounts,
  certificates: server.certificates,
  invites: () => server.invites(),
  revokeInvite: id => server.revokeInvite(id),
  // A server that moved away is not brought back at the next boot.
  export: options =>
    options.move === true
      ? inTurn(() => wish('server', false, () => server.export(options)))
      : server.export(options),
  import: options => inTurn(() => wish('server', true, () => server.import(options))),
  approveNode: node => server.approveNode(node),
  members: server.members,
  relays: server.relays,
});
