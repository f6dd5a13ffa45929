// What the box says by a code (core/paths/sayings.ts, core/node/netcheck-sayings.ts), for the page. In English only
// what names a command that the page has a place for, or needs the field's terms, is said otherwise here.
import type { SaidTexts } from '../pure/said.ts';

export const saidEn: SaidTexts = {
  'verdict.blocked-here': 'the network here lets no UDP packets out',
  'verdict.blocked-there': 'the network there lets no UDP packets out',
  'verdict.unchecked': 'no probe got through, and what the two routers do is not known yet',
  'verdict.possible': 'no probe got through, though both routers should allow it',
  'verdict.both':
    'both routers give every connection another port, so neither box can tell the other where to send',
  'verdict.ours':
    'the router here gives every connection another port, and the one there lets in only what it has sent to',
  'verdict.theirs':
    'the router there gives every connection another port, and the one here lets in only what it has sent to',
  'verdict.plugin-not-there': '{why}; the plugin nat-portpredict could get through, and is not on there',
  'verdict.plugin-not-here': '{why}; the plugin nat-portpredict could get through, and is not on here',
  'verdict.plugin-nowhere': '{why}; the plugin nat-portpredict could get through, and is on at neither end',
  'advice.predict-here': 'Turn the plugin nat-portpredict on here.',
  'advice.predict-there': 'Turn the plugin nat-portpredict on there.',
  'advice.ipv6-here': 'Turn IPv6 on in the router here: the other home has it, and it needs no luck.',
  'advice.ipv6-there': 'Turn IPv6 on in the router there: this home has it, and it needs no luck.',
  'advice.port':
    'Give one of the two boxes a port of its own: turn UPnP, NAT-PMP or PCP on in its router, or forward a UDP port there by hand and enter it under external-addresses.',
  // The diary of what was tried.
  'cause.packet': 'something is to be sent there',
  'cause.moved': 'the addresses of this box changed',
  'learnt.host': 'its own address',
  'learnt.reflexive': 'its address seen from outside',
  'learnt.mapped': 'a port that its router opened',
  'learnt.configured': 'an address set by hand',
  'learnt.peer-reflexive': 'where its packets came from',
  'learnt.roaming': 'where its packets came from',
  'learnt.predict': 'a port that was foreseen',
  'learnt.birthday': 'guessing ports',
  'learnt.tcp': 'a TCP connection',
  'learnt.relay': 'a relay',
  'learnt.last good': 'where it was met before',
  'learnt.the server says': 'the location server',
  'try.new': '{cause}: a search begins',
  'try.answered': '{path}, found by {learnt}, answered in {ms} ms',
  'try.answered-seen': '{path}, found by {learnt}, answered in {ms} ms and sees this box as {place}',
  'try.offered-plain': 'it sent {places} of its own: ours were sent back, and both are tried in {ms} ms',
  'try.its-places': 'it answered with {places}: trying',
  'try.no-answer': 'it has not answered yet',
  'places.one': '1 address',
  'places.many': '{count} addresses',
  'nat.fixed-port':
    'A port of its own in the router would make this box easy to find: UPnP, NAT-PMP or PCP turned on there (the plugin nat-portmap uses them), or a UDP port forwarded by hand and entered under external-addresses.',
};
