// 设置的名称和说明的中文。
import type { BoxTexts } from '../pure/box-words.ts';

export const zhSettings: BoxTexts['settings'] = { node: {}, server: {}, daemon: {} };
