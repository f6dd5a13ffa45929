// All that is Chinese: loaded where the page is read in Chinese, and nowhere else.
import type { BoxTexts } from '../pure/box-words.ts';
import { zh } from './zh.ts';
import { zhErrors } from './zh-errors.ts';
import { zhHealth } from './zh-health.ts';
import { zhPhrases } from './zh-phrases.ts';
import { zhPlugins } from './zh-plugins.ts';
import { zhSaid } from './zh-said.ts';
import { zhSettings } from './zh-settings.ts';

export { zh, zhSaid };

export const zhBox: BoxTexts = {
  errors: zhErrors,
  health: zhHealth,
  phrases: zhPhrases,
  plugins: zhPlugins,
  settings: zhSettings,
};
