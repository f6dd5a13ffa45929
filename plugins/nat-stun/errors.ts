// What can stand between this plugin and its work; its report carries the codes.
import { defineErrors } from '../../base/errors.ts';

export const natStunErrors = defineErrors({
  STUN_NO_SERVER: {
    what: 'The address under which this box is seen outside is not known.',
    why: 'No STUN server of an address family that this box has is known yet.',
    todo: 'Connect to the location server, or add a STUN server in the settings of nat-stun.',
    retry: true,
  },
  STUN_NO_ANSWER: {
    what: 'No STUN server answered over UDP.',
    why: 'UDP is blocked on the way out of this network, or the servers are down.',
    todo: 'Allow outgoing UDP in the firewall, or wait for the server to come back.',
    retry: true,
  },
  STUN_BAD_SERVER: {
    what: 'A STUN server in the settings of nat-stun is not used: {servers}.',
    why: 'It is not an address with a port.',
    todo: 'Write it as 192.0.2.1:3478 or [2001:db8::1]:3478.',
    retry: false,
  },
});
