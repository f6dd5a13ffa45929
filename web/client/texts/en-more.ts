// The page's texts in English for a single box, plugins, settings and the network's own page.
import type { Text } from '../pure/text.ts';

export const enMore = {
  'peer.title': 'Box',
} satisfies Record<string, Text>;
