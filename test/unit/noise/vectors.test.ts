// Noise handshakes against the vectors that Debian ships with flynn/noise (golang-github-flynn-noise-dev); they are read
// from there. Ephemeral keys are given, so every byte of every message is compared.
import { existsSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startNoise } from '../../../protocol/noise/handshake-state.ts';
import type { NoiseHandshake, NoisePattern } from '../../../protocol/noise/handshake.ts';
import { primitives } from '../../../system/crypto.ts';

const VECTORS = '/usr/share/gocode/src/github.com/flynn/noise/vectors.txt';
const PATTERNS: readonly NoisePattern[] = ['IK', 'IKpsk2', 'K'];

type Vector = Readonly<Record<string, string>>;

function vectorsOf(pattern: NoisePattern): Vector[] {
  const name = `Noise_${pattern}_25519_ChaChaPoly_BLAKE2s`;
  return readFileSync(VECTORS, 'utf8')
    .split('\n\n')
    .map(block => Object.fromEntries(block.split('\n').map(line => line.split('=', 2))) as Vector)
    .filter(vector => vector['handshake'] === name);
}

const bytes = (hex: string | undefined): Uint8Array => new Uint8Array(Buffer.from(hex ?? '', 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

function ends(
  pattern: NoisePattern,
  vector: Vector,
): { initiator: NoiseHandshake; responder: NoiseHandshake } {
  const pair = (name: string) => {
    const secret = vector[name];
    return secret === undefined ? undefined : primitives.dhKeyPair(bytes(secret));
  };
  const initiatorStatic = pair('init_static')!;
  const responderStatic = pair('resp_static')!;
  const initiatorEphemeral = pair('gen_init_ephemeral');
  const responderEphemeral = pair('gen_resp_ephemeral');
  const common = {
    primitives,
    pattern,
    prologue: bytes(vector['prologue']),
    ...(vector['preshared_key'] === undefined ? {} : { presharedKey: bytes(vector['preshared_key']) }),
  };
  return {
    initiator: startNoise({
      ...common,
      initiator: true,
      localStatic: initiatorStatic,
      remoteStatic: responderStatic.publicKey,
      ...(initiatorEphemeral === undefined ? {} : { localEphemeral: initiatorEphemeral }),
    }),
    responder: startNoise({
      ...common,
      initiator: false,
      localStatic: responderStatic,
      ...(pattern === 'K' ? { remoteStatic: initiatorStatic.publicKey } : {}),
      ...(responderEphemeral === undefined ? {} : { localEphemeral: responderEphemeral }),
    }),
  };
}

for (const pattern of PATTERNS) {
  const skip = existsSync(VECTORS) ? false : 'Debian package golang-github-flynn-noise-dev is not installed';
  t.test(`Noise ${pattern}: every message as in the published vectors`, { skip }, t => {
    const vectors = vectorsOf(pattern);
    t.ok(vectors.length > 0, `${vectors.length} vectors`);
    for (const vector of vectors) play(t, pattern, vector);
    t.end();
  });
}

function play(t: Test, pattern: NoisePattern, vector: Vector): void {
  const { initiator, responder } = ends(pattern, vector);
  const messages = pattern === 'K' ? 1 : 2;
  for (let n = 0; n < messages; n++) {
    const [writer, reader] = n % 2 === 0 ? [initiator, responder] : [responder, initiator];
    const payload = bytes(vector[`msg_${n}_payload`]);
    const message = writer.write(payload);
    t.equal(hex(message), vector[`msg_${n}_ciphertext`]);
    t.same(reader.read(message), { ok: true, value: payload });
  }
  t.ok(initiator.finished && responder.finished);
  t.same(initiator.hash(), responder.hash());
  const [first, second] = [initiator.split(), responder.split()];
  for (let n = messages; vector[`msg_${n}_payload`] !== undefined; n++) {
    const fromInitiator = (n - messages) % 2 === 0;
    const payload = bytes(vector[`msg_${n}_payload`]);
    const sealed = (fromInitiator ? first : second).send.seal(payload);
    t.equal(hex(sealed), vector[`msg_${n}_ciphertext`]);
    t.same((fromInitiator ? second : first).receive.open(sealed), { ok: true, value: payload });
  }
}
