import t from 'tap';
import { createNodeAead } from '../../system/aead-node.ts';
import { testAead } from './aead.ts';

testAead(t, createNodeAead(new Uint8Array(16_384)));

t.test('a piece of a larger memory is as good', t => {
  const memory = new Uint8Array(new ArrayBuffer(32_768), 8000, 16_384);
  testAead(t, createNodeAead(memory));
  t.end();
});
