// 本机与网络之间的错误。
import type { CodeText } from '../pure/box-words.ts';

const NEW_INVITE = '请向网络管理者索取新的邀请：ginnel invite。';

export const nodeErrors: Readonly<Record<string, CodeText>> = {
  // ---- 与定位服务器的联系
  CLOCK_WRONG: [
    '与定位服务器相比，本机时钟{words}。',
    '没有电池的路由器在连上时间服务器之前会从 1970 年开始计时。',
    '请开启时间同步（NTP）。在此之前，Ginnel 以定位服务器的时间为准。',
  ],
  CONTROL_BUSY: ['等待定位服务器答复的请求过多。', '最多同时等待 {limit} 个。', '请过几秒再试。'],
  IDENTITY_DAMAGED: [
    '无法读取本机的身份（{file}：{reason}）。',
    '磁盘丢失了它，或有人改动过。系统不会自动更换身份，否则网络会把本机当作另一台设备。',
    '请运行：sudo ginnel repair。如果没有可用的导出，请从备份恢复该文件，或移走状态目录后用新的邀请重新加入。',
  ],
  IDENTITY_UNWRITABLE: [
    '无法写入 {file}（{reason}）。',
    '磁盘已满或只读，或 Ginnel 没有写入权限。',
    '请清理磁盘或修正状态目录的权限，然后重新启动。',
  ],
  MEMBERSHIP_DAMAGED: [
    '无法读取本机的成员信息（{file}：{reason}）。',
    '磁盘丢失了它，或有人改动过。',
    '请运行：sudo ginnel repair。如果没有可用的导出，请从备份恢复该文件，或移走它后用新的邀请重新加入（身份不变）。',
  ],
  PEER_REFUSED: [
    '定位服务器关于 {name} 的信息未被采纳（{reason}）。',
    '签名不符，或密钥与本机已知的不同。',
    '如果那台设备确实重新安装过，请把它移出网络后重新加入。',
  ],
  SERVER_AWAY: ['目前无法连接定位服务器。', '{reason}', '已互联的设备仍保持连接；系统会自动重试。'],
  SERVER_KEY_WRONG: [
    '应答的机器不是本网络的定位服务器：密钥不同。',
    '已询问：{tried}。可能是服务器重新安装过，或地址已归另一台机器使用。',
    '如果服务器重新安装过，请恢复它的备份，或用新的邀请重新加入。',
  ],
  SERVER_UNREACHABLE: [
    '没有定位服务器应答。',
    '已尝试：{tried}。',
    '请检查服务器是否在运行（在服务器上运行 ginnel status）、端口是否已转发、本机能否上网。',
  ],
  SERVER_WORD_WRONG: [
    '定位服务器给出的信息不成立（{reason}）。',
    '签名或地址与本机、本网络不符。',
    '请在两端更新 Ginnel；如果一直如此，请查看服务器日志。',
  ],
  // ---- 本机
  ACCOUNT_UNFIT: [
    '没有名为 {name} 的账号。',
    '名称为 1 到 63 个字母、数字或 . _ @ + -，首尾须为字母或数字。',
    '请检查名称：ginnel up --account NAME。',
  ],
  CERTIFICATE_UNFIT: [
    '证书不可用：{problem}。',
    '证书文件应先放本机证书，再放签发者证书；另一个文件放私钥。',
    '请检查两个文件：ginnel up --certificate FILE --key FILE。',
  ],
  INVITE_EMPTY: [
    '这一行只说明网络在哪里，不能用来加入。',
    '它是网络地址，不是邀请。',
    '请向网络管理者索取邀请（在其设备上运行 ginnel invite），或用 ginnel up --account NAME --network LINE 登录。',
  ],
  INVITE_NEEDED: [
    '这台设备还不属于任何网络。',
    '首次加入需要邀请，但没有收到邀请。',
    '请向网络管理者索取邀请（在其设备上运行 ginnel invite），然后粘贴到这里。',
  ],
  INVITE_UNREADABLE: [
    '这不是完整的邀请（{reason}）。',
    '可能缺了或错了字符。',
    '请完整复制以“ginnel:”开头的整行，再粘贴一次。',
  ],
  NAME_NEEDED: ['设备必须有名称。', '', '请换一个：ginnel set name NAME。'],
  NAME_WRONG: [
    '不能使用名称 {name}。',
    '名称为 1 到 63 个字母、数字或连字符，首尾须为字母或数字。',
    '请换一个：ginnel up --name NAME。',
  ],
  NETWORK_NEEDED: [
    '这台设备不知道网络在哪里。',
    '账号或证书只说明谁可以加入，不说明网络地址。',
    '请加上 --network LINE_OR_FILE；网络管理者运行 ginnel invite --address-only 可得到这一行。',
  ],
  NODE_DISABLED: [
    '这台设备在网络中已被停用。',
    '网络管理者暂时停用了它，其他设备暂不与它通信。',
    '管理者运行 ginnel nodes enable NAME 后会自动恢复。',
  ],
  NODE_DOWN: ['这台设备未接入网络。', '', '请接入网络：ginnel up。'],
  NODE_REMOVED: [
    '这台设备已被移出网络。',
    '网络管理者移除了它，其他设备不再与它通信。',
    '要重新加入，需要新的邀请：在管理者的设备上运行 ginnel invite，在本机运行 ginnel up --invite-file -。',
  ],
  NOT_JOINED: [
    '这台设备还不属于任何网络。',
    '名称和端口在加入时选定。',
    '请加入网络：ginnel up --name NAME --udp-port PORT。',
  ],
  PEER_IS_SELF: ['{peer} 就是本机。', '', '请选择另一台设备；ginnel status 可列出全部设备。'],
  PEER_UNKNOWN: [
    '这里没有名为 {peer} 的设备。',
    '它既不是本网络中的名称，也不是地址。',
    '名称见 ginnel status，也可以使用地址。',
  ],
  PEER_KEY_CHANGED: [
    '{name} 出示的密钥与本机已知的不同。',
    '可能它的部分状态被替换，或有人冒充它。仍使用原来的密钥。',
    '请询问设备的主人。重新安装的设备须用新的邀请加入，之后双方会重新识别。',
  ],
  // ---- 邀请
  INVITE_EXPIRED: ['这个邀请已过期。', '有效期到 {until}。', NEW_INVITE],
  INVITE_REVOKED: ['这个邀请已被撤销。', '网络管理者收回了它。', NEW_INVITE],
  INVITE_UNKNOWN: ['定位服务器不认识这个邀请。', '它来自另一台服务器，或早已失效。', NEW_INVITE],
  INVITE_USED: ['这个邀请已经用过了。', '它可加入的设备数为{boxes}，已用完。', NEW_INVITE],
};
