// The far end of a channel as werift has it: WebRTC in TypeScript alone, by other hands than the library's.
import { cleanDescription } from '../../plugins/webrtc/description.ts';
import type { StrangerFactory } from './stranger.ts';

/** What is used of it. */
interface Werift {
  readonly RTCPeerConnection: new (config: object) => Peer;
}

interface Description {
  readonly type: string;
  readonly sdp: string;
}

interface Peer {
  readonly localDescription: Description | undefined;
  createDataChannel(label: string, options: object): Channel;
  createOffer(): Promise<Description>;
  createAnswer(): Promise<Description>;
  setLocalDescription(description: Description): Promise<unknown>;
  setRemoteDescription(description: Description): Promise<unknown>;
  addIceCandidate(candidate: { readonly candidate: string; readonly sdpMid: string }): Promise<unknown>;
  close(): Promise<void>;
}

interface Channel {
  send(data: Buffer): void;
  onMessage: { subscribe(heard: (data: Buffer | string) => void): unknown };
  stateChanged: { subscribe(heard: (state: string) => void): unknown };
}

const PACKAGE: string = 'werift';

export const werift: StrangerFactory = async events => {
  const { RTCPeerConnection } = (await import(PACKAGE)) as Werift;
  const pc = new RTCPeerConnection({ iceServers: [] });
  const options = { negotiated: true, id: 0, ordered: false, maxRetransmits: 0 };
  const channel = pc.createDataChannel('ginnel', options);
  channel.onMessage.subscribe(data => events.received(new Uint8Array(Buffer.from(data))));
  channel.stateChanged.subscribe(state => {
    if (state === 'open') events.opened();
  });
  const told = () => {
    const sdp = pc.localDescription?.sdp ?? '';
    const candidates = [...sdp.matchAll(/^a=(candidate:.*?)\r?$/gm)].map(([, line]) => line ?? '');
    return { sdp: cleanDescription(sdp) ?? '', candidates };
  };
  return {
    async offer() {
      await pc.setLocalDescription(await pc.createOffer());
      return told();
    },
    async answer(sdp) {
      await pc.setRemoteDescription({ type: 'offer', sdp });
      await pc.setLocalDescription(await pc.createAnswer());
      return told();
    },
    answered: async sdp => {
      await pc.setRemoteDescription({ type: 'answer', sdp });
    },
    add: async candidate => {
      await pc.addIceCandidate({ candidate, sdpMid: '0' });
    },
    send: bytes => {
      channel.send(Buffer.from(bytes));
      return Promise.resolve();
    },
    close: () => pc.close(),
  };
};
