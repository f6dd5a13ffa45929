// 定位服务器的错误。
import type { CodeText } from '../pure/box-words.ts';

const SAME_GINNEL = '请在两端安装相同版本的 Ginnel。';

export const serverErrors: Readonly<Record<string, CodeText>> = {
  // ---- 账号与证书
  ACCOUNT_EXISTS: [
    '账号 {name} 已存在。',
    '名称不区分大小写。',
    '请换一个名称，或设置它的密码：ginnel accounts password {name}。',
  ],
  ACCOUNT_FULL: [
    '账号 {name} 不能再加入设备。',
    '它可加入的设备数为{boxes}，已用完。',
    '请向网络管理者申请增加，或移除不再使用的设备：ginnel nodes。',
  ],
  ACCOUNT_NAME_WRONG: [
    '账号不能命名为 {name}。',
    '名称为 1 到 63 个字母、数字或 . _ @ + -，首尾须为字母或数字。',
    '请换一个。',
  ],
  ACCOUNT_REFUSED: [
    '账号或密码不正确。',
    '出于安全，不说明是哪一个。',
    '请重试：ginnel up --account NAME。网络管理者可以重设密码：ginnel accounts password NAME。',
  ],
  ACCOUNT_UNKNOWN: ['没有账号 {name}。', '从未建立，或已被移除。', '查看已有账号：ginnel accounts list。'],
  AUTHORITIES_FULL: [
    '不能再信任更多证书签发机构。',
    '已有 {most} 个。',
    '请先移除一个：ginnel certificates untrust ID。',
  ],
  AUTHORITY_DAMAGED: [
    '无法从 {path} 读取本网络自己的证书签发机构（{problem}）。',
    '磁盘丢失了它，或有人改动过。',
    '请从备份恢复该文件，或改用新的签发机构：ginnel certificates untrust ID。',
  ],
  AUTHORITY_UNKNOWN: [
    '这里不信任签发机构 {id}。',
    '从未信任过，或已不再信任。',
    '查看受信任的机构：ginnel certificates list。',
  ],
  AUTHORITY_WRONG: [
    '这不是可信任的证书签发机构（{problem}）。',
    '必须是 PEM 格式、未过期的签发机构（CA）证书。',
    '请提交这样的证书：ginnel certificates trust FILE。',
  ],
  CERTIFICATE_EXPIRED: [
    '证书目前无效：{subject} {words} {limit}。',
    '每张证书只在一段时间内有效。',
    '请向网络管理者索取新证书：ginnel certificates issue NAME。',
  ],
  CERTIFICATE_REFUSED: [
    '证书被拒绝：{problem}。',
    '它必须由网络信任的机构签发给设备，且私钥在本机。',
    '请网络管理者另发一张（ginnel certificates issue NAME），或信任其签发机构。',
  ],
  CERTIFICATE_REVOKED: [
    '证书 {serial} 或其上级证书已被吊销。',
    '网络管理者收回了它。',
    '请索取新证书：ginnel certificates issue NAME。',
  ],
  CERTIFICATE_USED: [
    '这张证书已用于设备：{name}。',
    '每张证书只供一台设备使用。',
    '请网络管理者另发一张（ginnel certificates issue NAME），或先移除那台设备：ginnel nodes remove {name}。',
  ],
  // ---- 定位服务器
  KEY_CHANGED: [
    '本机的密钥与网络记录的不同。',
    '状态与另一台设备混用了，或有人持有它的身份。',
    '请从备份恢复状态目录，或作为新设备加入。',
  ],
  LOGIN_FIRST: ['定位服务器拒绝了一条消息。', '它在登录之前发出，或在同一连接上重复登录。', SAME_GINNEL],
  LOGIN_RATE_LIMITED: [
    '没有核对密码：{problem}。',
    '为防止猜测密码，会放慢核对；但不会锁定任何人，从其他地址可立即核对。',
    '请 {seconds} 秒后再试。',
  ],
  LOGIN_SLOW: ['登录超过了 {seconds} 秒。', '到定位服务器的线路很慢，或并没有人要登录。', '系统会自动重试。'],
  MESSAGE_INVALID: [
    '定位服务器无法读取一条消息（{problem}）。',
    '消息过长、格式不对，或当前版本不认识。',
    SAME_GINNEL,
  ],
  NAME_TAKEN: [
    '名称 {name} 在网络中已被占用。',
    '另一台设备在使用它。',
    '请换一个：ginnel up --name NAME。邀请仍然有效。',
  ],
  NETWORK_UNKNOWN: ['这台定位服务器不负责该网络。', '它负责的是另一个网络。', '请确认邀请来自这台服务器。'],
  NODE_NAME: [
    '不能把设备命名为 {name}。',
    '名称为 1 到 63 个字母、数字或连字符，首尾须为字母或数字。',
    '请换一个：ginnel nodes rename OLD NEW。',
  ],
  NODE_OFFLINE: ['那台设备离线。', '它没有连接定位服务器。', '请检查它是否开机、能否上网。'],
  NODE_UNKNOWN: [
    '网络中没有这台设备。',
    '没有使用该名称、地址、密钥或编号的设备加入过。',
    '请检查名称或地址：ginnel status。',
  ],
  PASSWORD_SHORT: [
    '密码太短。',
    '至少需要 {least} 个字符：更短的密码很快会被机器破解。',
    '请换一个更长的；四个互不相关的词既好记又安全。',
  ],
  PENDING_APPROVAL: [
    '这台设备正在等待网络管理者批准。',
    '它的邀请要求批准，或它曾被移出网络。',
    '管理者运行 ginnel nodes approve {name} 后会自动加入。',
  ],
  POOL_CLASH: [
    '虚拟网络的地址 {pool} 与本地网络 {local} 冲突。',
    '无法判断数据包属于哪一个网络。',
    '请在路由器设置中更改本地网络的网段。已建立的网络不能更换地址池。',
  ],
  POOL_CLASH_HERE: [
    '虚拟网络的地址 {pool} 与本机所在的网络 {local}（{card}）冲突。',
    '无法判断数据包属于哪一个网络。',
    '请为全部设备换一个地址池：ginnel server --pool {other}。',
  ],
  POOL_EXHAUSTED: ['网络中没有可用地址了。', '{pool} 的地址已全部分配。', '请建立一个地址池更大的网络。'],
  POOL_FIXED: [
    '本网络的地址池是 {pool}，不能改为 {wanted}。',
    '设备的地址都来自它。',
    '请不要指定地址池，或在另一个状态目录中建立新网络。',
  ],
  POOL_INVALID: [
    '{pool} 不是有效的地址池。',
    '需要固定 8 到 29 位的 IPv4 网段，例如 10.77.0.0/16。',
    '请换一个：ginnel server --pool。',
  ],
  PREFIX_CLASH: [
    '不能共享网段 {prefix}。',
    '它与虚拟网络自身的地址重叠。',
    '请共享更小的网段，或另一个网段。',
  ],
  PROOF_WRONG: [
    '设备无法证明自己的身份。',
    '登录没有用它声明的身份密钥签名，或来自另一个连接。',
    '请在那台设备上重新安装 Ginnel；如果一直如此，它的状态目录已损坏。',
  ],
  RATE_LIMITED: ['消息过多。', '定位服务器只转发信令、不转发数据，每秒接收的数量有限。', '系统会自动重试。'],
  RECORD_OLD: [
    '设备的记录被拒绝。',
    '服务器已有版本 {known}，收到的是 {given}。',
    '系统会自动重新发布；如果一直如此，可能是从旧备份恢复了状态目录。',
  ],
  RECORD_WRONG: [
    '设备的记录被拒绝（{problem}）。',
    '它没有该设备的签名，或与服务器的分配不符。',
    '请重新启动那台设备；如果一直如此，请让它重新加入。',
  ],
  REPLACED: [
    '这台设备在另一个连接上重新登录了。',
    '可能是重新连接，也可能有两台设备使用同一身份。',
    '如果两台设备使用相同的状态目录，请让其中一台作为新设备加入。',
  ],
  RULES_TOO_MANY: [
    '本网络的自定义规则过多。',
    '每台设备都要收到全部规则，最多 {most} 条。',
    '请先取消一条：ginnel rules unset PREFIX。',
  ],
  RULE_INVALID: [
    '{prefix} 的规则未被接受。',
    '{problem}。',
    '请改正：ginnel rules set 198.18.0.0/15 public。',
  ],
  RULE_UNKNOWN: [
    '本网络没有针对 {prefix} 的自定义规则。',
    '只能取消设置过的规则。',
    '查看已有规则：ginnel rules。',
  ],
  SERVER_CLOCK: [
    '定位服务器的时钟不准：显示为 {shown}。',
    '没有电池的机器在连上时间服务器之前，时钟会停在过去。',
    '校准之前不会有内容过期。请检查 NTP 是否正常。',
  ],
  SERVER_DOWN: ['定位服务器未运行。', '它已停止，或从未启动。', '请启动：ginnel server。'],
  SERVER_KEYS_MISSING: [
    '{path} 中没有定位服务器的密钥。',
    '状态数据还在，但密钥文件不见了：{problem}。',
    '请运行 sudo ginnel repair，或从备份恢复该文件。没有它，设备将不认识这台服务器。',
  ],
  SERVER_MOVED: [
    '本机的定位服务器已迁移到另一台机器{where}。',
    '它用 --move 导出过，或有设备证明它此后在别处运行（{when}）。两台服务器使用同一密钥，会各自只知道一半网络。',
    '请在那里使用。如果确定只在本机运行：ginnel server --again。',
  ],
  SERVER_NOT_SET_UP: [
    '本机没有定位服务器。',
    '{folder} 中从未建立过。',
    '请在服务器所在的机器上操作，或建立一个：ginnel server。',
  ],
  SERVER_OPTIONS: ['定位服务器的选项未被接受。', '{problem}。', '请改正：ginnel server --help。'],
  SERVER_PORT_FORBIDDEN: [
    '无法打开 {address} 的端口 {port}。',
    '{problem}。',
    '请检查地址；1024 以下的端口需要 root 或 CAP_NET_BIND_SERVICE 权限。',
  ],
  SERVER_PORT_TAKEN: [
    '{address} 的端口 {port} 已被占用。',
    '其他程序正在监听。',
    '请停止该程序，或换一个端口：ginnel server --{setting}。',
  ],
  SERVER_STATE: [
    '定位服务器无法读写状态数据。',
    '它的磁盘出错。',
    '管理者可在那台机器上查看原因：ginnel status。',
  ],
  VERSION: [
    '设备与定位服务器的定位协议版本不同。',
    '设备使用版本 {theirs}，服务器使用版本 {ours}。',
    '请在版本较旧的一端安装新版本的 Ginnel。',
  ],
};
