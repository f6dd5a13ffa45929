// 设置的名称和说明的中文。
import type { BoxTexts } from '../pure/box-words.ts';

export const zhSettings: BoxTexts['settings'] = {
  node: {
    name: { title: '本机名称', description: '其他设备用这个名称称呼本机。' },
    server: {
      title: '定位服务器地址',
      description: '服务器搬迁后，如果没有其他途径得知新地址，本机先到这里找它；其他设备会从本机得知。',
    },
    'udp-port': {
      title: 'UDP 端口',
      description: '承载虚拟网络的 UDP 端口。留空则自动选用一个空闲端口，此后不变。',
    },
    'tcp-port': {
      title: 'TCP 端口',
      description:
        'UDP 不通的设备从这里连接本机，前面的路由器需要转发此端口。可以与本机的定位服务器共用。留空：不接受连接，本机仍可连接其他设备。',
    },
    'web-port': {
      title: '备用 TCP 端口（443 或 80）',
      description:
        '有些网络只放行网页访问，那里的设备从这个端口连接本机。前面的路由器也要转发，本机的其他程序不能占用它。',
    },
    'external-addresses': {
      title: '公网地址',
      description: '除自动发现的之外，其他设备还可以从这些地址访问本机，例如手动设置了端口转发时。',
    },
    upgrade: {
      title: '寻找更好的路径',
      description:
        '是否在定位服务器给出的路线之外，自行打洞寻找路径。关闭：只走服务器给出的路线，可能要经中继。',
    },
    card: { title: '虚拟网卡名称', description: '本机虚拟网卡的名称，%d 代表第一个空闲编号。' },
    mtu: {
      title: '虚拟网卡 MTU',
      description: '虚拟网卡上最大的数据包（字节）。1400 适合 PPPoE 宽带和外网 IPv6。',
    },
    'packet-memory': {
      title: '数据包内存',
      description: '为传输中的数据包预留多少 MiB，未用到的不占内存。与一千台以上设备联系时可以调大。',
    },
  },
  server: {
    port: {
      title: '定位服务器端口',
      description: 'TCP 和 UDP，前面的路由器两者都要转发。记着旧端口的设备会在登录时得知新端口。',
    },
    'second-port': {
      title: '定位服务器第二端口',
      description: 'TCP 和 UDP。有了它，设备可以分辨 NAT 的类型。',
    },
    'web-port': {
      title: '定位服务器备用端口（443 或 80）',
      description: 'TCP，供只放行网页访问的网络使用。设备先试主端口，再试它；前面的路由器也要转发。',
    },
    listen: {
      title: '定位服务器监听的地址',
      description: '本机的地址，留空表示全部。同类地址有两个时，设备可以分辨所有 NAT 类型。',
    },
    advertise: {
      title: '定位服务器的名称和地址',
      description: '按此顺序写入邀请并告知设备；留空则使用本机自己的地址。',
    },
    'trusted-proxy': {
      title: '定位服务器前的反向代理',
      description: '只采信这些代理给出的来源地址（X-Forwarded-For 或 Forwarded）；留空则都不采信。',
    },
    'relay-choice': {
      title: '如何为无法直连的设备选择中继',
      description:
        '随机；按距离（先看地区，再看往返时间）；按空余带宽；或综合带宽、处理器负载和服务的设备数。',
      options: { random: '随机', nearest: '就近', bandwidth: '按带宽', balanced: '综合均衡' },
    },
  },
  daemon: {
    'log-level': {
      title: '日志级别',
      description: '日志的详细程度，可统一设置或按部分设置；debug 会记录地址，内容很多。',
    },
    metrics: {
      title: '监控指标',
      description: '在哪里为 Prometheus 提供指标，访问需要令牌（ginnel metrics --token）。',
    },
    page: { title: '页面', description: '在哪里提供本机的页面：家庭网络中、不提供，或您指定的地址。' },
    'page-names': { title: '页面的名称', description: '除地址和本机名称之外，还可以用哪些主机名打开页面。' },
    'page-tls': {
      title: '页面使用 HTTPS',
      description:
        '是否加密提供此页面。证书由本机自行生成，浏览器会询问一次是否信任（用 ginnel page 查看指纹）。',
    },
    'speed-test': { title: '参与测速', description: '是否允许网络中的其他设备与本机测量传输速度。' },
  },
};
