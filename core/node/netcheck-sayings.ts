// What netcheck says to people of this box, and of another by its own word. The page says the same in other languages.
import { sayings } from '../../base/said.ts';

const SYMMETRIC = 'This NAT picks a new outer port for every destination (symmetric)';

export const NETCHECK_SAYINGS = {
  'sum.mapped': 'Other boxes reach this one directly: its router passes a port on to it.',
  'sum.blocked-tcp':
    'This network lets no UDP packets out; direct paths are tried by TCP, and work with many other homes.',
  'sum.blocked': 'No direct path can be made from here: this network lets no UDP packets out.',
  'sum.unknown': 'It is not known yet how other boxes can reach this one.',
  'sum.public': 'Other boxes can reach this one directly, unless a firewall stops them.',
  'sum.steady': 'Direct paths from this home work with most other homes.',
  'sum.unchecked': 'This home is behind a router that translates addresses; of which kind is not known yet.',
  'sum.hard-most':
    'Direct paths from this home work with most other homes, though its router makes it hard to be found.',
  'sum.hard':
    'Direct paths from this home work with some other homes only: its router makes it hard to be found.',

  'nat.mapped':
    'The router passes {place} on to this box: others get straight to it, whatever is said of the NAT below.',
  'nat.blocked':
    'UDP does not pass here: nothing came back from the location server; a firewall or the router blocks it. {instead}',
  'nat.blocked-tcp':
    'Direct paths by TCP connections that both ends open at once are tried; most routers allow them.',
  'nat.blocked-alone': 'Direct paths need UDP, or TCP with the plugin nat-portpredict, which is off here.',
  'nat.public':
    'This box has an address of its own on the internet: others reach it directly unless a firewall filters.',
  'nat.steady':
    'This NAT keeps one outer port for all destinations: direct paths work with every box whose NAT does the same, and with open ones.',
  'nat.stepped': `${SYMMETRIC}, in steps of {step}, so the next one is known: direct paths work with most homes.`,
  'nat.stepped-off': `${SYMMETRIC}, in steps of {step}. The plugin nat-portpredict would know the next one, and is off here: direct paths work with open boxes only.`,
  'nat.random': `${SYMMETRIC}, at random. Homes with one outer port for all (most are) are met directly by guessing, which takes some seconds; two homes like this one are not.`,
  'nat.random-off': `${SYMMETRIC}. Direct paths work with boxes that are public or behind an open (full cone or address-restricted) NAT only.`,
  'nat.fixed-port':
    'A port of its own in the router would make this box easy to find: UPnP, NAT-PMP or PCP turned on there (the plugin nat-portmap uses them), or a UDP port forwarded by hand and named with ginnel set external-addresses.',
  'nat.hairpin':
    'The router does not loop back its own outer address: boxes behind it meet on their LAN addresses instead.',
  'nat.lifetime':
    'An idle mapping (an outer port kept for this box) was seen alive after {seconds} s; the small packets that keep it open (keep-alives) are fitted to that.',
  'nat.no-ipv6':
    'IPv6 does not reach the location server. Turning it on at both homes often gives a direct path where IPv4 has none.',

  'there.blocked': 'Its network lets no UDP packets out.',
  'there.public': 'It has an address of its own on the internet, or one that is passed on to it.',
  'there.open': 'Its router lets in whoever was written to once: it is easy to reach.',
  'there.steady': 'Its router keeps one outer port for all: most other homes reach it directly.',
  'there.stepped': 'Its router picks a new outer port for every destination, one after the other.',
  'there.random': 'Its router picks a new outer port for every destination, at random: it is hard to find.',
  'there.unknown': 'What its router does is not known yet.',
  'there.no-predict': 'The plugin nat-portpredict is not at work there.',
  'there.ipv6': 'It can be reached by IPv6.',
  'there.no-ipv6': 'It has no IPv6.',
};

export type NetcheckSaying = keyof typeof NETCHECK_SAYINGS;

export const netcheckSays = sayings<NetcheckSaying>(NETCHECK_SAYINGS);
