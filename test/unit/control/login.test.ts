// What a welcome must hold to be believed, also where the server is not the friend it was.
import t from 'tap';
import { doubtWelcome } from '../../../core/control/login.ts';
import type { Welcome } from '../../../protocol/location/messages.ts';
import { signAssignment } from '../../../protocol/location/signed.ts';
import { primitives } from '../../../system/crypto.ts';
import { assignmentOf, makeIdentity, membershipOf, welcomeOf } from './made-up.ts';

const [identity, other] = [await makeIdentity(), await makeIdentity()];
const assignment = assignmentOf(identity, '10.77.0.2');
const facts = { identity, primitives, membership: membershipOf() };
const doubt = (change: Partial<Welcome>): string | null => doubtWelcome(facts, welcomeOf(assignment, change));

t.test('V1: a welcome with our own addresses, signed by the server, is believed', async t => {
  t.equal(doubt({}), null);
  t.equal(doubt({ prefix4: '10.0.0.0/8' }), null);
});

t.test('addresses of another box, another network or another hand are doubted', async t => {
  t.equal(doubt({ assignment: assignmentOf(other, '10.77.0.2') }), 'addresses of another box');
  t.equal(doubt({ network: 'AAAAAAAAAAAAAAAAAAAAAA' }), 'another network');
  const forged = signAssignment(primitives, primitives.randomBytes(32), assignment);
  t.equal(doubt({ assignment: forged }), 'signed.signature');
  t.equal(doubt({ prefix4: '10.78.0.0/16' }), 'addresses outside the network');
});

t.test("V2: no server can lead the whole Internet's traffic into the card", async t => {
  for (const prefix4 of ['0.0.0.0/0', '8.0.0.0/5']) t.type(doubt({ prefix4 }), 'string', prefix4);
  for (const prefix6 of ['::/0', 'fc00::/7', 'fd00::/8']) t.type(doubt({ prefix6 }), 'string', prefix6);
});
