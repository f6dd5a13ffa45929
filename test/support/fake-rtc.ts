// Peer connections that a test opens, fails and feeds by hand: for what the real ones do only by chance or after long.
import type {
  DataChannel,
  Library,
  PairEnd,
  PeerConnection,
  RtcConfig,
} from '../../plugins/webrtc/library.ts';

const SDP = [
  'v=0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 192.0.2.1',
  'a=mid:0',
  'a=setup:actpass',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuv',
  `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
  '',
].join('\r\n');

export class FakePeerConnection implements PeerConnection {
  readonly config: RtcConfig;
  readonly calls: string[] = [];
  readonly sent: Uint8Array[] = [];
  backlog = 0;
  isClosed = false;
  pair: { readonly local: PairEnd; readonly remote: PairEnd } | null = {
    local: { address: '192.0.2.1', port: 1, type: 'host' },
    remote: { address: '198.51.100.1', port: 2, type: 'srflx' },
  };
  #open: () => void = () => undefined;
  #message: (message: Buffer) => void = () => undefined;
  #state: (state: string) => void = () => undefined;
  #described: (sdp: string, type: string) => void = () => undefined;
  #candidate: (candidate: string, mid: string) => void = () => undefined;

  constructor(config: RtcConfig) {
    this.config = config;
  }

  // ---- what a test does

  open(): void {
    this.#open();
  }

  fail(): void {
    this.#state('failed');
  }

  gather(candidate: string): void {
    this.#candidate(candidate, '0');
  }

  receive(bytes: Uint8Array): void {
    this.#message(Buffer.from(bytes));
  }

  // ---- what the plugin does

  close(): void {
    this.isClosed = true;
    this.calls.push('close');
  }

  setLocalDescription(type: 'offer' | 'answer'): void {
    this.calls.push(`local ${type}`);
    this.#described(SDP, type);
  }

  setRemoteDescription(sdp: string, type: 'offer' | 'answer'): void {
    this.calls.push(`remote ${type} ${/a=setup:(\w+)/.exec(sdp)?.[1] ?? ''}`);
  }

  addRemoteCandidate(candidate: string): void {
    this.calls.push(`add ${candidate.split(' ')[4] ?? ''}`);
  }

  createDataChannel(): DataChannel {
    return {
      sendMessageBinary: bytes => this.sent.push(bytes.slice()) > 0,
      bufferedAmount: () => this.backlog,
      onOpen: heard => (this.#open = heard),
      onClosed: () => undefined,
      onError: () => undefined,
      onMessage: heard => (this.#message = heard),
    };
  }

  onLocalDescription(heard: (sdp: string, type: string) => void): void {
    this.#described = heard;
  }

  onLocalCandidate(heard: (candidate: string, mid: string) => void): void {
    this.#candidate = heard;
  }

  onStateChange(heard: (state: string) => void): void {
    this.#state = heard;
  }

  getSelectedCandidatePair(): FakePeerConnection['pair'] {
    return this.pair;
  }
}

export interface FakeRtc {
  readonly load: () => Promise<Library>;
  /** The newest last. */
  readonly made: FakePeerConnection[];
  released: number;
}

export function fakeRtc(): FakeRtc {
  const fake: FakeRtc = {
    made: [],
    released: 0,
    load: () =>
      Promise.resolve({
        version: 'fake',
        connect(_, config) {
          const made = new FakePeerConnection(config);
          fake.made.push(made);
          return made;
        },
        release() {
          fake.released++;
          return Promise.resolve();
        },
      }),
  };
  return fake;
}
