// 插件的错误。
import type { CodeText } from '../pure/box-words.ts';

const RETRY_ALONE = '系统会自动重试；如果一直失败，请关闭它。';

export const pluginsErrors: Readonly<Record<string, CodeText>> = {
  PLUGIN_ANSWER: [
    '插件 {plugin} 没有给出可用的应答。',
    '{part}：{problem}。',
    'Ginnel 的其他部分不受影响。请关闭后再打开；如果无效，请保持关闭。',
  ],
  PLUGIN_AT_REST: [
    '现在不能重试插件 {plugin}。',
    '插件只在设备接入网络时运行，而本机未接入。',
    '请接入网络：ginnel up。',
  ],
  PLUGIN_CONTRACT: [
    '插件 {plugin} 不适用于当前版本的 Ginnel。',
    '它面向接口版本 {wanted}，当前 Ginnel 提供 {offered}。',
    '请安装与当前 Ginnel 配套的插件版本。',
  ],
  PLUGIN_CRASHED: ['插件 {plugin} 运行中出错，已停止。', '错误信息：{problem}。', RETRY_ALONE],
  PLUGIN_LOAD_FAILED: [
    '无法加载插件 {plugin} 的代码。',
    '错误信息：{problem}。',
    '请修复或重新安装，然后运行：ginnel plugins retry {plugin}。',
  ],
  PLUGIN_MANIFEST: [
    '插件 {plugin} 不可用。',
    '它的 plugin.json 无效：{problem}。',
    '请重新安装插件，或删除它的目录。',
  ],
  PLUGIN_NAME_TAKEN: [
    '插件 {plugin} 未启用。',
    'Ginnel 自带名为 {name} 的插件，不能被替换。',
    '请为另一个插件改名：它的目录，以及 plugin.json 中的 "name"。',
  ],
  PLUGIN_NATIVE_MISSING: [
    '插件 {plugin} 在本机不可用。',
    '原生软件包 {package} 无法在本机加载。',
    '其他功能不受影响。请安装适用于本机的软件包，或关闭该插件。',
  ],
  PLUGIN_REPORT: [
    '插件 {plugin} 没有给出可用的报告。',
    '{problem}。',
    '请关闭后再打开；如果无效，请保持关闭。',
  ],
  PLUGIN_SETTINGS: ['插件 {plugin} 的设置未被接受。', '{problem}。', '请改正；在此之前仍使用原来的设置。'],
  PLUGIN_START_FAILED: ['插件 {plugin} 未能启动。', '错误信息：{problem}。', RETRY_ALONE],
  PLUGIN_START_TIMEOUT: ['插件 {plugin} 未能启动。', '{seconds} 秒内没有就绪。', RETRY_ALONE],
  PLUGIN_STOP_TIMEOUT: [
    '插件 {plugin} 没有正常停止。',
    '{seconds} 秒内没有结束，已不再等待。',
    '方便时请重新启动 Ginnel，以释放它占用的资源。',
  ],
  PLUGIN_UNKNOWN: [
    '没有名为 {plugin} 的插件。',
    '插件目录中没有这个名称且带 plugin.json 的文件夹。',
    '查看名称：ginnel plugins。',
  ],
  PLUGIN_UNSAFE: [
    '插件 {plugin} 未启用。',
    'root 和运行 Ginnel 的用户以外的人可以改动它：{problem}。',
    '如果您信任其中的内容，请运行：chown -R root {folder}; chmod -R go-w {folder}。',
  ],
  STREAM_REFUSED: [
    '{name} 不接受连接，或在 {places} 应答的不是它（{reason}）。',
    '那里应答的是别的程序，或它不认为本机是网络成员。',
    '如果一直如此，请查看两台设备上的 ginnel status。',
  ],
  STREAM_UNREACHABLE: [
    '{name} 在 {places} 没有 TCP 应答。',
    '它已关机，或途中被拦截（{reason}）。',
    '无需处理，系统会尝试其他路径。ginnel why {name} 可查看详情。',
  ],
  PORTMAP_DOUBLE_NAT: [
    '路由器已转发端口，但它本身无法从外网访问。',
    '它的地址是 {router}，而本机在外网的地址是 {outside}：前面还有另一台路由器，或运营商的 NAT。',
    '如果是自己的两台路由器，请把其中一台设为桥接，或让外层路由器转发到内层。如果是运营商共享公网地址（CGNAT），请申请公网地址，或使用 IPv6。',
  ],
  PORTMAP_NO_ANSWER: [
    '路由器不会自动转发端口。',
    'PCP、NAT-PMP 和 UPnP 都没有应答：路由器不支持，或没有开启。',
    '无需处理。如果设备只能经其他设备访问，请在路由器中开启 UPnP。',
  ],
  PORTMAP_NO_OUTSIDE: [
    '路由器没有公网地址，因此无法转发端口。',
    '前面还有另一台路由器或运营商的 NAT，或线路目前中断。',
    '如果能上网：自己的两台路由器请把其中一台设为桥接；运营商共享公网地址（CGNAT）时，请申请公网地址，或使用 IPv6。',
  ],
  PORTMAP_REFUSED: [
    '已请求路由器为本机转发端口，但被拒绝。',
    '路由器的答复：{answer}。',
    '请在路由器中允许本机打开端口，或手动设置端口转发。',
  ],
  PREDICT_NO_ANSWER: [
    '无法测量本网络 NAT 的端口规律。',
    '定位服务器在半秒内没有应答。',
    '无需处理，下次会重新测量。如果一直如此，请在防火墙中放行出站 UDP。',
  ],
  PREDICT_NO_SERVER: [
    '暂时无法测量本网络 NAT 的端口规律。',
    '定位服务器还没有给出用于测量的 IPv4 地址。',
    '无需处理，通过 IPv4 连上定位服务器后会自动测量。',
  ],
  STUN_BAD_SERVER: [
    'nat-stun 设置中的一个 STUN 服务器未使用：{servers}。',
    '它不是带端口的地址。',
    '请写成 192.0.2.1:3478 或 [2001:db8::1]:3478。',
  ],
  STUN_NO_ANSWER: [
    '没有 STUN 服务器通过 UDP 应答。',
    '本网络拦截了出站 UDP，或服务器停机。',
    '请在防火墙中放行出站 UDP，或等待服务器恢复。',
  ],
  STUN_NO_SERVER: [
    '不知道本机在外网的地址。',
    '还没有与本机地址类型相符的 STUN 服务器。',
    '请连接定位服务器，或在 nat-stun 的设置中添加 STUN 服务器。',
  ],
  RELAY_BAD_REGION: [
    'relay-tcp 设置中的地区未使用。',
    '最多 32 个字母、数字、空格、点、下划线或连字符，以字母或数字开头。',
    '请换一个：ginnel plugins set relay-tcp region=NAME。',
  ],
  RELAY_NOT_KNOWN: [
    '无法打开经中继 {relay} 的路径。',
    '定位服务器不知道它的 TCP 地址。',
    '系统会同时尝试其他路径。',
  ],
  RELAY_ONLY_ONE: [
    '应为本机中继的设备中，只有一台可以连接。',
    '其他设备已关机，或到其端口的 TCP 被拦截。',
    '只要这一台正常就不受影响；其他设备至少每分钟重试一次。',
  ],
  RELAY_UNREACHABLE: [
    '应为本机中继的设备都无法通过 TCP 连接。',
    '它们已关机，或本网络拦截了到其端口的出站 TCP。',
    '系统至少每分钟重试一次。请放行到 7443 端口的出站 TCP，或让中继也监听 443 端口（web-port）。',
  ],
  WEBRTC_BAD_SETTINGS: [
    'webrtc 的部分设置未使用。',
    '{problem}。',
    '请改正：ginnel plugins set webrtc NAME=VALUE。',
  ],
  WEBRTC_FAILED: [
    '到 {name} 的 WebRTC 通道没有建立。',
    '{reason}。',
    '系统会同时尝试其他路径，稍后再试这一种。',
  ],
  WEBRTC_NO_STUN: [
    'WebRTC 通道只能连接同一局域网的设备。',
    '定位服务器还没有给出 STUN 地址，本机不知道自己的外网地址。',
    '无需处理，定位服务器恢复后会自动继续。',
  ],
  WEBRTC_UDP_BLOCKED: [
    '无法从这里打开到其他家庭的 WebRTC 通道。',
    '本网络不放行 UDP，而这种通道需要 UDP，连接 TURN 服务器也一样。',
    '如果有可经 TCP 中继的设备（relay-tcp），则无需处理；也可以放行出站 UDP。',
  ],
};
