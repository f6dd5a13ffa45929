// 健康提示的中文：发生了什么、原因、处理办法。花括号与英文（docs/health.md）一致。
import type { CodeText } from '../pure/box-words.ts';

export const zhHealth: Readonly<Record<string, CodeText>> = {
  // ---- 本机
  SERVER_AWAY: [
    '定位服务器：无法连接。已互联的设备仍保持连接，恢复之前新设备无法加入。',
    '{reason}',
    '请检查服务器是否在运行、地址是否仍然正确。',
  ],
  SERVER_REFUSED: ['定位服务器拒绝了这台设备。', '{reason}', '请联系网络管理者。'],
  PENDING_APPROVAL: ['这台设备正在等待批准。', '{reason}', ''],
  NAME_TAKEN: [
    '名称“{name}”在网络中已被占用，未能用于这台设备。',
    '已有另一台设备使用该名称，其他设备仍以原来的名称识别本机。',
    '请换一个名称：sudo ginnel set name NAME。',
  ],
  PEER_KEY_CHANGED: ['一台已知设备出示了不同的密钥，已被拒绝。', '{words}', ''],
  TUN_LOST: ['没有虚拟网卡。', '{words}', '系统会自动重新打开。'],
  DOOR_SLOWER: ['数据包正走较慢的通道。', '{because}。', '{todo}'],
  PLUGIN_NOT_WELL: [
    '{kind}“{name}”出了问题：{state}（{code}）。',
    '',
    '查看原因：ginnel plugins show {name}。',
  ],
  TCP_DOOR: ['本机有一个 TCP 端口与设定的不同，或没有打开。', '{words}', ''],
  CLOCK_WRONG: ['本机时钟{skew}。', '', '请校准时钟，或开启时间同步（NTP）。'],
  UDP_BLOCKED: [
    '本机所在的网络不放行 UDP。',
    '被防火墙或运营商拦截。直连需要 UDP，否则只能碰运气用 TCP。',
    '请在路由器或防火墙中放行 UDP；运行 ginnel netcheck 可重新检测。',
  ],
  // ---- 定位服务器
  SERVER_DISK_SHORT: [
    '定位服务器所在的磁盘快满了（剩余 {free} MB）。',
    '低于 {least} MB 时不再保存新内容，新设备将无法加入。',
    '请清理 {folder} 所在的磁盘。',
  ],
  SERVER_CLOCK_WRONG: [
    '定位服务器的时钟不准：显示为 {shown}。',
    '邀请按它计算有效期，设备加入时也要用到。',
    '请校准时钟，或开启时间同步（NTP）。',
  ],
  SERVER_UDP_PORT: [
    '定位服务器在部分地址上无法打开 UDP 端口（{minutes} 分钟内失败 {times} 次）。',
    '端口可能被其他程序占用，设备因此难以准确判断自己的 NAT。',
    '查看谁占用了端口：ss -lunp。',
  ],
  SERVER_UNHEARD: [
    '{nodes} 台设备在 {minutes} 分钟内都没有连接过定位服务器。',
    '它们可能都关机了，或无法连到服务器。',
    '请检查端口转发是否有效、邀请中的地址是否仍然正确。可在设备上运行：ginnel why server。',
  ],
  SERVER_REFUSES_MUCH: [
    '定位服务器在 {minutes} 分钟内拒绝了 {refused} 次登录。',
    '可能是已移除的设备或失效的邀请在反复尝试，也可能有人在猜测。',
    '日志中有来源：ginnel logs --part server。',
  ],
  // ---- 守护进程
  METRICS_OFF: [
    '监控指标未能提供。',
    '{problem}。',
    '系统会自动重试。请检查地址是否属于本机、端口是否空闲：ginnel get metrics。',
  ],
  PAGE_NOT_SERVED: [
    '无法在 {place} 提供本页面。',
    '原因：{problem}。',
    '系统会自动重试。换一个端口：ginnel set page lan:8080；不使用页面：ginnel set page off。',
  ],
  ROLE_WAITING: ['{role}未能启动。', '{problem}', '系统会自动重试。'],
  STATE_REOPENED: [
    '磁盘上的状态数据曾被重新打开（启动以来 {times} 次）。',
    '磁盘曾拒绝写入，或一度写满；已确认的内容没有丢失。',
    '如果再次出现，请检查磁盘。',
  ],
  DISK_SHORT: [
    '状态数据所在的磁盘快满了（剩余 {free} KB）。',
    '低于 {least} KB 时不再保存新内容，已确认的内容不受影响。',
    '请清理 {folder} 所在的磁盘，之后会自动恢复。',
  ],
  EXPORT_WAITING: [
    '最近的状态更改（{store}）还没有导出。',
    '{problem}。',
    '系统每分钟重试一次。没有导出时，磁盘损坏可能会丢失这些更改。',
  ],
  STATE_DAMAGED: [
    '磁盘上的状态数据有损坏的条目（{times}）。',
    '校验和不符。',
    '请检查磁盘和状态数据：ginnel check。',
  ],
  LOOP_SLOW: [
    '最近一分钟内，Ginnel 曾卡顿 {ms} ms。',
    '处理器忙于其他任务，或某个插件占用时间过长。',
    '偶尔一次无需处理。若反复出现，请结束占用本机的其他程序（可用 top 查看），或逐个关闭插件找出原因：ginnel plugins。',
  ],
};
