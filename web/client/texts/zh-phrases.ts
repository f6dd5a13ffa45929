// 设备用英文给出的原因、取值等片段的中文。左边是英文原文，去掉句末的点；{花括号}代表任意内容。
export const zhPhrases: Readonly<Record<string, string>> = {
  // ---- 组件
  node: '本机节点',
  server: '定位服务器',
  plugin: '插件',
  'third-party plugin': '第三方插件',
  failed: '运行失败',
  unavailable: '在本机不可用',
  // ---- 时钟
  '{count} years behind': '慢了 {count} 年',
  '{count} days behind': '慢了 {count} 天',
  '{count} hours behind': '慢了 {count} 小时',
  '{count} minutes behind': '慢了 {count} 分钟',
  '{count} years ahead': '快了 {count} 年',
  '{count} days ahead': '快了 {count} 天',
  '{count} hours ahead': '快了 {count} 小时',
  '{count} minutes ahead': '快了 {count} 分钟',
};
