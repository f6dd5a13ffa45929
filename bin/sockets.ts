// The daemon's unix sockets: made with their modes before anyone can connect, and gone when closed.
import { chmodSync, chownSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';

export interface OpenSocket {
  /** Lets answers under way finish, for a second. */
  close(): Promise<void>;
}

export interface SocketOptions {
  readonly path: string;
  readonly mode: number;
  /** The group it belongs to, where this box has that group. */
  readonly group: string | null;
  readonly answer: RequestListener;
}

const FAREWELL_MS = 1000;

/** Whoever calls this holds the state folder, so a socket file that is there already was left by a dead daemon. */
export async function listenUnix({ path, mode, group, answer }: SocketOptions): Promise<OpenSocket> {
  removeStale(path);
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 },
    answer,
  );
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    // For good: a connection that could not be taken later (no descriptors left) must not end the daemon.
    server.on('error', reject);
    // The file comes to be inside listen(), with no moment in which others may open it.
    const umask = process.umask(0o177);
    server.listen(path, resolve);
    process.umask(umask);
  });
  const gid = group === null ? null : groupId(group);
  if (gid !== null) chownSync(path, process.getuid?.() ?? 0, gid);
  chmodSync(path, mode);
  return { close: () => closed(server) };
}

function closed(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise(resolve => {
    const hurry = setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
    server.close(() => {
      clearTimeout(hurry);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() === true) rmSync(path);
}

function groupId(name: string): number | null {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find(one => one.startsWith(`${name}:`));
  const gid = Number(line?.split(':')[2]);
  return line === undefined || !Number.isInteger(gid) ? null : gid;
}
