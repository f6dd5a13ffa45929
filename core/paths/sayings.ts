// What the search for paths says to people: why a path was chosen or none was found, what was tried, what would help.
// The page says the same in other languages by the codes.
import { sayings, type Said } from '../../base/said.ts';

/** Paths by name, and how good they are. */
const PATHS = {
  'path.lan': 'LAN {transport}',
  'path.direct': 'direct {transport}',
  'path.turn': 'TURN {transport}',
  'path.relay': 'relay {transport}',
  'path.via': 'via {relay}',
  'path.at': '{path} {place}',
  'path.with': '{path} ({quality})',
  'quality.unmeasured': 'not yet measured',
  'quality.ms': '{ms} ms',
  'quality.lossy': '{quality}, {percent} % lost',
};

/** Why this path, or why none. */
const REASONS = {
  'reason.unused': 'nothing was sent there yet',
  'reason.unmet': 'nothing was sent there yet; a way to it is sought with the first packet',
  'reason.no-box': 'No box has the address {address}.',
  'reason.no-box6': 'No box has the IPv6 address {address}.',
  'reason.only': 'the only path that answered, {quality}',
  'reason.best': 'the best of {count} paths that answered, {quality}',
  'reason.silent': '{path} fell silent; {other} still answers',
  'reason.lossy': '{path} loses what goes by it; {other} answers too',
  'reason.better': '{other} is better than {path}',
  'reason.again': '{path} answers again',
  'reason.table': "the server's route, as this box's owner wants it",
  'reason.lost': '{path} fell silent: looking for another',
  'reason.because': '{path}, because {why}',
  'reason.stock-waits': 'a stock WireGuard peer without an endpoint: it has to speak first',
  'reason.stock-fixed': 'the configured endpoint of a stock WireGuard peer',
  'reason.stock-roams': 'a stock WireGuard peer: its packets come from here',
};

/** Why they do not meet directly. `{own}` and `{their}` ports stand in RFC 4787's words. */
const VERDICTS = {
  'verdict.no-route': "the location server's route leads nowhere now",
  'verdict.offline': 'it is not connected to the location server',
  'verdict.server-away': 'the location server is away, and it is not where it was before',
  'verdict.no-answer': 'it did not answer our offer',
  'verdict.blocked-here': "UDP does not get out of this node's network",
  'verdict.blocked-there': "UDP does not get out of the peer's network",
  'verdict.unchecked': 'no probe got through, and what the NATs do was not checked',
  'verdict.possible':
    'no probe got through, though the NATs should allow it (here: mapping {mapping}, filtering {filtering}; there: mapping {theirMapping}, filtering {theirFiltering})',
  'verdict.predict-missed':
    'the ports that the routers were expected to use next were not the ones they used',
  'verdict.birthday-missed': 'no guess met the port that the router had picked',
  'verdict.tcp-missed': 'no connection that both ends opened at once came about',
  'verdict.both':
    "both NATs pick a new port for every destination (symmetric{ports}; the peer's{theirPorts}): neither end can tell the other where to send",
  'verdict.ours':
    "this node's NAT picks a new port for every destination (symmetric{ports}), and the peer's NAT lets in only ports it has sent to",
  'verdict.theirs':
    "the peer's NAT picks a new port for every destination (symmetric{ports}), and this node's NAT lets in only ports it has sent to",
  'verdict.plugin-off':
    '{why}; the plugin nat-portpredict could get through, but what that takes is turned off at one end, or its router had no room for it',
  'verdict.plugin-not-there': '{why}; the plugin nat-portpredict could get through, and is not there at work',
  'verdict.plugin-not-here': '{why}; the plugin nat-portpredict could get through, and is not here at work',
  'verdict.plugin-nowhere':
    '{why}; the plugin nat-portpredict could get through, and is at neither end at work',
  'verdict.no-relay': '{why}; and no other box forwards between the two now',
  'ports.told': ', ports {ports}',
  'ports.untold': '',
  'ports.too': ' too',
  'rule.random': 'random',
  'rule.preserved': 'preserved',
  'rule.sequential': 'sequential {step}',
};

/** What a person could do about it. */
const ADVICE = {
  'advice.predict-here': 'turn the plugin nat-portpredict on here: ginnel plugins enable nat-portpredict',
  'advice.predict-there': 'turn the plugin nat-portpredict on there: ginnel plugins enable nat-portpredict',
  'advice.ipv6-here': 'turn IPv6 on here: the other home has it, and it needs no luck',
  'advice.ipv6-there': 'turn IPv6 on there: the other home has it, and it needs no luck',
  'advice.udp-here': 'let UDP out in the router or firewall here',
  'advice.udp-there': 'let UDP out in the router or firewall there',
  'advice.port':
    'give one of the two boxes a port of its own: UPnP, NAT-PMP or PCP in its router, or a UDP port forwarded by hand and named with ginnel set external-addresses',
  'advice.relay':
    'have one box of this network that can be reached from outside: it forwards for all others, sealed from end to end',
  'advice.wake': 'see that the other box is on and has internet; it is found again by itself',
};

/** What began a search. */
const CAUSES = {
  'cause.packet': 'a packet wants to go there',
  'cause.silent': 'the path fell silent',
  'cause.server-back': 'the location server is there again',
  'cause.server-gone': 'the location server went away',
  'cause.online': 'it is online again',
  'cause.better': 'better ways are wanted',
  'cause.moved': 'our addresses changed',
  'cause.again': 'trying once more',
  'cause.restarted': 'started again without the location server',
  'cause.tcp': 'it wants connections that both ends open at once',
  'cause.alone': '{cause}; the location server is away',
};

/** What was tried, and what came of it: the diary. */
const TRIES = {
  'try.hopeless': '{cause}: nothing leads straight there from here, as was found within the hour',
  'try.table': "{cause}: going by the server's route",
  'try.new': '{cause}: a new try',
  'try.places': '{cause}: asking the {places} where it was before',
  'try.unsignalled': 'the signal did not reach it ({code})',
  'try.failed': 'not found: {why}',
  'try.answered': '{path} ({learnt}) answered in {ms} ms',
  'try.answered-seen': '{path} ({learnt}) answered in {ms} ms, and sees us as {place}',
  'learnt.host': 'host',
  'learnt.reflexive': 'reflexive',
  'learnt.mapped': 'mapped',
  'learnt.configured': 'configured',
  'learnt.peer-reflexive': 'peer-reflexive',
  'learnt.roaming': 'roaming',
  'learnt.predict': 'predict',
  'learnt.birthday': 'birthday',
  'learnt.tcp': 'tcp',
  'learnt.relay': 'relay',
  'learnt.last good': 'last good',
  'learnt.the server says': 'the server says',
  'try.heard': 'its packets come by {way}: asking there',
  'try.now-by': 'now by {path}: {reason}',
  'try.stock': '{path}: {reason}',
  'try.shunned': '{path} loses too much of what goes by it: leaving it',
  'try.silent': '{path} fell silent',
  'try.mtu': '{way} carries packets of up to {bytes} bytes',
  'try.unforeseen': 'the location server did not answer in time: no port is predicted',
  'try.contradicted': 'our router does not give out ports as its report says: the report is taken anew',
  'try.port': 'our next port outside is {port}',
  'try.port-step': 'our next port outside is {port}, and {step} for each next',
  'try.both-offered': 'both ends made an offer at once: ours stands',
  'try.offered-none': 'it made an offer: answered, but nothing known gets through both NATs',
  'try.offered': 'it made an offer: answered, {method}',
  'try.offered-plain': 'it made an offer of {places}: answered, probing them in {ms} ms',
  'try.its-answer': 'it answered: {method}',
  'try.its-places': 'it answered with {places}: probing',
  'try.no-answer': 'no answer to our offer yet',
  'places.one': '1 place',
  'places.many': '{count} places',
  'method.predict': 'sending to the ports that its router is about to use',
  'method.birthday': 'guessing the port that its router uses, from many of ours or at many of theirs',
  'method.tcp': 'opening connections from both ends at once',
  'volley.missed': 'none of them got through',
  'volley.no-room':
    'stopped guessing: the router here takes no new connections any more; not again for an hour',
  'volley.busy': 'another box is being sought by guessing ports: later',
  'volley.impossible': 'that cannot be done from here now',
  'volley.through': 'a connection came about',
};

export const PATH_SAYINGS = { ...PATHS, ...REASONS, ...VERDICTS, ...ADVICE, ...CAUSES, ...TRIES };
export type PathSaying = keyof typeof PATH_SAYINGS;

export const says = sayings<PathSaying>(PATH_SAYINGS);

/** A word that has a saying of its own there, and else the word. */
export function saidWord(kind: 'learnt' | 'rule', word: string): Said | string {
  const code = `${kind}.${word}`;
  return isSaying(code) ? says(code) : word;
}

const isSaying = (code: string): code is PathSaying => Object.hasOwn(PATH_SAYINGS, code);
