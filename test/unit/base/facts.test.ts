// The facts of a text: what fills its braces, and nothing else of what was given.
import t from 'tap';
import { defineErrors } from '../../../base/errors.ts';
import { defineHealth } from '../../../base/health.ts';

const errors = defineErrors({
  LOCKED: { what: '{path} is locked.', why: 'By {who}.', todo: 'Wait {seconds} s.', retry: true },
});
const health = defineHealth({
  SHUT: { severity: 'warning', what: 'It is shut.', why: '{problem}', todo: 'Ask {who}.' },
});

t.test('an error has the facts that its texts name, and no others', async t => {
  const error = errors('LOCKED', { path: '/x', who: 'another', seconds: 4, secret: 'hush' });
  t.equal(error.message, '/x is locked. By another. Wait 4 s. (LOCKED)');
  t.same(error.facts, { path: '/x', who: 'another', seconds: 4 });
  t.same(errors('LOCKED', {}).facts, {}, 'nothing is made up');
});

t.test('a health line too; an error in it keeps its code and facts', async t => {
  const problem = errors('LOCKED', { path: '/x', who: 'another', seconds: 4, secret: 'hush' });
  const line = health('SHUT', { problem, who: '{problem}', token: 'hush' });
  t.equal(line.words, `It is shut. ${problem.message}`);
  t.equal(line.todo, 'Ask {problem}.', 'what is filled in is filled no further');
  t.same(line.facts, {
    problem: { code: 'LOCKED', words: problem.message, facts: problem.facts },
    who: '{problem}',
  });
  t.same(health('SHUT', { problem: new Error('plain') }).facts, { problem: 'plain' });
});
