// Readiness of file descriptors on Node's own event loop: a shim over koffi.node.poll with its traps closed.
// libuv stops a poll for good at POLLERR; a handle open at process.exit crashes; an exception thrown out of the callback is
// swallowed until some later native call. All three end here.
import type { KoffiModule } from './libc.ts';

export interface WatchHandlers {
  readable(): void;
  /**
   * The descriptor is in an error state: take the error off it, else this is called again at once.
   * `false` ends the watch.
   */
  failed(): boolean;
}

export interface Watch {
  /** Idempotent. To be called before the descriptor is closed. */
  close(): void;
}

/** Watches descriptors, and lets go of all of them before the process exits. */
export interface Readiness {
  watch(fd: number, handlers: WatchHandlers): Watch;
  /** For a connection on its way: `settled` is called once, when it stands or has failed; the watch is over by then. */
  watchConnect(fd: number, settled: () => void): Watch;
}

/** koffi calls back with the status first; its types leave that out. */
type PollHandle = InstanceType<KoffiModule['node']['PollHandle']>;
type PollCallback = (...statusAndEvents: unknown[]) => void;

const READABLE = { readable: true };
const WRITABLE = { writable: true };

export function createReadiness(koffi: KoffiModule): Readiness {
  // A handle that nobody refers to is collected, and its descriptor falls silent: this set refers to all.
  const open = new Set<Watch>();
  const closeAll = (): void => open.forEach(watch => watch.close());
  const keep = (handle: PollHandle): Watch => {
    const watch: Watch = {
      close() {
        if (!open.delete(watch)) return;
        handle.close();
        if (open.size === 0) process.off('exit', closeAll);
      },
    };
    if (open.size === 0) process.on('exit', closeAll);
    open.add(watch);
    return watch;
  };

  return {
    watch(fd, handlers) {
      const onPoll: PollCallback = status => rethrowLater(() => dispatch(Number(status)));
      const handle: PollHandle = koffi.node.poll(fd, READABLE, onPoll);
      const watch = keep(handle);
      const dispatch = (status: number): void => {
        if (status >= 0) handlers.readable();
        else if (!handlers.failed()) watch.close();
        else if (open.has(watch)) handle.start(READABLE, onPoll);
      };
      return watch;
    },
    watchConnect(fd, settled) {
      const onPoll: PollCallback = () =>
        rethrowLater(() => {
          if (!open.has(watch)) return;
          watch.close();
          settled();
        });
      const watch = keep(koffi.node.poll(fd, WRITABLE, onPoll));
      return watch;
    },
  };
}

function rethrowLater(work: () => void): void {
  try {
    work();
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}
