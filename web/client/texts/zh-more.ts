// 单个节点、插件、设置以及网络管理页面的简体中文文本。
import type { Text } from '../pure/text.ts';
import type { enMore } from './en-more.ts';

export const zhMore: Readonly<Record<keyof typeof enMore, Text>> = {
  'peer.title': '设备',
};
