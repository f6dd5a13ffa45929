// A log file that cannot fill the disk: at a limit it becomes `<path>.1`, replacing the one before.
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

export interface LineSink {
  write(line: string): void;
}

/** Twice `maxBytes` is the most it ever takes. A line that cannot be written (a full disk) is lost, not fatal. */
export function boundedFile(path: string, maxBytes = 1024 * 1024): LineSink & { close(): void } {
  let descriptor = openSync(path, 'a', 0o600);
  let bytes = fstatSync(descriptor).size;
  let lost = 0;
  const turnOver = (): void => {
    closeSync(descriptor);
    renameSync(path, `${path}.1`);
    descriptor = openSync(path, 'a', 0o600);
    bytes = 0;
  };
  return {
    write(line) {
      try {
        if (bytes > 0 && bytes + Buffer.byteLength(line) > maxBytes) turnOver();
        const text = lost === 0 ? line : `{"lost":${lost}}\n${line}`;
        bytes += writeSync(descriptor, text);
        lost = 0;
      } catch {
        lost++;
      }
    },
    close: () => closeSync(descriptor),
  };
}
