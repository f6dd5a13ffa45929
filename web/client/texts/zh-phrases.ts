// 设备用英文给出的原因、取值等片段的中文。左边是英文原文，去掉句末的点；{花括号}代表任意内容。
import { zhPhrasesMore } from './zh-phrases-more.ts';

export const zhPhrases: Readonly<Record<string, string>> = {
  ...zhPhrasesMore,
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
  // ---- 设置允许的取值
  'on or off': '开或关',
  none: '无',
  'pcp, nat-pmp or upnp': 'pcp、nat-pmp 或 upnp',
  'random, nearest, bandwidth or balanced': '随机、就近、按带宽或综合均衡',
  'a setting': '一项设置',
  'something else': '其他值',
  'a whole number from {min} to {max}': '{min} 到 {max} 的整数',
  'a whole number of {min} or more': '不小于 {min} 的整数',
  'a number from {min} to {max}': '{min} 到 {max} 的数字',
  'a number of {min} or more': '不小于 {min} 的数字',
  'text of up to {count} characters': '最多 {count} 个字符的文本',
  'a list of up to {count}, each {mayBe}': '最多 {count} 项的列表，每项为{mayBe}',
  '{key} must be {mayBe}': '{key} 应为{mayBe}',
  '{key} is missing; it is {mayBe}': '缺少 {key}，应为{mayBe}',
  '"{key}" is none of its settings (it has none)': '没有“{key}”这项设置（它没有任何设置）',
  '"{key}" is none of its settings (there are: {known})': '没有“{key}”这项设置（现有：{known}）',
  'together they are larger than {bytes} bytes': '全部设置合计超过 {bytes} 字节',
  'Nothing there is called like it': '没有与它相近的名称',
  'Did you mean {near}?': '您是不是要找 {near}？',
  'an address with its port, such as 203.0.113.1:7443 or [2001:db8::1]:7443':
    '带端口的地址，例如 203.0.113.1:7443 或 [2001:db8::1]:7443',
  'an address or a network, such as 127.0.0.1 or 10.0.0.0/24': '地址或网段，例如 127.0.0.1 或 10.0.0.0/24',
  'a letter, then up to 11 letters, digits, _ or -, then perhaps %d':
    '一个字母开头，后接最多 11 个字母、数字、_ 或 -，末尾可加 %d',
  'up to two servers with their ports, such as turn.example.org:3478':
    '最多两个带端口的服务器，例如 turn.example.org:3478',
  'a number of Mbit/s up to 1000000; 0 for no limit': '0–1000000 Mbit/s；0 表示不限',
  'debug, info, warn, error or silent; for a part: info,node.paths=debug':
    'debug、info、warn、error 或 silent；按部分设置：info,node.paths=debug',
  '1 to 63 letters, digits or hyphens, with a letter or digit first and last':
    '1 到 63 个字母、数字或连字符，首尾须为字母或数字',
  'a port from 1 to 65535': '1 到 65535 的端口',
  'an address of this box with a port, such as 127.0.0.1:9477, or none':
    '本机地址加端口，例如 127.0.0.1:9477；或留空',
  'a name of up to 32 letters, digits, blanks, dots and hyphens, such as eu-north':
    '最多 32 个字母、数字、空格、点或连字符，例如 eu-north',
  'a list of up to 16 ranges, such as 192.168.0.0/16 and fd00::/8':
    '最多 16 个网段，例如 192.168.0.0/16 和 fd00::/8',
  'a port from 1 to 65535 other than port, or none': '1 到 65535、与 port 不同的端口；或留空',
  'lan (or, on another port, lan:8080), off, or addresses with ports: 192.168.1.2:7080':
    'lan（换端口则为 lan:8080）、off，或带端口的地址：192.168.1.2:7080',
  'a name or address, perhaps with a port: home.example.net, 203.0.113.1:7443':
    '名称或地址，可带端口：home.example.net、203.0.113.1:7443',
  'a host name': '主机名',
  'a port from 1 to 65535, or none': '1 到 65535 的端口；或留空',
  'an address of this machine, such as 192.168.1.2': '本机地址，例如 192.168.1.2',
  'a port from 1 to 65535 other than tcp-port, or none': '1 到 65535、与 tcp-port 不同的端口；或留空',
  // ---- 邀请、账号与证书
  'one box': '1 台',
  '{count} boxes': '{count} 台',
  'no certificate in PEM is in the file': '文件中没有 PEM 格式的证书',
  'the key is not the one of the certificate': '私钥与证书不匹配',
  'one certificate in PEM is needed': '需要一张 PEM 格式的证书',
  'a certificate is for a name of 1 to {count} characters': '证书的名称须为 1 到 {count} 个字符',
  'a certificate is valid for one minute to ten years': '证书有效期须为一分钟到十年',
  'a serial number has 1 to 40 hexadecimal digits': '序列号为 1 到 40 位十六进制数字',
  'there are {count} accounts already': '已有 {count} 个账号',
  'a password has at most {count} characters': '密码最多 {count} 个字符',
  'too many wrong passwords came from this address': '来自此地址的错误密码过多',
  'Too many wrong tries came from this address': '来自此地址的错误尝试过多',
  'Others are being checked': '正在核对其他登录',
  // ---- 与服务器的联系
  'no address is known': '不知道任何地址',
  'It did not answer within {seconds} s': '它在 {seconds} 秒内没有应答',
  'It stopped answering': '它停止了应答',
  'This box is going down': '本机正在断开网络',
  'This box is still connecting': '本机仍在连接',
  'too large': '过大',
  empty: '为空',
  'not ours': '不是 Ginnel 的文件',
  'of a later version of ginnel': '来自更新版本的 Ginnel',
  checksum: '校验和不符',
  'it was not published yet': '它还没有发布',
  'No box has the address {address}': '没有设备使用地址 {address}',
  'No box has the IPv6 address {address}': '没有设备使用 IPv6 地址 {address}',
  // ---- 通道
  'GINNEL_DOOR asks for it': 'GINNEL_DOOR 指定使用它',
  'Start Ginnel without GINNEL_DOOR, and it takes the faster one':
    '启动 Ginnel 时去掉 GINNEL_DOOR，就会使用较快的通道。',
  'koffi has no binary that works here ({platform})': 'koffi 没有适用于本机（{platform}）的程序文件',
  'A newer koffi may have one: npm update koffi --include=optional':
    '较新的 koffi 可能有：npm update koffi --include=optional。',
  // ---- 状态数据与备份
  'It was set up once, and is gone': '它曾经建立过，现在不见了',
  'It was never set up': '从未建立过',
  'It cannot be read': '无法读取',
  'It is not sealed': '它没有加密',
  'What it holds is not what a back-up holds': '内容不是备份应有的内容',
  'The keys or the membership in it: {problem}': '其中的密钥或成员信息：{problem}',
  'Its location server: {problem}': '其中的定位服务器：{problem}',
  // ---- 请求
  'it is not JSON': '它不是 JSON',
  '{name} is a whole number up to {most}': '{name} 应为不大于 {most} 的整数',
  'It was silent for ten seconds': '十秒内没有应答',
  'The other box ended it': '另一台设备结束了测速',
};
