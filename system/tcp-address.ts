// Which listeners get what comes to an address.
import { familyOf } from '../protocol/ip/address.ts';

const ALL_OF_4 = '0.0.0.0';
const ALL_OF_6 = '::';

/** Does a listener on the first address get all that comes to the second? Empty: all addresses. */
export const covers = (listener: string, address: string): boolean =>
  listener === '' ||
  listener === address ||
  (address !== '' && listener === (familyOf(address) === 4 ? ALL_OF_4 : ALL_OF_6));
