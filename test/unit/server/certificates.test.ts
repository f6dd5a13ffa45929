// Certificates over the real protocol on loopback: the network's own, and openssl's; what is refused, and why.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import type { Clock } from '../../../base/clock.ts';
import { toBase64Url } from '../../../protocol/base64.ts';
import type { LoginCredential, ServerMessage } from '../../../protocol/location/messages.ts';
import { certificateStatement } from '../../../protocol/location/signed.ts';
import { bitString, integer, readDer, sequence } from '../../../protocol/x509/der.ts';
import type { DerValue } from '../../../protocol/x509/der.ts';
import { pemOf, readCertificates, signerOf } from '../../../system/certificates.ts';
import { makeIdentity, readInvite, TestConnection } from '../../support/location-client.ts';
import type { TestIdentity } from '../../support/location-client.ts';
import { startServer, temporaryFolder } from '../../support/location-server.ts';
import type { TestServer } from '../../support/location-server.ts';
import { AUTHORITY, hasOpenssl, Openssl } from '../../support/openssl.ts';
import type { KeyKind, Pair } from '../../support/openssl.ts';

const codeOf = (answer: ServerMessage): string => (answer.type === 'failure' ? answer.code : answer.type);
const needsOpenssl = { skip: hasOpenssl ? false : 'there is no openssl command' };

type Prove = (channelHash: Uint8Array) => LoginCredential;

/** As a box does it: the chain, and a signature by the key over this channel. */
function shows(chainPem: string, keyPem: string): Prove {
  const chain = readCertificates(chainPem);
  const sign = signerOf(chain[0]!, keyPem)!;
  return hash => ({
    kind: 'certificate',
    chain: chain.map(({ der }) => toBase64Url(der)),
    signature: toBase64Url(sign(certificateStatement(hash))),
  });
}

const pairShows = ({ certificate, key }: Pair, ...above: readonly Pair[]): Prove =>
  shows([certificate, ...above.map(each => each.certificate)].join(''), key);

async function knock(
  { server, port }: TestServer,
  credential: Prove,
  identity: TestIdentity = makeIdentity(),
): Promise<ServerMessage> {
  const invite = readInvite(server.summary().networkAddress);
  const connection = await TestConnection.open({ invite, port, identity });
  return connection.login({ credential });
}

/** Timers of the real clock, a wall that a test sets. */
class SettableWall extends ManualClock {
  #wall = Date.now();
  override monotonicMs(): number {
    return performance.now();
  }
  override wallMs(): number {
    return this.#wall;
  }
  override setWall(ms: number): void {
    this.#wall = ms;
  }
}

const DAY_MS = 86_400_000;

t.test("V3: a certificate of the network's own lets one box in, of two at the same instant", async t => {
  const home = await startServer(t);
  const { certificate, key, serial } = await home.server.certificates.issue({ name: 'attic' });
  const prove = shows(certificate, key);
  const identity = makeIdentity('attic');
  const answers = await Promise.all([
    knock(home, prove, identity),
    knock(home, prove, makeIdentity('other')),
  ]);
  t.same(answers.map(codeOf).sort(), ['CERTIFICATE_USED', 'welcome']);
  t.equal(home.server.summary().nodes.length, 1);
  t.match(home.server.certificates.list(), {
    authorities: [{ own: true, subject: /CN=Ginnel home/ }],
    issued: [{ serial, name: 'attic', state: 'used', usedBy: /attic|other/ }],
  });
  const file = joinPath(home.stateDir, 'certificate-authority.json');
  t.equal(statSync(file).mode & 0o777, 0o600, 'the key of the authority is for root alone');
  t.notMatch(JSON.stringify(home.server.certificates.list()), /PRIVATE|seed/);
});

t.test(
  'V3: what a certificate is refused for: revoked, expired, of nobody trusted, without its key',
  async t => {
    const clock = new SettableWall();
    const home = await startServer(t, {}, { clock: clock satisfies Clock });
    const { certificates } = home.server;
    const issue = (): ReturnType<typeof certificates.issue> =>
      certificates.issue({ name: 'attic', validMs: 2 * DAY_MS });
    const revoked = await issue();
    t.same(await certificates.revoke(`0x${revoked.serial.toLowerCase()}`), {
      serial: revoked.serial,
      usedBy: [],
    });
    t.match(await knock(home, shows(revoked.certificate, revoked.key)), { code: 'CERTIFICATE_REVOKED' });

    const good = await issue();
    const prove = shows(good.certificate, good.key);
    let seen: LoginCredential | null = null;
    t.match(await knock(home, hash => (seen = prove(hash.map(byte => byte ^ 1)))), {
      code: 'CERTIFICATE_REFUSED',
      message: /did not prove/,
    });
    t.match(await knock(home, () => seen!), { code: 'CERTIFICATE_REFUSED' }, 'shown on another channel');

    const other = await startServer(t);
    t.match(await knock(other, prove), { code: 'CERTIFICATE_REFUSED', message: /nobody who is trusted/ });
    const garbage: Prove = hash => ({
      ...prove(hash),
      kind: 'certificate',
      chain: ['AAAA'],
      signature: 'AAAA',
    });
    t.match(await knock(home, garbage), { code: 'CERTIFICATE_REFUSED', message: /cannot be read/ });

    clock.setWall(Date.now() + 3 * DAY_MS);
    t.match(await knock(home, prove), { code: 'CERTIFICATE_EXPIRED', message: /was good until/ });
    clock.setWall(1000);
    t.match(await knock(home, prove), { code: 'SERVER_CLOCK' }, 'a clock of 1970 judges nothing');
    clock.setWall(Date.now());
    t.equal(codeOf(await knock(home, prove)), 'welcome');
    t.equal(home.server.summary().nodes.length, 1);
  },
);

t.test(
  'V3: an authority that is trusted no more lets nobody in; its boxes stay, through a restart',
  async t => {
    const home = await startServer(t);
    const first = await home.server.certificates.issue({ name: 'attic' });
    const second = await home.server.certificates.issue({ name: 'cellar' });
    const identity = makeIdentity();
    t.equal(codeOf(await knock(home, shows(first.certificate, first.key), identity)), 'welcome');
    const [own] = home.server.certificates.list().authorities;
    await home.server.certificates.untrust(own!.id);
    t.notOk(existsSync(joinPath(home.stateDir, 'certificate-authority.json')), 'its key is gone');
    await home.server.down();
    const again = await startServer(t, {}, { stateDir: home.stateDir });
    t.match(await knock(again, shows(second.certificate, second.key)), { code: 'CERTIFICATE_REFUSED' });
    t.equal(codeOf(await knock(again, shows(first.certificate, first.key), identity)), 'welcome');
    await again.server.certificates.issue({ name: 'loft' });
    t.not(again.server.certificates.list().authorities[0]?.id, own!.id);
    await t.rejects(again.server.certificates.untrust('00'), { code: 'AUTHORITY_UNKNOWN' });
    await t.rejects(again.server.certificates.revoke('no number'), { code: 'SERVER_OPTIONS' });
  },
);

for (const key of ['ed25519', 'p256', 'rsa'] satisfies KeyKind[])
  t.test(
    `V3: openssl's certificates with ${key} keys let boxes in, also by one in between`,
    needsOpenssl,
    async t => {
      const { home, openssl, root } = await trusting(t, key);
      const direct = openssl.make('direct', { key, by: root });
      t.equal(codeOf(await knock(home, pairShows(direct))), 'welcome');
      const between = openssl.make('between', { key, by: root, extensions: AUTHORITY });
      const below = openssl.make('below', { key, by: between, extensions: ['extendedKeyUsage=clientAuth'] });
      t.match(await knock(home, pairShows(below)), {
        code: 'CERTIFICATE_REFUSED',
        message: /nobody who is trusted/,
      });
      t.equal(codeOf(await knock(home, pairShows(below, between))), 'welcome');
    },
  );

/** The same certificate with the other signature (r, n−s) that ECDSA takes for it, which anybody can compute. */
function otherwiseSigned(pem: string): string {
  const [certificate] = readCertificates(pem);
  const parts = derOf(derOf(certificate!.der)[0]!.contents);
  const [r, s] = derOf(derOf(parts[2]!.contents.subarray(1))[0]!.contents);
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const negated = order - BigInt(`0x${Buffer.from(s!.contents).toString('hex')}`);
  const other = integer(Buffer.from(negated.toString(16).padStart(64, '0'), 'hex'));
  const signature = bitString(sequence(r!.whole, other));
  return pemOf('CERTIFICATE', sequence(parts[0]!.whole, parts[1]!.whole, signature));
}

function derOf(bytes: Uint8Array): readonly DerValue[] {
  const read = readDer(bytes);
  return read.ok ? read.value : [];
}

t.test('V3: a certificate whose signature was written otherwise is the same one', needsOpenssl, async t => {
  const { home, openssl, root } = await trusting(t, 'p256');
  const box = openssl.make('box', { by: root });
  const other = otherwiseSigned(box.certificate);
  t.not(readCertificates(other)[0]?.fingerprint, readCertificates(box.certificate)[0]?.fingerprint);
  t.equal(codeOf(await knock(home, shows(box.certificate, box.key))), 'welcome');
  t.match(await knock(home, shows(other, box.key)), { code: 'CERTIFICATE_USED' });
  t.equal(home.server.summary().nodes.length, 1);
});

t.test('V3: the certificate of a removed box lets no other one in, through a restart', async t => {
  const home = await startServer(t);
  const { certificate, key } = await home.server.certificates.issue({ name: 'attic' });
  const identity = makeIdentity('attic');
  t.equal(codeOf(await knock(home, shows(certificate, key), identity)), 'welcome');
  await home.server.members.removeNode('attic');
  t.match(await knock(home, shows(certificate, key), makeIdentity('attic')), {
    code: 'CERTIFICATE_USED',
    message: /attic/,
  });
  await home.server.down();
  const again = await startServer(t, {}, { stateDir: home.stateDir });
  t.match(await knock(again, shows(certificate, key), makeIdentity('loft')), { code: 'CERTIFICATE_USED' });
  t.equal(codeOf(await knock(again, shows(certificate, key), identity)), 'PENDING_APPROVAL', 'itself');
});

async function trusting(
  t: Test,
  key: KeyKind,
  extensions: readonly string[] = AUTHORITY,
): Promise<{ home: TestServer; openssl: Openssl; root: Pair }> {
  const home = await startServer(t);
  const openssl = new Openssl(temporaryFolder(t));
  const root = openssl.make('root', { key, extensions });
  await home.server.certificates.trust(root.certificate);
  return { home, openssl, root };
}

t.test("V3: openssl's certificates that must not let a box in", needsOpenssl, async t => {
  const { home, openssl, root } = await trusting(t, 'p256');
  const refused = async (prove: Prove, why: RegExp): Promise<void> =>
    void t.match(await knock(home, prove), { code: 'CERTIFICATE_REFUSED', message: why }, String(why));
  const by = root;
  const made = (name: string, extensions: readonly string[], key: KeyKind = 'p256'): Pair =>
    openssl.make(name, { by, extensions, key });
  await refused(pairShows(made('authority', AUTHORITY)), /authority's own/);
  await refused(pairShows(made('server', ['extendedKeyUsage=serverAuth'])), /not for clients/);
  await refused(pairShows(made('agree', ['keyUsage=critical,keyAgreement'])), /may not sign/);
  await refused(
    pairShows(made('odd', ['1.2.3.4=critical,ASN1:UTF8:must know'])),
    /does not know \(1\.2\.3\.4\)/,
  );
  await refused(pairShows(openssl.make('weak', { by, digest: 'sha1' })), /signature is of a kind/);
  await refused(pairShows(made('small', [], 'p192')), /key is not taken/);
  const box = made('box', ['basicConstraints=CA:FALSE']);
  await refused(pairShows(openssl.make('forged', { by: box }), box), /may not issue/);
  await refused(pairShows(openssl.make('alone', {})), /nobody who is trusted/);
  t.equal(home.server.summary().nodes.length, 0);
});

t.test(
  'a chain no longer than its authority allows; what is no authority is not trusted',
  needsOpenssl,
  async t => {
    const short = ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign'];
    const { home, openssl, root } = await trusting(t, 'p256', short);
    const between = openssl.make('between', { by: root, extensions: AUTHORITY });
    const box = openssl.make('box', { by: between });
    t.match(await knock(home, pairShows(box, between)), {
      code: 'CERTIFICATE_REFUSED',
      message: /longer than/,
    });
    const { certificates } = home.server;
    for (const pem of [box.certificate, 'no PEM', root.certificate + between.certificate])
      await t.rejects(certificates.trust(pem), { code: 'AUTHORITY_WRONG' });
    t.equal(certificates.list().authorities.length, 1);
    t.ok(readFileSync(joinPath(home.stateDir, 'server-keys.json')).length > 0);
  },
);
