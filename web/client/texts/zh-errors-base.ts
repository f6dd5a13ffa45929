// 状态、系统与备份的错误。
import type { CodeText } from '../pure/box-words.ts';

export const baseErrors: Readonly<Record<string, CodeText>> = {
  // ---- 状态、设置与磁盘
  DISK_FULL: [
    '{path} 无法再保存内容。',
    '磁盘已满（剩余 {freeBytes} 字节），已确认的内容不受影响。',
    '请清理磁盘，之后会自动恢复。',
  ],
  SETTINGS_TOO_LARGE: [
    '设置没有保存。',
    '全部设置合计超过 {limit} 个字符。',
    '未做任何更改。请缩短一些设置，或恢复部分默认值。',
  ],
  SETTING_INVALID: [
    '设置 {key} 不能使用这个值。',
    '允许的取值：{mayBe}。',
    '未做任何更改。详细说明：ginnel get {key}。',
  ],
  SETTING_UNKNOWN: ['没有名为 {key} 的设置。', '{meant}', '全部设置：ginnel get。'],
  STORE_DAMAGED: [
    '{path} 中的状态数据已损坏。',
    '{problem}。',
    '未做任何更改。请先运行 ginnel check，再运行 ginnel repair。',
  ],
  STORE_LOCKED: [
    '{path} 中的状态数据正在使用。',
    '另一个 Ginnel 正在使用同一个状态目录。',
    '请先停止那一个，或为这一个另设状态目录。',
  ],
  STORE_MISSING: [
    '{path} 中没有状态数据。',
    '{problem}。',
    '请检查磁盘是否已挂载、目录是否正确。如果是新设备，请先完成设置。',
  ],
  STORE_NEWER: [
    '{path} 中的状态数据由更新版本的 Ginnel 写入。',
    '其格式为 {found}，当前 Ginnel 最高支持 {known}。',
    '请重新安装新版本的 Ginnel。',
  ],
  STORE_UNREADABLE: [
    '{path} 中的状态数据无法打开。',
    '{problem}。',
    '请检查目录是否属于运行 Ginnel 的用户、磁盘是否可写。',
  ],
  STORE_UPGRADE: [
    '{path} 中的状态数据无法从格式 {from} 升级到 {to}。',
    '{problem}。',
    '未做任何更改。请退回之前的 Ginnel 版本，并反馈此问题。',
  ],
  // ---- 系统
  ADDRESS_INVALID: [
    '“{address}”不是可用的地址。',
    '{reason}。',
    '请按 192.0.2.1、10.77.0.2/16 或 fd00::1/64 的格式填写。',
  ],
  ADDRESS_UNAVAILABLE: [
    'Ginnel 无法使用地址 {address}。',
    '本机没有网卡使用该地址。',
    '请检查地址；留空则使用全部地址。',
  ],
  ARENA_FULL: [
    '数据包内存已用完。',
    '需要 {wanted} 字节，{size} 字节中只剩 {left} 字节。',
    '请调大（ginnel set packet-memory 16），然后运行：ginnel restart。',
  ],
  DOOR_UNKNOWN: [
    '没有名为“{door}”的通道。',
    'GINNEL_DOOR 只支持 koffi 和 tuntap。',
    '请去掉 GINNEL_DOOR，系统会自动选用最快的一种。',
  ],
  IP_COMMAND_MISSING: [
    '缺少 ip 程序。',
    '较慢的通道用它设置虚拟网卡的名称、地址和路由。',
    '请安装 iproute2（OpenWrt：ip-full），或安装支持本机的 koffi。',
  ],
  KERNEL_LACKS: [
    '内核不支持 {feature}。',
    '调用 {call} 返回 {errno}。',
    '请在内核中启用该功能，或不使用它。',
  ],
  KERNEL_REFUSED: [
    '内核拒绝操作：{action}。',
    '调用 {call} 返回 {errno}。',
    '日志中有详情；如果一直如此，请连同此消息一起反馈。',
  ],
  KOFFI_UNAVAILABLE: [
    'Ginnel 无法在本机与内核通信。',
    'koffi 没有适用于本机（{platform}）的程序文件。',
    '请在安装时允许可选依赖（npm install --include=optional），支持 Linux 的 x64、arm64、arm、ia32、riscv64、loong64、ppc64。',
  ],
  NOT_ROOT: [
    'Ginnel 没有权限执行：{action}。',
    '它没有 CAP_NET_ADMIN 权限。',
    '请以 root 运行，或授予 CAP_NET_ADMIN（systemd：AmbientCapabilities；Docker：--cap-add NET_ADMIN）。',
  ],
  NO_DOOR: [
    'Ginnel 无法在本机与内核通信。',
    'koffi 没有适用于本机（{platform}）的程序文件，较慢的通道也没有安装。',
    '请安装较慢的通道，需要 g++、make 和 python3：npm ci --prefix {folder}（详见 docs/dependencies.md）。',
  ],
  PORT_FORBIDDEN: [
    'Ginnel 不能使用 UDP 端口 {port}。',
    '1024 以下的端口需要 CAP_NET_BIND_SERVICE 权限。',
    '请选择 1024 及以上的端口，或以 root 运行。',
  ],
  PORT_TAKEN: [
    'UDP 端口 {port} 已被占用。',
    '其他程序正在使用它。',
    '请停止该程序，或换一个端口（0 表示任意空闲端口）。',
  ],
  ROUTE_TAKEN: [
    '无法为网段 {prefix} 添加经由 {name} 的路由。',
    '本机已有到该网段的路由。',
    '请删除原有路由，或不接受对方共享的这个网段。',
  ],
  TCP_PORT_FORBIDDEN: [
    '无法为{name}打开 TCP 端口 {port}。',
    '内核拒绝：{problem}。1024 以下的端口需要 CAP_NET_BIND_SERVICE 权限。',
    '请选择 1024 及以上的端口（ginnel set {setting} PORT），或以 root 运行 Ginnel。',
  ],
  TCP_PORT_TAKEN: [
    '无法为{name}打开 TCP 端口 {port}：端口已被占用。',
    '其他程序正在监听该端口{where}。',
    '请停止该程序（ss -ltnp 可查看），或换一个端口：ginnel set {setting} PORT。',
  ],
  TCP_UNREACHABLE: [
    '无法通过 TCP 连接 {place}。',
    '{problem}。',
    '系统会自动重试；如果一直如此，请检查途中是否拦截了该端口。',
  ],
  TUNTAP_MISSING: [
    '较慢的通道没有安装。',
    '已指定使用它，但无法从 {folder} 加载。',
    '请安装，需要 g++、make 和 python3：npm ci --prefix {folder}（详见 docs/dependencies.md）。',
  ],
  TUN_BUSY: [
    '无法创建虚拟网卡 {name}。',
    '其他程序占用了同名网卡。',
    '请停止该程序（也许是另一个 Ginnel），或换一个名称。',
  ],
  TUN_LOST: [
    '虚拟网卡 {name} 不见了。',
    '它在使用中被删除。',
    '请重新启动 Ginnel，并查明是什么程序删除了网卡。',
  ],
  TUN_MISSING: [
    '没有虚拟网卡：缺少 /dev/net/tun。',
    '内核模块 tun 没有加载，或容器没有该设备。',
    '请运行 modprobe tun（OpenWrt：安装 kmod-tun；Docker：--device /dev/net/tun；群晖：开机任务加载 tun.ko）。',
  ],
  TUN_NAME: [
    '虚拟网卡不能命名为“{name}”。',
    'Linux 要求 1 到 15 个字节，不含空格、斜杠和冒号。',
    '请换一个名称，例如 ginnel0。',
  ],
  // ---- 备份与重启
  BACKUP_CUT: ['备份不完整。', '开头正确，但中途断了。', '请重新复制。未做任何更改。'],
  BACKUP_DAMAGED: ['备份已损坏。', '{problem}。', '请重新复制，或换一个备份。未做任何更改。'],
  BACKUP_FOREIGN: [
    '这个文件不是设备的备份。',
    '它的开头不对。',
    '请选择由 ginnel backup 生成的文件。定位服务器的导出文件请用 ginnel server import 导入。',
  ],
  BACKUP_NEWER: [
    '备份由更新版本的 Ginnel 创建。',
    '其格式为 {found}，当前 Ginnel 最高支持 {known}。',
    '请在本机安装新版本的 Ginnel。未做任何更改。',
  ],
  BACKUP_NOTHING: [
    '本机没有可备份的内容。',
    '它没有加入网络，也没有运行定位服务器。',
    '请先加入网络（ginnel up），或建立服务器（ginnel server）。',
  ],
  BACKUP_NOT_EMPTY: [
    '没有恢复任何内容。',
    '本机正在使用：{problem}。恢复备份会取代设备上的一切。',
    '请在新设备上恢复。如果要替换本机：停止 Ginnel，移走 {folder}，再启动。',
  ],
  BACKUP_PASSPHRASE: ['口令与此备份不符。', '文件完整，但无法用这个口令打开。', '请重试。未做任何更改。'],
  BACKUP_TOO_LARGE: [
    '备份过大，将无法恢复。',
    '大小为 {bytes} 字节，上限为 {limit} 字节。',
    '请停止 Ginnel，直接复制状态目录：docs/state.md。',
  ],
  RESTORE_FAILED: ['没有恢复任何内容，本机仍是空的。', '{problem}。', '请检查磁盘是否存在、可写，然后重试。'],
  RESTORE_UNFINISHED: [
    '已接收的备份未能就位。',
    '{problem}。',
    '请确认 {folder} 可写，然后重新启动 Ginnel，它会接着完成。',
  ],
  PASSPHRASE_SHORT: [
    '口令太短。',
    '至少需要 {least} 个字符：更短的口令很快会被机器破解。',
    '请换一个更长的；四个互不相关的词既好记又安全。',
  ],
  RESTART_BY_MANAGER: [
    'Ginnel 没有重新启动。',
    '它作为服务运行，无法通知服务管理器更换进程。',
    '请重启服务：sudo systemctl restart ginnel。',
  ],
  RESTART_FAILED: [
    'Ginnel 没有重新启动，仍照常运行。',
    '新进程未能启动：{problem}。',
    '请查看日志：ginnel logs。也可以先停止再启动：ginnel down、ginnel up。',
  ],
};
