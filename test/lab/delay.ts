// Delay and loss for a lab: everything that crosses `core` takes the way through one TUN card and a process that
// holds each packet for a while (netem is not in every kernel).
import { fileURLToPath } from 'node:url';
import { endOf } from './place.ts';
import type { Place } from './place.ts';

export interface Trouble {
  /** One way. */
  readonly delayMs: number;
  /** Up to so much more, at random; order is kept. */
  readonly jitterMs: number;
  /** 0 to 1, for each packet. */
  readonly lossRate: number;
}

export const DELAY_DEVICE = 'delay0';

/** What came in from a cable goes into the card; what comes out of the card goes where the main table says. */
const ROUTING = `
ip link set ${DELAY_DEVICE} mtu 1500 txqueuelen 10000 up
for family in -4 -6; do
  ip $family route add default dev ${DELAY_DEVICE} table 100
  ip $family rule add pref 10 iif ${DELAY_DEVICE} lookup main
  ip $family rule add pref 11 iif lo lookup main
  ip $family rule add pref 20 lookup 100
done`;

export async function startDelay(core: Place, trouble: Trouble): Promise<void> {
  const program = fileURLToPath(new URL('./delayer.js', import.meta.url));
  const child = core.spawn(process.execPath, [program, DELAY_DEVICE, JSON.stringify(trouble)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    void endOf(child).then(code => reject(new Error(`the delay ended with exit code ${code}`)));
  });
  await ready;
  await core.exec(ROUTING);
}
