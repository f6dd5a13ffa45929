import t from 'tap';
import { Keypair, Keypairs } from '../../../core/dataplane/keypairs.ts';
import { createNodeAead } from '../../../system/aead-node.ts';

const aead = createNodeAead(new Uint8Array(64));

function keypair(localIndex: number): Keypair {
  const keys = { send: new Uint8Array(32).fill(1), receive: new Uint8Array(32).fill(2) };
  const made = new Keypair(aead, 'chacha20-poly1305', keys, {
    localIndex,
    remoteIndex: 0,
    initiator: false,
    createdAt: 0,
  });
  t.same(keys.send, new Uint8Array(32), 'the bytes it was made of are gone');
  return made;
}

t.test('no pair is lost sight of: each is retired once, and its keys wiped', t => {
  const retired: number[] = [];
  const keypairs = new Keypairs(pair => void retired.push(pair.localIndex));
  const [one, two, three, four] = [keypair(1), keypair(2), keypair(3), keypair(4)] as const;
  keypairs.completed(one);
  keypairs.responded(two);
  keypairs.responded(three);
  t.same(retired, [2], 'an answer that nobody took up');
  t.throws(() => two.send.seal(0, 0, 0, 0), TypeError);
  t.notOk(keypairs.used(one));
  t.ok(keypairs.used(three));
  t.equal(keypairs.current, three);
  t.same(retired, [2], 'the former one still opens');
  keypairs.completed(four);
  t.same(retired, [2, 1]);
  keypairs.wipe();
  t.same(retired, [2, 1, 4, 3]);
  keypairs.wipe();
  t.equal(retired.length, 4);
  t.equal(keypairs.current, null);
  t.end();
});

t.test('two handshakes at once: the pair that we answered with is kept beside our own', t => {
  const retired: number[] = [];
  const keypairs = new Keypairs(pair => void retired.push(pair.localIndex));
  keypairs.completed(keypair(1));
  keypairs.responded(keypair(2));
  keypairs.completed(keypair(3));
  t.same(retired, [1]);
  keypairs.wipe();
  t.same(retired, [1, 3, 2]);
  t.end();
});
