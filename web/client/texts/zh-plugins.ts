// 自带插件的用途和设置的中文。
import type { PluginText } from '../pure/box-words.ts';

export const zhPlugins: Readonly<Record<string, PluginText>> = {};
