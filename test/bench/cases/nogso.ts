// One TCP stream over cards without segmentation and without coalescing: a veth passes super-packets whole, which
// flatters everyone who makes them, and many a real card does not.
import type { Case } from '../case.ts';
import type { Place } from '../../lab/place.ts';
import { tcp } from '../measures.ts';

const FEATURES = [
  'tx-udp-segmentation',
  'generic-segmentation-offload',
  'tcp-segmentation-offload',
  'generic-receive-offload',
];

export const nogso: Pick<Case, 'name' | 'says' | 'each'> = {
  name: 'nogso',
  says: 'TCP, one stream, with segmentation and coalescing turned off on the outer cards, as on plain hardware',
  async each({ ground, running, settings }) {
    await turn(ground.one, 'off');
    await turn(ground.other, 'off');
    try {
      return await tcp(ground, running, settings.seconds);
    } finally {
      await turn(ground.one, 'on');
      await turn(ground.other, 'on');
    }
  },
};

/** Throws where a feature stays as it was. */
async function turn(place: Place, to: 'on' | 'off'): Promise<void> {
  const { device } = place;
  await place.exec(`ethtool -K ${device} ${FEATURES.map(feature => `${feature} ${to}`).join(' ')}`, {
    mayFail: true,
  });
  const { stdout } = await place.exec(`ethtool -k ${device}`);
  const wrong = FEATURES.filter(feature => !new RegExp(`^${feature}: ${to}`, 'm').test(stdout));
  if (wrong.length > 0) throw new Error(`${place.name}: ${wrong.join(', ')} did not turn ${to}`);
}
