// 自带插件的用途和设置的中文。第三方插件使用它们自己的文字。
import type { PluginText } from '../pure/box-words.ts';

export const zhPlugins: Readonly<Record<string, PluginText>> = {
  'nat-portmap': {
    purpose: '请求家里的路由器为本机转发端口（PCP、NAT-PMP、UPnP），让其他设备直接连进来。',
    settings: {
      protocols: { title: '协议', description: '用哪些协议请求路由器；同时尝试，采用最先应答的一种。' },
      lease: {
        title: '申请时长',
        description: '请求路由器保持端口打开的秒数。过半时续期，不再需要时会通知路由器。',
      },
      server: {
        title: '包括定位服务器的端口',
        description: '如果本机运行定位服务器，也转发它的端口，并在邀请中写明外网地址。',
      },
    },
  },
  'nat-portpredict': {
    purpose: '遇到对每个目标使用不同端口的 NAT 时，预测或猜测下一个端口来打洞。',
    settings: {
      difference: {
        title: '预设端口间隔',
        description:
          '只有一个探测包得到应答、又没有更好的依据时，假定相邻两个外部端口的差值。负数：NAT 的端口递减。',
      },
      window: { title: '最多尝试的端口数', description: '可以预测时，每次最多向对方 NAT 的多少个端口发包。' },
      birthday: {
        title: '无法预测时猜测',
        description:
          'NAT 随机选端口时，一端最多打开 256 个端口，另一端最多猜 2048 个。关闭：这样的设备经中继访问。',
      },
      tcp: { title: 'TCP 直连', description: 'UDP 被拦截时，两台设备同时通过 TCP 互相连接。' },
    },
  },
  'nat-stun': {
    purpose: '用 STUN 查明本机在外网的地址，以及前面 NAT 的类型。',
    settings: {
      servers: {
        title: '更多 STUN 服务器',
        description:
          '除定位服务器外还询问这些，格式为地址:端口（192.0.2.1:3478 或 [2001:db8::1]:3478）。有第二个地址的服务器，NAT 报告才完整。',
      },
      refreshMinutes: {
        title: '重新检测间隔',
        description: '多少分钟后重新检测全部内容；网络变化时也会检测。0：仅在网络变化时检测。',
      },
      lifetimeProbing: {
        title: '检测映射保持时间',
        description: '在后台用几分钟查明多久发一次保活包就够了。',
      },
      portSamples: {
        title: '检测端口规律的套接字数',
        description: '打开多少个新套接字来了解 NAT 如何选择外部端口。',
      },
    },
  },
  'relay-tcp': {
    purpose: '无法直连时，经网络中的其他设备中继；也为其他设备中继。',
    settings: {
      serve: {
        title: '为其他设备中继',
        description:
          '允许本网络中的其他设备（仅限它们）经本机互相访问。内容在通信双方之间加密。关闭：不转发任何其他设备的数据。',
      },
      bandwidth: { title: '中继总带宽', description: '为所有其他设备转发的总速率（Mbit/s）。0：不限。' },
      'node-bandwidth': {
        title: '每台设备的带宽',
        description: '为任意一台设备转发的速率（Mbit/s）。0：不限。',
      },
      connections: {
        title: '同时连接的设备数',
        description: '最多多少台设备可以保持与本机的连接，以便经本机被访问。',
      },
      region: {
        title: '地区',
        description: '本机所在地区，由您自己命名：网络按距离选择中继时，优先同地区的设备。',
      },
    },
  },
  webrtc: {
    purpose: '在防火墙放行 WebRTC 或有 TURN 服务器时，用 WebRTC 数据通道连接其他设备。',
    settings: {
      turn: {
        title: 'TURN 服务器',
        description: '无法直连时请它们中继，仅支持 UDP。它们能看到谁与谁通信、数据量多少，看不到内容。',
      },
      'turn-user': {
        title: 'TURN 用户名',
        description: '在 TURN 服务器上的用户名；使用共享密钥时，是用户名中时间后面的部分。',
      },
      'turn-password': { title: 'TURN 密码', description: '该用户在 TURN 服务器上的密码。' },
      'turn-secret': {
        title: 'TURN 共享密钥',
        description: '代替密码：与 TURN 服务器共享的密钥，用它生成一天后失效的用户名和密码。',
      },
      'host-ranges': {
        title: '告知的本机地址',
        description: '只把这些网段内的本机地址告知其他设备；留空表示全部。虚拟网络自身的地址从不告知。',
      },
    },
  },
};
