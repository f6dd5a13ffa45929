// What every `Aead` has to hold, whatever stands behind it. Each implementation's test runs this.
import { createCipheriv, randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import type { Aead, AeadName } from '../../core/dataplane/aead.ts';

const NAMES: readonly AeadName[] = ['chacha20-poly1305', 'aes-256-gcm'];
const TAG_BYTES = 16;
/** Where the checks work in the memory: they need 8 KiB from there. */
const SOURCE = 256;
const TARGET = 4096 + 128;

/** What node:crypto says: ciphertext and tag. */
function expected(name: AeadName, secret: Uint8Array, counter: number, plaintext: Uint8Array): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(BigInt(counter), 4);
  // The types know the two ciphers apart; the calls are the same.
  const cipher = createCipheriv(name as 'aes-256-gcm', secret, nonce, { authTagLength: TAG_BYTES });
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** `aead.memory` must have at least 8 KiB, which are overwritten. */
export function testAead(t: Test, aead: Aead, names: readonly AeadName[] = NAMES): void {
  for (const name of names) {
    t.test(`${aead.implementation}: ${name}`, t => {
      sealsAsOthers(t, aead, name);
      opensInPlaceAndElsewhere(t, aead, name);
      refusesWhatDoesNotFit(t, aead, name);
      wipes(t, aead, name);
      t.end();
    });
  }
}

function sealsAsOthers(t: Test, aead: Aead, name: AeadName): void {
  const secret = new Uint8Array(randomBytes(32));
  const key = aead.key(name, secret);
  const kept = secret.slice();
  secret.fill(0);
  for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 1420, 3000]) {
    for (const counter of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1]) {
      const plaintext = new Uint8Array(randomBytes(length));
      aead.memory.set(plaintext, SOURCE);
      const sealed = key.seal(counter, TARGET, SOURCE, length);
      t.equal(sealed, length + TAG_BYTES);
      t.same(aead.memory.slice(TARGET, TARGET + sealed), expected(name, kept, counter, plaintext));
      t.same(aead.memory.slice(SOURCE, SOURCE + length), plaintext, 'the source is as it was');
    }
  }
  key.wipe();
}

function opensInPlaceAndElsewhere(t: Test, aead: Aead, name: AeadName): void {
  const key = aead.key(name, new Uint8Array(randomBytes(32)));
  for (const length of [0, 1, 16, 333, 1420]) {
    for (const target of [SOURCE, TARGET]) {
      const plaintext = new Uint8Array(randomBytes(length));
      const around = new Uint8Array(randomBytes(4));
      aead.memory.set(plaintext, SOURCE);
      aead.memory.set(around, SOURCE + length + TAG_BYTES);
      key.seal(7, SOURCE, SOURCE, length);
      t.same(aead.memory.slice(SOURCE + length + TAG_BYTES, SOURCE + length + TAG_BYTES + 4), around);
      t.equal(key.open(7, target, SOURCE, length + TAG_BYTES), length);
      t.same(aead.memory.slice(target, target + length), plaintext);
    }
  }
  key.wipe();
}

function refusesWhatDoesNotFit(t: Test, aead: Aead, name: AeadName): void {
  const key = aead.key(name, new Uint8Array(randomBytes(32)));
  const other = aead.key(name, new Uint8Array(randomBytes(32)));
  const length = 100;
  key.seal(5, SOURCE, SOURCE, length);
  const sealed = length + TAG_BYTES;
  for (const at of [0, length - 1, length, sealed - 1]) {
    aead.memory[SOURCE + at]! ^= 1;
    t.equal(key.open(5, TARGET, SOURCE, sealed), -1);
    aead.memory[SOURCE + at]! ^= 1;
  }
  t.equal(key.open(6, TARGET, SOURCE, sealed), -1, 'another counter');
  t.equal(key.open(5 + 2 ** 32, TARGET, SOURCE, sealed), -1, 'another upper half of the counter');
  t.equal(other.open(5, TARGET, SOURCE, sealed), -1, 'another key');
  t.equal(key.open(5, TARGET, SOURCE, sealed - 1), -1, 'cut short');
  t.equal(key.open(5, TARGET, SOURCE, TAG_BYTES - 1), -1, 'shorter than a tag');
  t.equal(key.open(5, TARGET, SOURCE, sealed), length, 'the true one still opens');
  key.wipe();
  other.wipe();
}

function wipes(t: Test, aead: Aead, name: AeadName): void {
  const key = aead.key(name, new Uint8Array(randomBytes(32)));
  key.wipe();
  key.wipe();
  t.throws(() => key.seal(0, TARGET, SOURCE, 10));
  t.throws(() => key.open(0, TARGET, SOURCE, 26));
  t.throws(() => aead.key(name, new Uint8Array(31)), TypeError);
}
