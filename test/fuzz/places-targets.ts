// Fuzz target: the server's signed places, as another node brings them.
import { canonicalJson } from '../../protocol/location/canonical.ts';
import { decodePlaces } from '../../protocol/location/places.ts';
import { signPlaces, verifyPlaces } from '../../protocol/location/signed.ts';
import { primitives } from '../../system/crypto.ts';
import { bytesOf, mustEqual, mustHold, outcomeOf, textOf, type FuzzTarget } from './harness.ts';
import { parsed, serverPlaces } from './location-targets.ts';
import { twist } from './twist.ts';

const serverIdentity = primitives.signingPublicKey(new Uint8Array(32).fill(4));
const forged = signPlaces(primitives, new Uint8Array(32).fill(9), serverPlaces);

export const signedPlaces: FuzzTarget = {
  name: "the server's places",
  decoders: ['protocol/location/places.ts', 'protocol/location/signed.ts'],
  cost: 20,
  valid: random => bytesOf(JSON.stringify(random.pick([serverPlaces, forged]))),
  repair: (_, random) => bytesOf(JSON.stringify(twist(random.pick([serverPlaces, forged]), random))),
  check(input) {
    const result = decodePlaces(parsed(textOf(input)));
    if (!result.ok) return outcomeOf(result);
    const again = decodePlaces(parsed(JSON.stringify(result.value)));
    mustHold(again.ok, 'refused when encoded again');
    if (!verifyPlaces(primitives, serverIdentity, result.value)) return 'places.unsigned';
    mustEqual(canonicalJson(result.value), canonicalJson(serverPlaces), 'others under the same signature');
    return 'accepted';
  },
};
