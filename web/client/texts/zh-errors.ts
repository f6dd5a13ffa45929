// 错误的中文：发生了什么、原因、处理办法。花括号与英文（docs/errors.md）一致。
import type { CodeText } from '../pure/box-words.ts';
import { baseErrors } from './zh-errors-base.ts';
import { nodeErrors } from './zh-errors-node.ts';
import { pageErrors } from './zh-errors-page.ts';
import { pluginsErrors } from './zh-errors-plugins.ts';
import { serverErrors } from './zh-errors-server.ts';

export const zhErrors: Readonly<Record<string, CodeText>> = {
  ...baseErrors,
  ...nodeErrors,
  ...pageErrors,
  ...pluginsErrors,
  ...serverErrors,
};
