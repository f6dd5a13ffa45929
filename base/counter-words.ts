// What the figures of the registry mean. `status --json`, GET /v1/counters and Prometheus tell it; a test finds a counter
// in the code that is not spoken of here.

export interface FigureWords {
  readonly words: string;
  /** Where the end of the name is a kind (`api.refused.INVITE_USED`): the name without it, and what to call the kind. */
  readonly family?: { readonly name: string; readonly label: string; readonly value: string };
}

/** Of one name. `*` at its end stands for what belongs to an area and has no words of its own. */
const WORDS: Readonly<Record<string, string>> = {
  // ---- a packet's way
  'dataplane.out.packets': 'IP packets taken from the virtual card',
  'dataplane.out.batches': 'batches of datagrams handed to links',
  'dataplane.out.keepalives': 'empty messages sent to keep sessions alive',
  'dataplane.out.told-too-big': 'senders told that a packet was larger than its path carries',
  'dataplane.out.fragmented': 'IPv4 packets that went on in fragments, being larger than their path carries',
  'dataplane.out.mss-lowered': 'outgoing TCP connections asked for smaller segments, for their path',
  'dataplane.out.*': 'packets from the card that went nowhere, by the last part of the name',
  'dataplane.in.packets': 'data messages that came over links',
  'dataplane.in.keepalives': 'empty messages received',
  'dataplane.in.mss-lowered': 'incoming TCP connections asked for smaller segments, for their path',
  'dataplane.in.*': 'datagrams from the net that were dropped, by the last part of the name',
  'dataplane.handshake.completed': 'handshakes that made a session',
  'dataplane.handshake.given-up': 'handshakes that nobody answered in time',
  'dataplane.handshake.*': 'handshake messages, by the last part of the name',
  'dataplane.*': 'figures of the data plane',
  'system.tun.read': 'IP packets read from the virtual card',
  'system.tun.written': 'IP packets handed to the kernel by the virtual card',
  'system.tun.dropped.*': 'packets that the kernel did not take',
  'system.tun.*': 'figures of the virtual card',
  'system.udp.sent': 'UDP datagrams sent',
  'system.udp.received': 'UDP datagrams received',
  'system.udp.dropped.*': 'UDP datagrams that were not sent or were cut, by the last part of the name',
  'system.udp.errors': 'errors that the kernel told of UDP sockets',
  'system.udp.*': 'figures of the UDP sockets',
  'system.tcp.unwanted': 'TCP connections closed because nothing here speaks what they began with',
  'system.tcp.silent': 'TCP connections closed because they said nothing in time',
  'system.tcp.too-many-silent': 'silent TCP connections closed to make room for newer ones',
  'system.tcp.*': 'TCP connections to the ports of this box, by what became of them',
  'system.tcp-source.*': 'TCP connections tried towards other boxes behind NATs, by what became of them',
  'system.network.changes': 'changes of addresses or routes that were acted upon',
  'system.network.*': 'what the kernel told of addresses and routes',
  'system.*': 'figures of the doors to the kernel',
  // ---- the node
  'network.*':
    'what plugins were told of the network without the location server, by the last part of the name',
  'node.card.lost': 'times the virtual card was lost or did not open',
  'node.card.*': 'packets that the virtual card did not take',
  'node.peers.*': 'peers of this box, by how they are reached now',
  'node.sessions': 'encrypted sessions that stand',
  'node.bytes.in': 'bytes of data that came from the peers known now',
  'node.bytes.out': 'bytes of data that went to the peers known now',
  'node.up': '1 while this box is on a network',
  'node.server.connected': '1 while the location server is connected',
  'node.server.rtt-ms': 'round trip to the location server',
  'node.health.*': 'health lines of this box, by severity',
  'node.*': 'figures of the node',
  'hearsay.*': 'words between boxes inside their sessions, by what became of them',
  'introductions.*': 'peers that were to be made known and were not, by the last part of the name',
  'streams.punch.*': 'connections that two boxes opened to each other at once, by what became of them',
  'paths.budget.*': 'packets that were not sent because a budget was used up, by budget',
  'paths.path.lost': 'paths that fell silent',
  'paths.signal.*': 'signals from peers that were set aside, by the last part of the name',
  'paths.stun.*': 'STUN answers that did not fit, by the last part of the name',
  'paths.plugin-failed': 'calls into a traversal plugin that failed',
  'paths.*': 'events on the ways to peers, by the last part of the name',
  'udp.*': 'datagrams and links of the UDP transport that were given up, by the last part of the name',
  'paths.detour.failed': 'connections to peers, straight or through relays, that did not come about',
  'streams.opened': 'TCP connections to other nodes that this box opened',
  'streams.accepted': 'TCP connections that other nodes opened to this box',
  'streams.closed': 'TCP connections with other nodes that ended',
  'streams.silent': 'TCP connections given up because nothing came any more',
  'streams.refused': 'TCP connections whose beginning was wrong, or whose node was not let in',
  'streams.turned-away': 'TCP connections turned away because too many began at once',
  'streams.door-checks': 'looks of the location server at the TCP door of this box',
  'streams.strangers.too-many': 'nodes heard through relays that were not looked up, being too many at once',
  'streams.frame.*': 'frames on TCP connections that were dropped, by the last part of the name',
  'streams.*': 'figures of the TCP connections with other nodes',
  'control.dials': 'tries to reach the location server',
  'control.dials.failed': 'tries to reach the location server that failed',
  'control.welcomes': 'log-ins that the location server accepted',
  'control.connections.lost': 'connections to the location server that were lost',
  'control.identity.*': 'identity keys made or set aside',
  'control.membership.*': 'writes of the membership that failed',
  'control.*': "events at the node's end of the location protocol, by the last part of the name",
  'peers.refused.*': 'records of peers that were not believed, by code',
  'peers.*': 'what became of kept peers, by the last part of the name',
  'standings.*': 'words of the server on who is out of the network, by what became of them',
  'plugins.failed': 'plugins that failed',
  'plugins.bad-reports': 'reports of plugins that were not accepted',
  'plugins.left-behind': 'plugins that did not stop in time',
  'plugins.relay-tcp.forwarded.frames': 'frames forwarded between other boxes',
  'plugins.relay-tcp.forwarded.bytes': 'bytes forwarded between other boxes',
  'plugins.relay-tcp.dropped.*': 'frames of other boxes that were not forwarded, by reason',
  'plugins.relay-tcp.slowed': 'times a box was read from more slowly because it sent more than its share',
  'plugins.relay-tcp.nodes.closed': 'connections of boxes closed because there were too many',
  'plugins.relay-tcp.detours.*':
    'questions for the way to a box that is not connected here, by what was found',
  'plugins.relay-tcp.relays.lost': 'connections to relays that were lost',
  'plugins.relay-tcp.relays.failed': 'tries to reach a relay that failed',
  'plugins.nat-portpredict.measured.*': 'measurements of how the NAT picks its ports, by what came of them',
  'plugins.nat-portpredict.volleys.*': 'tries to get through a NAT that were proposed, by method',
  'plugins.nat-portmap.mapped': 'times the router passed a port on to this box, or went on doing so',
  'plugins.nat-portmap.taken-back': 'ports that the router was told to pass on no more',
  'plugins.nat-portmap.refused.*': "answers that claimed to be the router's and were not believed, by reason",
  'plugins.nat-portmap.refused-by-router': 'ports that the router refused to pass on',
  'plugins.nat-portmap.router.restarted':
    'times the router started again, so that ports had to be asked for anew',
  'plugins.*': 'what plugins count themselves',
  // ---- the location server
  'nodes.registered': 'boxes that joined the network',
  'leases.*': 'virtual addresses that two boxes held',
  'requests.*': 'requests of nodes to the location server, by type',
  'session.refused.*': 'nodes that the location server refused, by code',
  'door.*': "looks of the location server at boxes' TCP doors, by what came of them",
  'relays.*': 'words of the location server on relays, by kind',
  'session.*': 'connections of nodes that ended, by the last part of the name',
  'stun.*': 'STUN over UDP at the location server, by what became of the request',
  'stun-tcp.*': 'STUN over TCP at the location server, by what became of the request',
  'tcp.*': 'TCP connections to the location server, by what became of them',
  'http.*': 'HTTP requests to the location server that were none of a node',
  'server.nodes': 'boxes that the location server knows',
  'server.nodes.online': 'boxes that are logged in at the location server',
  'server.up': '1 while the location server runs',
  'server.health.*': 'health lines of the location server, by severity',
  'server.*': 'figures of the location server',
  'members.*': 'changes to the members of the network, by the last part of the name',
  'audit.*': 'entries of the audit log, by the last part of the name',
  // ---- the daemon
  'api.refused.*': 'requests on the control sockets that were refused, by code',
  'api.*': 'figures of the control sockets',
  'backup.made': 'back-ups of the whole box that were made',
  'backup.restored': 'back-ups that were taken in here',
  'backup.*': 'back-ups of the whole box',
  'backup.refused.*': 'back-ups that were not made or not taken in, by code',
  'speed.asked': 'speed tests that this box began',
  'speed.answered': 'speed tests with this box that another one began, by direction',
  'speed.bytes': 'bytes that went to other boxes and came from them in their speed tests',
  'speed.refused.*': 'speed tests that were turned away, by reason',
  'speed.*': 'speed tests between boxes',
  'metrics.refused.*': 'requests for metrics that were refused, by reason',
  'metrics.*': 'requests for metrics',
  'page.*': 'what happened around the page',
  'notify.*': 'messages to the service manager, by what became of them',
  'log.*': 'log lines that were written or lost',
  'settings.*': 'settings that were changed or refused',
  'gauges.unreadable': 'gauges that could not be read',
  'store.disk-full': 'writes refused because the disk is full',
  'store.damaged': 'stored values whose checksum was wrong',
  'store.reopened': 'times the state was opened anew after an error',
  'store.exports.made': 'exports of the state that were written',
  'store.exports.skipped': 'looks at which no export was written because the disk is short',
  'store.exports.failed': 'exports that could not be written',
  'store.exports.damaged-file':
    'looks at which a small file of the state was damaged; its last whole copy stays in the export',
  'store.*': 'figures of the state on disk',
  'process.uptime-seconds': 'seconds since the daemon started',
  'process.memory.rss-bytes': 'resident memory of the daemon',
  'process.memory.heap-bytes': 'JavaScript heap in use',
  'process.memory.external-bytes': 'memory outside the JavaScript heap',
  'process.event-loop.delay-mean-ms': 'mean delay of the event loop over the last minute',
  'process.event-loop.delay-max-ms': 'longest delay of the event loop in the last minute',
  'process.cpu-seconds': 'processor time used',
};

/** Families that Prometheus shows as one metric with a label: what their last part is. */
const LABELS: Readonly<Record<string, string>> = {
  'node.peers.*': 'state',
  'node.health.*': 'severity',
  'server.health.*': 'severity',
  'paths.budget.*': 'budget',
  'peers.refused.*': 'code',
  'requests.*': 'type',
  'session.refused.*': 'code',
  'stun-tcp.*': 'outcome',
  'stun.*': 'outcome',
  'door.*': 'outcome',
  'relays.*': 'kind',
  'api.refused.*': 'code',
  'speed.refused.*': 'reason',
  'backup.refused.*': 'code',
  'metrics.refused.*': 'reason',
  'plugins.relay-tcp.dropped.*': 'reason',
  'plugins.nat-portmap.refused.*': 'reason',
  'plugins.nat-portpredict.measured.*': 'outcome',
  'plugins.nat-portpredict.volleys.*': 'method',
};

/** The words of the longest entry that fits; null: nobody described it. */
export function wordsOf(name: string): FigureWords | null {
  const exact = ownWords(name);
  if (exact !== null) return { words: exact };
  const parts = name.split('.');
  for (let length = parts.length - 1; length > 0; length--) {
    const area = parts.slice(0, length).join('.');
    const words = ownWords(`${area}.*`);
    if (words === null) continue;
    const label = LABELS[`${area}.*`];
    if (label === undefined) return { words };
    return { words, family: { name: area, label, value: parts.slice(length).join('.') } };
  }
  return null;
}

const ownWords = (name: string): string | null => (Object.hasOwn(WORDS, name) ? (WORDS[name] ?? null) : null);
