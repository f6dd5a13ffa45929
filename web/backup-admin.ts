// The narrow interface by which page and command make a back-up of the whole box, and bring one back. Plain JSON.

/** `node`: keys and membership; `peers`: boxes met, and who is out; `page`: the owner's password; `server`: the location server. */
export type BackupPartName = 'node' | 'peers' | 'settings' | 'plugins' | 'page' | 'server';

export interface BackupPart {
  readonly part: BackupPartName;
  /** Of the things it holds: boxes met, settings chosen, boxes of the network; 1 where it is one thing. */
  readonly count: number;
}

/** What a back-up is of. */
export interface BackupFacts {
  /** Of the box; of its network where it only runs the location server. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly made: number;
  readonly parts: readonly BackupPart[];
}

export interface MadeBackup extends BackupFacts {
  /** One line of JSON, sealed by the passphrase. */
  readonly file: string;
  readonly bytes: number;
}

export interface Restored extends BackupFacts {
  /** The node's id and its virtual IPv4 address; empty: it was on no network. */
  readonly id: string;
  readonly ip4: string;
  /** What comes up as it was, within a moment. */
  readonly roles: readonly ('node' | 'server')[];
  /** What is not as it was, in sentences. */
  readonly notes: readonly string[];
}

export interface BackupAdmin {
  /** Errors: BACKUP_NOTHING, BACKUP_TOO_LARGE, PASSPHRASE_SHORT, and the store's. */
  make(passphrase: string): Promise<MadeBackup>;
  /**
   * Onto an empty box, all or nothing; then the daemon builds itself anew from it, in the same process.
   * Errors: BACKUP_*, DISK_FULL.
   */
  restore(file: string, passphrase: string): Promise<Restored>;
}
