// node-datachannel, loaded when the plugin starts and left in order when it stops. Its clean-up waits for all connections
// to be gone: a process that exits in the middle of that would crash, so whoever stops the plugin waits for it too.

/** An optional part of the installation: where it is missing, everything else is built and runs. */
const PACKAGE: string = 'node-datachannel';

export interface RtcConfig {
  readonly iceServers: readonly IceServer[];
  readonly disableAutoNegotiation?: boolean;
  readonly maxMessageSize?: number;
}

export interface IceServer {
  readonly hostname: string;
  readonly port: number;
  /** Of a TURN server, with user and password. */
  readonly relayType?: 'TurnUdp';
  readonly username?: string;
  readonly password?: string;
}

/** Exceptions in callbacks end the process. All of it may throw. */
export interface PeerConnection {
  close(): void;
  setLocalDescription(type: 'offer' | 'answer'): void;
  setRemoteDescription(sdp: string, type: 'offer' | 'answer'): void;
  /** Throws where there is no remote description yet. */
  addRemoteCandidate(candidate: string, mid: string): void;
  createDataChannel(label: string, config: object): DataChannel;
  onLocalDescription(heard: (sdp: string, type: string) => void): void;
  onLocalCandidate(heard: (candidate: string, mid: string) => void): void;
  onStateChange(heard: (state: string) => void): void;
  getSelectedCandidatePair(): { readonly local: PairEnd; readonly remote: PairEnd } | null;
}

export interface PairEnd {
  readonly address: string;
  readonly port: number;
  /** `host`, `srflx`, `prflx`, `relay`. */
  readonly type: string;
}

export interface DataChannel {
  /** False: it waits. The bytes are copied. */
  sendMessageBinary(bytes: Uint8Array): boolean;
  /** Bytes that wait. */
  bufferedAmount(): number;
  onOpen(heard: () => void): void;
  onClosed(heard: () => void): void;
  onError(heard: (error: string) => void): void;
  onMessage(heard: (message: string | Buffer | ArrayBuffer) => void): void;
}

interface NodeDataChannel {
  readonly PeerConnection: new (name: string, config: RtcConfig) => PeerConnection;
  readonly cleanup: () => void;
  readonly getLibraryVersion: () => string;
  readonly setSctpSettings: (settings: {
    readonly sendBufferSize: number;
    readonly recvBufferSize: number;
  }) => void;
}

/** What the plugin uses of it. */
export interface Library {
  connect(name: string, config: RtcConfig): PeerConnection;
  readonly version: string;
  /** Once all connections are closed; idempotent. */
  release(): Promise<void>;
}

/** What is sent and not acknowledged yet may be so much: on a slow line more would only wait. */
const SEND_BUFFER_BYTES = 512 * 1024;
const RECEIVE_BUFFER_BYTES = 1024 * 1024;
/** Connections that close do so on threads of the library. */
const CLOSING_MS = 100;

let users = 0;

/** Rejects with whatever its loading threw. */
export async function loadLibrary(): Promise<Library> {
  const { PeerConnection, cleanup, getLibraryVersion, setSctpSettings } = (await import(
    PACKAGE
  )) as NodeDataChannel;
  users++;
  setSctpSettings({ sendBufferSize: SEND_BUFFER_BYTES, recvBufferSize: RECEIVE_BUFFER_BYTES });
  let isReleased = false;
  return {
    connect: (name, config) => new PeerConnection(name, config),
    version: getLibraryVersion(),
    async release() {
      if (isReleased) return;
      isReleased = true;
      users--;
      await new Promise(resolve => setTimeout(resolve, CLOSING_MS));
      // Its threads are shared by all of this process.
      if (users === 0) cleanup();
    },
  };
}
