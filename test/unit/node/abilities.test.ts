// GINNEL_WITHOUT, and what the status says of the abilities that a box uses.
import t from 'tap';
import { offloadsWithout, withoutOf } from '../../../bin/without.ts';
import { abilitiesStatus, fastCiphersOf, type AbilitiesInUse } from '../../../core/node/abilities.ts';
import { AEAD_NAMES } from '../../../system/aead.ts';

const ALL: AbilitiesInUse = {
  without: new Set(),
  door: 'koffi',
  aead: { fastCiphers: AEAD_NAMES },
  card: { tcp: true, udp: true },
  udp: [{ offloads: { cut: true, coalesce: true } }],
};

t.test('GINNEL_WITHOUT is a comma list of abilities', t => {
  t.same([...withoutOf({})], []);
  t.same([...withoutOf({ GINNEL_WITHOUT: '' })], []);
  t.same([...withoutOf({ GINNEL_WITHOUT: 'card, aes' })], ['card', 'aes']);
  t.throws(() => withoutOf({ GINNEL_WITHOUT: 'card,wings' }), {
    code: 'ABILITY_UNKNOWN',
    message: /"wings".* card, cut, coalesce, fast, aes\./,
  });
  t.same(offloadsWithout(new Set(['cut', 'fast'])), { card: true, cut: false, coalesce: true });
  t.end();
});

t.test('without the fast profile, or AES in it, no more is offered', t => {
  const offered = (without: AbilitiesInUse['without']) => fastCiphersOf(ALL.aead, without);
  t.same(offered(new Set()), ['chacha20-poly1305', 'aes-256-gcm']);
  t.same(offered(new Set(['aes'])), ['chacha20-poly1305']);
  t.same(offered(new Set(['fast'])), []);
  t.end();
});

t.test('the status tells what is in use, and why not where it is not', t => {
  const yes = { tso: 'yes', uso: 'yes', gso: 'yes', gro: 'yes', fast: 'yes', aes: 'yes' };
  t.same(abilitiesStatus(ALL), yes);
  t.same(abilitiesStatus({ ...ALL, card: null }), { ...yes, tso: 'not known yet', uso: 'not known yet' });

  const old = {
    card: { tcp: true, udp: false },
    udp: [...ALL.udp, { offloads: { cut: true, coalesce: false } }],
  };
  const lacking = 'no: the kernel lacks it';
  t.same(abilitiesStatus({ ...ALL, ...old }), { ...yes, uso: lacking, gro: lacking });
  t.match(abilitiesStatus({ ...ALL, aead: { fastCiphers: ['chacha20-poly1305'] } }).aes, /not fast here/);
  t.match(abilitiesStatus({ ...ALL, ...old, door: 'tuntap' }).uso, /this door/);

  const off = 'off by GINNEL_WITHOUT';
  const without = new Set(['card', 'cut', 'coalesce', 'fast', 'aes'] as const);
  t.same(abilitiesStatus({ ...ALL, without }), Object.fromEntries(Object.keys(yes).map(key => [key, off])));
  t.match(abilitiesStatus({ ...ALL, without: new Set(['fast']) }), { fast: off, aes: off });
  t.end();
});
