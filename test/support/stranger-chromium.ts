// The far end of a channel as a browser has it: Debian's Chromium without a window, and a page of its own.
import { existsSync } from 'node:fs';
import { cleanDescription } from '../../plugins/webrtc/description.ts';
import type { StrangerFactory } from './stranger.ts';

export const CHROMIUM = '/usr/bin/chromium';
export const hasChromium = (): boolean => existsSync(CHROMIUM);

/** What is used of playwright. */
interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> };
}

interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

interface Page {
  goto(address: string): Promise<unknown>;
  exposeFunction(name: string, act: (...args: never[]) => void): Promise<void>;
  evaluate(code: string): Promise<unknown>;
}

const PACKAGE: string = 'playwright-core';

const SETUP = `
  window.pc = new RTCPeerConnection({ iceServers: [] });
  window.channel = pc.createDataChannel('ginnel', { negotiated: true, id: 0, ordered: false, maxRetransmits: 0 });
  channel.binaryType = 'arraybuffer';
  channel.onopen = () => opened();
  channel.onmessage = ({ data }) => received([...new Uint8Array(data)]);
  pc.onicecandidate = ({ candidate }) => candidate && candidate.candidate && gathered(candidate.candidate);
`;

export const chromium: StrangerFactory = async events => {
  const { chromium: launcher } = (await import(PACKAGE)) as Playwright;
  const browser = await launcher.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  try {
    const page = await browser.newPage();
    await page.goto('about:blank');
    await page.exposeFunction('opened', () => events.opened());
    await page.exposeFunction('received', (bytes: number[]) => events.received(Uint8Array.from(bytes)));
    await page.exposeFunction('gathered', (candidate: string) => events.gathered(candidate));
    await page.evaluate(SETUP);
    const run = (code: string): Promise<unknown> => page.evaluate(`(async () => { ${code} })()`);
    const told = (sdp: unknown) => ({ sdp: cleanDescription(String(sdp)) ?? '', candidates: [] });
    return {
      offer: async () =>
        told(
          await run('await pc.setLocalDescription(await pc.createOffer()); return pc.localDescription.sdp;'),
        ),
      answer: async sdp =>
        told(
          await run(`await pc.setRemoteDescription({ type: 'offer', sdp: ${JSON.stringify(sdp)} });
            await pc.setLocalDescription(await pc.createAnswer()); return pc.localDescription.sdp;`),
        ),
      answered: async sdp => {
        await run(`await pc.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(sdp)} });`);
      },
      add: async candidate => {
        await run(`await pc.addIceCandidate(${JSON.stringify({ candidate, sdpMid: '0' })});`);
      },
      send: async bytes => {
        await run(`channel.send(new Uint8Array(${JSON.stringify([...bytes])}));`);
      },
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
};
