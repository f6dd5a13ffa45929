// webrtc: ICE data channels between two nodes, for networks whose firewalls like those better than other UDP, and for TURN
// servers. The sealed signals of the location server carry descriptions and candidates; the channel carries datagrams.
import { setMaxListeners } from 'node:events';
import type { Candidate } from '../../core/contract/candidate.ts';
import type { Link } from '../../core/contract/link.ts';
import type { PluginContext, PluginReport, StreamPeer, TransportPlugin } from '../../core/contract/plugin.ts';
import type { Timer } from '../../base/clock.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { endpointOf, type IceCandidate } from './candidates.ts';
import { webrtcErrors } from './errors.ts';
import { loadLibrary, type Library } from './library.ts';
import { resolveLocal } from './mdns.ts';
import { Meeting, type Around, type MeetingParts } from './meeting.ts';
import { isTold, readSettings, type WebrtcSettings } from './settings.ts';
import { credentialsOf, iceServers } from './turn.ts';
import { UdpCheck } from './udp-check.ts';
import { decodeSaying, encodeSaying, type Saying } from './words.ts';

const NAME = 'webrtc';
const MAX_MEETINGS = 256;
/** Nothing came by it for so long, not even the core's own questions: it is of no use any more. */
const IDLE_MS = 5 * 60_000;
const LOOK_EVERY_MS = 30_000;
const ANY_PORT = 9;
/** What the library lacks. */
const MISSING = ['TURN over TCP and TLS', 'ICE restart (a new connection instead)'];

/** `load`: brings the library. */
export function createPlugin(
  context: PluginContext,
  load: () => Promise<Library> = loadLibrary,
): TransportPlugin {
  return new Webrtc(context, load);
}

class Webrtc implements TransportPlugin {
  readonly name = NAME;
  readonly traits = {
    reliable: false,
    ordered: false,
    relayed: false,
    inbound: true,
    needsSignalling: true,
  } as const;
  readonly #context: PluginContext;
  readonly #load: () => Promise<Library>;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #meetings = new Map<string, Meeting>();
  readonly #counts: MeetingParts['counts'];
  readonly #udp: UdpCheck;
  #settings: WebrtcSettings;
  #library: Library | null = null;
  #looking: Timer | null = null;
  #places = '';
  #unsubscribes: (() => void)[] = [];
  #closing: Promise<void> | null = null;

  constructor(context: PluginContext, load: () => Promise<Library>) {
    setMaxListeners(0, this.#ended.signal);
    this.#context = context;
    this.#load = load;
    this.#settings = readSettings(context.settings);
    this.#counts = countsOf(context);
    this.#udp = new UdpCheck(context.stun, this.#ended.signal);
    const end = (): void => void this.#end();
    if (context.signal.aborted) end();
    else context.signal.addEventListener('abort', end, { once: true });
  }

  async start(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#isEnded()) return;
    const library = await this.#load();
    if (this.#isEnded()) return library.release();
    this.#library = library;
    const { stun, signals } = this.#context;
    this.#warn();
    this.#places = this.#ownPlaces();
    this.#unsubscribes = [
      signals.onSignal((from, words) => this.#heard(from, words)),
      stun.onChange(() => this.#networkChanged()),
    ];
    void this.#udp.look();
    this.#lookLater();
    this.#changed();
  }

  stop(): Promise<void> {
    return this.#end();
  }

  /** What stands goes on as it is; what comes goes by the new settings. */
  reconfigure(settings: Readonly<Record<string, unknown>>): Promise<void> {
    this.#settings = readSettings(settings);
    this.#warn();
    return Promise.resolve();
  }

  report(): PluginReport {
    const code = this.#code();
    const { turn } = this.#settings;
    const facts = {
      library: this.#library?.version ?? null,
      udp: this.#udp.passes,
      stun: this.#stun() !== null,
      turn: turn.map(({ host, port }) => `${host}:${port}`),
      channels: [...this.#meetings.values()].flatMap(({ peer, link }) =>
        link === null ? [] : [{ name: peer.name, way: link.throughTurn === true ? 'turn' : 'direct' }],
      ),
      trying: [...this.#meetings.values()].filter(({ isTrying }) => isTrying).length,
      missing: MISSING,
      ...(this.#settings.problem === '' ? {} : { problem: this.#settings.problem }),
    };
    return { state: code === '' ? 'ready' : 'limited', code, facts };
  }

  candidates(): readonly Candidate[] {
    if (this.#library === null || this.#ended.signal.aborted) return [];
    const endpoint = this.#mainAddress();
    return endpoint === null ? [] : [{ kind: 'host', transport: NAME, endpoint, foundBy: NAME }];
  }

  async dial(_: Candidate, peer: StreamPeer, signal: AbortSignal): Promise<Link> {
    const meeting = this.#library === null ? null : this.#meeting(peer);
    if (meeting === null)
      throw webrtcErrors('WEBRTC_FAILED', { name: peer.name, reason: 'There is no room for another' });
    return meeting.dial(signal);
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  // ---- meetings

  #heard(from: StreamPeer, words: string): void {
    const saying = decodeSaying(words);
    if (saying === null) this.#counts.unknown.value++;
    else if (saying === 'version') this.#meetings.get(from.node)?.refuse('It speaks another version');
    else if (saying.type === 'want' || saying.type === 'offer') this.#meeting(from)?.heard(saying);
    else this.#meetings.get(from.node)?.heard(saying);
  }

  #meeting(peer: StreamPeer): Meeting | null {
    const known = this.#meetings.get(peer.node);
    if (known !== undefined) return known;
    if (this.#meetings.size >= MAX_MEETINGS || this.#ended.signal.aborted) return null;
    const { clock, links, streams, random } = this.#context;
    const meeting: Meeting = new Meeting({
      ...{ clock, peer, links, counts: this.#counts },
      offers: streams.node < peer.node,
      say: saying => this.#say(peer, saying),
      newId: () => Buffer.from(random.bytes(12)).toString('base64url'),
      around: () => this.#around(),
      over: () => {
        if (this.#meetings.get(peer.node) === meeting) this.#meetings.delete(peer.node);
      },
    });
    this.#meetings.set(peer.node, meeting);
    return meeting;
  }

  #say(peer: StreamPeer, saying: Saying): void {
    const { signals, log } = this.#context;
    signals
      .send(peer.node, encodeSaying(saying))
      .catch((error: unknown) =>
        log.debug('a signal was not sent', { to: peer.name, reason: String(error) }),
      );
  }

  #around(): Around {
    const { clock, log, links, primitives } = this.#context;
    const library = this.#library;
    if (library === null) throw new TypeError('it is not started');
    const settings = this.#settings;
    const now = clock.wallMs();
    const credentials = credentialsOf(settings, primitives, now);
    const until = credentials?.until ?? null;
    return {
      ...{ library, clock, log },
      iceServers: iceServers(this.#stun(), settings, credentials),
      turnLastsMs: until === null ? null : until - now,
      mayTell: candidate => this.#mayTell(candidate),
      mayUse: endpoint => links.isPlace(endpoint),
      resolve: resolveLocal,
    };
  }

  /** What servers say of this box is told in any case; of its own addresses those that the owner lets. */
  #mayTell(candidate: IceCandidate): boolean {
    if (candidate.type !== 'host') return true;
    const endpoint = endpointOf(candidate);
    return (
      endpoint !== null && this.#context.links.isPlace(endpoint) && isTold(endpoint.address, this.#settings)
    );
  }

  #isEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  // ---- this box's place

  #stun(): Endpoint | null {
    const all = this.#context.stun.servers().map(({ endpoint }) => endpoint);
    return all.find(({ family }) => family === 4) ?? all[0] ?? null;
  }

  #mainAddress(): Endpoint | null {
    const { stun, links } = this.#context;
    const all = stun.localAddresses().map(({ family, address }): Endpoint => {
      const port = stun.main(family)?.localPort ?? ANY_PORT;
      return { family, address, port };
    });
    const usable = all.filter(endpoint => links.isPlace(endpoint));
    return usable.find(({ family }) => family === 4) ?? usable[0] ?? null;
  }

  /** Without the overlay's own. */
  #ownPlaces(): string {
    const { stun, links } = this.#context;
    const all = stun.localAddresses().map(place => ({ ...place, port: ANY_PORT }));
    return all
      .filter(place => links.isPlace(place))
      .map(({ address }) => address)
      .sort()
      .join(' ');
  }

  #networkChanged(): void {
    void this.#udp.look();
    const places = this.#ownPlaces();
    if (places === this.#places) return;
    this.#places = places;
    for (const meeting of [...this.#meetings.values()]) meeting.begin();
    this.#changed();
  }

  #lookLater(): void {
    const { clock } = this.#context;
    this.#looking = clock.after(LOOK_EVERY_MS, () => {
      const now = clock.monotonicMs();
      for (const meeting of [...this.#meetings.values()])
        if (meeting.heardAt !== null && now - meeting.heardAt >= IDLE_MS) meeting.close('nothing went by it');
      this.#lookLater();
    });
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #warn(): void {
    const { problem } = this.#settings;
    if (problem !== '') this.#context.log.warn(webrtcErrors('WEBRTC_BAD_SETTINGS', { problem }).message);
  }

  #code(): string {
    if (this.#udp.passes === 'no') return 'WEBRTC_UDP_BLOCKED';
    if (this.#settings.problem !== '') return 'WEBRTC_BAD_SETTINGS';
    return this.#stun() === null ? 'WEBRTC_NO_STUN' : '';
  }

  /** Whichever comes first, `stop` or the signal. Resolves when the library holds nothing of ours any more. */
  #end(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#ended.abort();
    this.#looking?.cancel();
    for (const unsubscribe of this.#unsubscribes.splice(0)) unsubscribe();
    for (const meeting of [...this.#meetings.values()]) meeting.close('the plugin stopped');
    this.#meetings.clear();
    await this.#library?.release();
  }
}

const countsOf = ({ counters }: PluginContext): MeetingParts['counts'] => ({
  opened: counters.counter('channels.opened'),
  failed: counters.counter('channels.failed'),
  again: counters.counter('channels.again'),
  sent: counters.counter('sent.bytes'),
  received: counters.counter('received.bytes'),
  busy: counters.counter('dropped.busy'),
  unknown: counters.counter('dropped.unknown'),
});
