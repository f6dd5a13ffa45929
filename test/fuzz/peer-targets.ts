// Fuzz target: what nodes say to each other inside their session, from the data message's plaintext on.
import { bodyOf, MAX_WORD_BYTES, wordOf } from '../../core/dataplane/word.ts';
import { decodeWord, encodeWord } from '../../protocol/peer/words.ts';
import { bytesOf, mustEqual, mustHold, outcomeOf, textOf, type FuzzTarget } from './harness.ts';
import { twist } from './twist.ts';

const WORDS: readonly object[] = [
  { type: 'have', topics: { places: '17', standings: 'c2VhbGVk' }, reply: false },
  { type: 'have', topics: {}, reply: true },
  { type: 'news', topic: 'places', item: { v: 1, addresses: ['home.example.net:7443'], issued: 17 } },
];

export const peerWords: FuzzTarget = {
  name: 'words of peers',
  decoders: ['protocol/peer/words.ts', 'core/dataplane/word.ts'],
  cost: 2,
  valid: random => {
    const word = random.oneIn(2) ? random.pick(WORDS) : twist(random.pick(WORDS), random);
    return wordOf(bytesOf(JSON.stringify(word)).slice(0, MAX_WORD_BYTES));
  },
  /** Damaged JSON with mark and length that fit. */
  repair: (damaged, random) => {
    const body = random.oneIn(2) ? damaged.subarray(4) : bytesOf(JSON.stringify(twist(WORDS[2], random)));
    return body.length === 0 ? damaged : wordOf(body.slice(0, MAX_WORD_BYTES));
  },
  check(input) {
    const body = bodyOf(input, 0, input.length);
    if (body === null) return 'no-word';
    mustEqual(bodyOf(wordOf(body), 0, body.length + 4), body, 'another body');
    const word = decodeWord(body);
    if (!word.ok) return outcomeOf(word);
    const again = encodeWord(word.value);
    // What came in few bytes may take more: a character that JSON escapes.
    if (again === null) return 'accepted';
    const twice = decodeWord(again);
    mustHold(twice.ok, `refused when encoded again: ${textOf(again)}`);
    mustEqual(twice.value, word.value, 'another word');
    return word.value.type;
  },
};
