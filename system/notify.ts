// Words to a service manager: datagrams to the unix socket that NOTIFY_SOCKET names (man 3 sd_notify). Node has no unix
// datagrams of its own.
import { createArena } from './arena.ts';
import { systemErrors } from './errors.ts';
import type { Libc } from './libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** sockaddr_un: the family, then the path. */
const PATH_AT = 2;
const MAX_PATH_BYTES = 108;
const MAX_WORDS_BYTES = 2048;

export interface NotifySocket {
  /** `READY=1\nSTATUS=…`; false where nobody took it. */
  send(words: string): boolean;
  close(): void;
}

/** `@name` stands for a name in the abstract namespace. Throws NOTIFY_SOCKET where there is nobody at that path. */
export function openNotifySocket(libc: Libc, path: string): NotifySocket {
  const name = new TextEncoder().encode(path);
  const isAbstract = path.startsWith('@');
  if ((!isAbstract && !path.startsWith('/')) || name.length >= MAX_PATH_BYTES)
    throw systemErrors('NOTIFY_SOCKET', { path, reason: 'it is no path of a unix socket' });
  const arena = createArena(libc, MAX_PATH_BYTES + PATH_AT + MAX_WORDS_BYTES);
  arena.view.setUint16(0, AF_UNIX, true);
  arena.memory.set(name, PATH_AT);
  if (isAbstract) arena.memory[PATH_AT] = 0;
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  // A name in the file system ends with a zero; an abstract one is as long as it is.
  const bytes = PATH_AT + name.length + (isAbstract ? 0 : 1);
  if (fd < 0 || libc.connect(fd, arena.base, bytes) < 0) {
    const reason = `errno ${libc.errno()}`;
    if (fd >= 0) libc.close(fd);
    throw systemErrors('NOTIFY_SOCKET', { path, reason });
  }
  const wordsAt = MAX_PATH_BYTES + PATH_AT;
  return {
    send(words) {
      const sent = new TextEncoder().encode(words).subarray(0, MAX_WORDS_BYTES);
      arena.memory.set(sent, wordsAt);
      return libc.send(fd, arena.base + wordsAt, sent.length, MSG_NOSIGNAL) === sent.length;
    },
    close: () => void libc.close(fd),
  };
}
