// What can stand between this plugin and its work; its report carries the codes.
import { defineErrors } from '../../base/errors.ts';

export const natPortPredictErrors = defineErrors({
  PREDICT_NO_SERVER: {
    what: 'How the NAT of this network picks its ports cannot be measured.',
    why: 'The location server has told no IPv4 address for it yet.',
    todo: 'Nothing: it is measured once the location server is connected over IPv4.',
    retry: true,
  },
  PREDICT_NO_ANSWER: {
    what: 'How the NAT of this network picks its ports could not be measured.',
    why: 'The location server did not answer within half a second.',
    todo: 'Nothing: it is measured afresh at the next try. If it stays so, allow outgoing UDP in the firewall.',
    retry: true,
  },
});
