// What the daemon answers of the network that this box runs (docs/openapi.yaml), as far as the page reads it.

export interface NodeShown {
  readonly id: string;
  readonly name: string;
  readonly ip4: string;
  readonly ip6: string;
  readonly standing: 'member' | 'pending' | 'disabled';
  readonly online: boolean;
  readonly lastSeen: number;
  readonly registered: readonly { readonly endpoint: string; readonly scope: string }[];
}

export interface NodesShown {
  readonly nodes: readonly NodeShown[];
  readonly removed: readonly { readonly id: string; readonly name: string; readonly at: number }[];
}

export interface Invite {
  readonly id: string;
  readonly note: string;
  readonly state: 'open' | 'used' | 'expired' | 'revoked';
  readonly uses: number | null;
  readonly usesLeft: number | null;
  readonly approval: boolean;
  readonly issued: number;
  readonly expires: number;
}

export interface IssuedInvite extends Invite {
  /** A secret, told this once. */
  readonly invite: string;
}

export interface Account {
  readonly name: string;
  readonly boxes: number | null;
  readonly used: readonly string[];
  readonly created: number;
  readonly changed: number;
}

export interface Certificates {
  readonly authorities: readonly {
    readonly id: string;
    readonly subject: string;
    readonly fingerprint: string;
    readonly expires: number;
    readonly own: boolean;
  }[];
  readonly issued: readonly {
    readonly serial: string;
    readonly name: string;
    readonly expires: number;
    readonly state: 'open' | 'used' | 'expired' | 'revoked';
    readonly usedBy: string;
  }[];
  readonly revoked: readonly string[];
}

export interface IssuedCertificate {
  readonly name: string;
  readonly serial: string;
  readonly expires: number;
  readonly certificate: string;
  readonly key: string;
}

export interface Rules {
  readonly own: readonly { readonly prefix: string; readonly scope: string }[];
  readonly defaults: readonly { readonly prefix: string; readonly scope: string; readonly source: string }[];
}

export interface Relays {
  readonly choice: string;
  readonly relays: readonly {
    readonly id: string;
    readonly name: string;
    readonly region: string;
    readonly usable: boolean;
    readonly problem: string;
    readonly door: readonly string[];
    readonly nodes: number;
    readonly firsts: number;
    readonly mostNodes: number;
    /** Bits per second. */
    readonly limit: number | null;
    readonly spare: number | null;
    readonly cpuLoad: number | null;
    readonly load: number | null;
  }[];
}

export interface RelaysWhy {
  readonly id: string;
  readonly name: string;
  readonly choice: string;
  readonly need: string;
  readonly ranking: readonly {
    readonly id: string;
    readonly name: string;
    readonly use: 'first' | 'second' | 'not used' | 'not usable';
    readonly words: string;
  }[];
}

export interface AuditEntry {
  readonly seq: number;
  readonly at: number;
  readonly what: string;
  readonly by: string;
  readonly subject: string;
  readonly words: string;
}
