// 接口与页面的错误。
import type { CodeText } from '../pure/box-words.ts';

const SAME_GINNEL = '请在两端安装相同版本的 Ginnel。';
const SPEED_AGAIN = '请十秒后再试。';

export const pageErrors: Readonly<Record<string, CodeText>> = {
  // ---- 接口
  API_BODY: ['无法理解这个请求。', '{problem}。', '请改正；docs/openapi.yaml 说明了每个请求。'],
  API_BODY_TOO_LARGE: ['请求被拒绝。', '内容超过 {limit} 字节。', '请减少发送的内容。'],
  API_INTERNAL: [
    'Ginnel 内部出错。',
    '日志中有详情，编号 {reference}。',
    '请重试；如果再次发生，请连同日志一起反馈。',
  ],
  API_NOT_FOUND: ['{method} {path} 不存在。', '设备不认识该地址。', '全部地址见 docs/openapi.yaml。'],
  API_NO_NODE: ['本机不能作为节点运行。', '安装中缺少这一部分。', '请重新安装 Ginnel。'],
  API_NO_SERVER: ['本机不能运行定位服务器。', '安装中缺少这一部分。', '请重新安装 Ginnel。'],
  PEER_NOT_SHOWN: ['没有 {peer} 的历史记录。', '本机与它没有联系。', '请先连接它：ginnel ping {peer}。'],
  SPEED_BROKEN: ['与 {peer} 的测速中断了。', '{problem}。', '请重试；查看路径：ginnel why {peer}。'],
  SPEED_BUSY: ['没有测速。', '{peer} 正在与另一台设备测速。', SPEED_AGAIN],
  SPEED_NOT_OFFERED: [
    '{peer} 不参与测速。',
    '它的 speed-test 设置已关闭、Ginnel 版本较旧，或端口 {port} 被关闭。',
    '请在那台设备上运行 ginnel set speed-test true，或安装新版本的 Ginnel。',
  ],
  SPEED_OTHER_VERSION: [
    '{peer} 的测速方式与本机不同。',
    '它的端口 {port} 由另一版本的 Ginnel 或其他程序应答。',
    SAME_GINNEL,
  ],
  SPEED_UNDER_WAY: ['没有测速。', '本机正在进行另一次测速，同时进行会互相影响。', SPEED_AGAIN],
  SPEED_UNREACHABLE: [
    '{peer} 没有响应测速。',
    '{problem}。',
    '请检查它是否在线：ginnel ping {peer}。它的防火墙可能关闭了虚拟网卡的端口 {port}。',
  ],
  // ---- 页面
  PAGE_BODY_TYPE: [
    '请求被拒绝。',
    '它的 Content-Type 不是 application/json。',
    '请发送 JSON 并注明类型；docs/openapi.yaml 说明了每个请求。',
  ],
  PAGE_BUSY: ['此页面打开得过多。', '已有 {most} 个窗口或连接。', '请关闭一些。'],
  PAGE_TLS: ['请求被拒绝。', '此页面只通过 HTTPS 提供。', '请用 https:// 打开，在那里操作。'],
  PAGE_CODE: [
    '首次访问的验证码缺失或有误。',
    '您不在这个家庭网络中，或使用了别的名称访问，需要用验证码证明设备是您的。',
    '请在设备上运行 sudo ginnel page，它会显示验证码。',
  ],
  PAGE_CROSS_SITE: ['请求被拒绝。', '它不是由本页面发出的。', '请重新打开页面再试。'],
  PAGE_HOST: [
    '不能用名称 {host} 打开此页面。',
    '设备不认识的名称，可能是其他网站借您的浏览器访问设备的手段。',
    '请用地址打开（ginnel page 会显示）；如果名称是您自己的，请放行：sudo ginnel set page-names {host}。',
  ],
  PAGE_OWNER_NONE: [
    '还没有人可以登录。',
    '页面密码尚未设置。',
    '请在页面上设置；在设备上运行 ginnel page 可查看方法。',
  ],
  PAGE_OWNER_SET: [
    '页面密码已经设置过。',
    '它只在首次访问时设置。',
    '请直接登录。如果不是您设置的，或忘记了密码：sudo ginnel page reset-password。',
  ],
  PAGE_PASSWORD_SHORT: [
    '不能使用这个密码。',
    '少于 {least} 个字符。',
    '请换一个更长的；几个词组成的密码容易记住。',
  ],
  PAGE_PASSWORD_WRONG: [
    '密码不正确。',
    '与设置的密码不同。',
    '请重试；如果忘记了，请在设备上运行：sudo ginnel page reset-password。',
  ],
  PAGE_SESSION_UNKNOWN: ['没有这个登录。', '它已经结束。', '请刷新列表。'],
  PAGE_SIGN_IN: [
    '您尚未登录。',
    '还没有登录，或登录已结束：已退出、密码已更改，或一周未使用。',
    '请用页面密码登录。',
  ],
  PAGE_TRIES: ['请等待 {seconds} 秒。', '{problem}。', '然后再试；换一台设备可能立即可用。'],
};
