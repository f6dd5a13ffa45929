// The fast profile: what two Ginnel nodes may agree on inside an established session, where nobody can talk them out of it.
// It has keys and a receiver index of its own, AES-256-GCM where both CPUs have the instructions for it, and packets
// that may travel with their checksum left open, since the tag protects them. Stock messages go on meanwhile.
//
// Each end says: "my index is X, I can do this, I have (or not) yours", as a word in the session. Whoever has the
// other's index, and knows that the other has its own, seals by it. What was lost is said again with the next packets.
import type { Primitives } from '../../protocol/primitives.ts';
import type { AeadName } from './aead.ts';
import type { Indices } from './indices.ts';
import { Keypair } from './keypairs.ts';
import type { Setting } from './options.ts';
import type { Peer } from './peer.ts';

/** The first byte of a word that is the data plane's own; text begins with another. */
const OFFER = 1;
const VERSION = 1;
const OFFER_BYTES = 8;
const CAN_AES = 0x01;
const HAVE_YOURS = 0x02;
const AGAIN_MS = 1_000;
const MOST_OFFERS = 8;

/** Before each packet of the fast profile stands one byte: is its TCP or UDP checksum left open? */
export const CHECKSUM_LEFT_OPEN = 0x01;
export const FAST_HEADER_BYTES = 1;

/** How far the two ends of one session have come. */
export class Profile {
  readonly localIndex: number;
  /** From the handshake; all zero once keys were made of it. */
  readonly secret: Uint8Array;
  offers = 0;
  offeredAt = -Infinity;
  saidHave = false;
  theyHaveOurs = false;
  pair: Keypair | null = null;

  constructor(localIndex: number, secret: Uint8Array) {
    this.localIndex = localIndex;
    this.secret = secret;
  }

  get sealing(): Keypair | null {
    return this.theyHaveOurs ? this.pair : null;
  }

  wipe(): void {
    this.secret.fill(0);
    this.pair?.wipe();
  }
}

export interface FastProfileOptions {
  readonly setting: Setting;
  readonly indices: Indices;
  /** Seals a word in the stock keys of that pair, and lays it up. */
  readonly tell: (peer: Peer, body: Uint8Array, now: number) => void;
}

export class FastProfile {
  readonly #options: FastProfileOptions;
  readonly #ownAbilities: number;

  constructor(options: FastProfileOptions) {
    this.#options = options;
    this.#ownAbilities = options.setting.fastCiphers.includes('aes-256-gcm') ? CAN_AES : 0;
  }

  /** Stock data was sent: the profile is offered, where that is due. */
  stockSent(peer: Peer, pair: Keypair, now: number): void {
    const { profile } = pair;
    if (profile === null || profile.offers >= MOST_OFFERS || now - profile.offeredAt < AGAIN_MS) return;
    this.#offer(peer, profile, now);
  }

  /** Is that word for the data plane itself? */
  isOffer(body: Uint8Array): boolean {
    return body[0] === OFFER;
  }

  /** The other end's offer, which came in that session. */
  heard(peer: Peer, pair: Keypair, body: Uint8Array, now: number): void {
    const { profile } = pair;
    if (profile === null || body.length < OFFER_BYTES || body[1] !== VERSION) return;
    const abilities = body[2]!;
    const haveOurs = (abilities & HAVE_YOURS) !== 0;
    profile.pair ??= this.#pairOf(pair, profile, abilities, readIndex(body));
    profile.theyHaveOurs ||= haveOurs;
    // Also where it is asked again after a while: what we said may have been lost.
    const isDue = !profile.saidHave || !haveOurs || now - profile.offeredAt >= AGAIN_MS / 2;
    if (isDue && profile.offers < MOST_OFFERS) this.#offer(peer, profile, now);
  }

  /** Data came in these keys: the other end has our index. */
  fastReceived({ session }: Keypair): void {
    if (session.profile !== null) session.profile.theyHaveOurs = true;
  }

  #offer(peer: Peer, profile: Profile, now: number): void {
    const body = new Uint8Array(OFFER_BYTES);
    const have = profile.pair === null ? 0 : HAVE_YOURS;
    body.set([OFFER, VERSION, this.#ownAbilities | have]);
    new DataView(body.buffer).setInt32(4, profile.localIndex, true);
    profile.offers++;
    profile.offeredAt = now;
    profile.saidHave = profile.pair !== null;
    this.#options.tell(peer, body, now);
  }

  #pairOf(session: Keypair, profile: Profile, abilities: number, remoteIndex: number): Keypair {
    const { setting, indices } = this.#options;
    const cipher: AeadName =
      (abilities & this.#ownAbilities & CAN_AES) !== 0 ? 'aes-256-gcm' : 'chacha20-poly1305';
    const initiators = keyOf(setting.primitives, profile.secret, cipher, 'initiator');
    const responders = keyOf(setting.primitives, profile.secret, cipher, 'responder');
    profile.secret.fill(0);
    const keys = session.initiator
      ? { send: initiators, receive: responders }
      : { send: responders, receive: initiators };
    const { initiator, createdAt } = session;
    const facts = { localIndex: profile.localIndex, remoteIndex, initiator, createdAt };
    const pair = new Keypair(setting.aead, cipher, keys, facts, session);
    const entry = indices.find(profile.localIndex);
    if (entry !== undefined) entry.keypair = pair;
    return pair;
  }
}

const readIndex = (body: Uint8Array): number =>
  new DataView(body.buffer, body.byteOffset, body.length).getInt32(4, true);

/** What that end seals with. */
const keyOf = (primitives: Primitives, secret: Uint8Array, cipher: AeadName, end: string): Uint8Array =>
  primitives.hmacBlake2s(secret, new TextEncoder().encode(`${cipher} ${end}`));
