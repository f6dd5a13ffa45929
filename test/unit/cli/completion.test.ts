// Completion in the real shells: a person presses Tab, bash and zsh offer what the daemon and the commands know.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { repositoryRoot } from '../../support/repository.ts';
import { shell, type Shell } from './shell.ts';

const PROGRAM = join(repositoryRoot, 'dist/test/support/fake-ginnel.js');

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** A folder with a `ginnel` that is the made-up one. */
function onPath({ places }: Shell): string {
  const folder = join(places.state, 'bin');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'ginnel');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  chmodSync(file, 0o755);
  return folder;
}

type Complete = (line: string) => readonly string[];

/** As bash does it: the words of the line, and the function that the script registered. */
function inBash(s: Shell, script: string): Complete {
  const path = `${onPath(s)}:${process.env['PATH'] ?? ''}`;
  const file = join(s.places.state, 'ginnel.bash');
  writeFileSync(file, script);
  return line => {
    const words = line.split(' ');
    const asked = `source '${file}'
      COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
      complete -p ginnel | grep -q -- '-F _ginnel ginnel' || exit 9
      _ginnel; [ \${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: path, GINNEL_STATE: s.places.state };
    return linesOf(execFileSync('bash', ['--norc', '-c', asked], { env, encoding: 'utf8' }));
  };
}

/** As zsh does it: `words` and CURRENT are set, and what is handed to compadd is what is offered. */
function inZsh(s: Shell, script: string): Complete {
  const file = join(s.places.state, 'ginnel.zsh');
  writeFileSync(file, script);
  return line => {
    const words = line.split(' ');
    const asked = `compdef() { :; }; compadd() { print -rl -- "\${(@P)2}"; }; _files() { :; }
      source '${file}'
      words=(${words.map(word => `'${word}'`).join(' ')}); CURRENT=${words.length}
      _ginnel`;
    const env = {
      ...process.env,
      PATH: `${onPath(s)}:${process.env['PATH'] ?? ''}`,
      GINNEL_STATE: s.places.state,
    };
    return linesOf(execFileSync('zsh', ['-f', '-c', asked], { env, encoding: 'utf8' }));
  };
}

/** On a terminal of its own, with zsh's whole completion loaded: what the line is after Tab. */
const ZSH_TERMINAL = String.raw`
zmodload zsh/zpty
zpty -b inner zsh -f -i
zpty -w inner "PS1=; autoload -U compinit && compinit -u -D && source $1 && print RE''ADY"
wait_for() { local part; repeat 400; do zpty -r -t inner part && all+=$part || sleep 0.05; [[ $all == *$1* ]] && return; done }
all=''; wait_for READY
all=''; zpty -w -n inner $'ginnel netch\t'; wait_for netcheck
print -r -- $all
zpty -d inner
`;

const linesOf = (text: string): readonly string[] => text.split('\n').filter(line => line !== '');

function tabs(t: Test, complete: Complete): void {
  const first = complete('ginnel ');
  for (const word of ['server', 'up', 'status', 'ping', 'set', 'completion'])
    t.ok(first.includes(word), word);
  for (const word of ['complete', 'help']) t.notOk(first.includes(word), `${word} is hidden`);
  t.ok(complete('ginnel ping --').includes('--count'));
  t.ok(complete('ginnel ping ').includes('cellar-router'), 'a box');
  t.ok(complete('ginnel why ').includes('server'));
  t.notOk(complete('ginnel ping ').includes('server'));
  t.ok(complete('ginnel ping -c 3 ').includes('cellar-router'), 'behind an option and its value');
  t.notOk(complete('ginnel ping -c ').includes('cellar-router'), 'in the place of that value');
  t.ok(complete('ginnel set ').includes('log-level'), 'a setting');
  t.ok(complete('ginnel set second-port ').includes('none'), 'its values');
  t.ok(complete('ginnel logs --level ').includes('warn'), 'the choices of an option');
  t.ok(complete('ginnel relays --why ').includes('cellar-router'), 'the names an option takes');
  t.ok(complete('ginnel completion ').includes('zsh'), 'the choices of an argument');
  t.ok(complete('ginnel plugins disable ').includes('nat-stun'), 'a plugin');
  t.ok(complete('ginnel server ').includes('export'), 'a command under another');
}

for (const [name, complete] of [
  ['bash', inBash],
  ['zsh', inZsh],
] as const) {
  const skip = has(name) ? false : `${name} is not installed`;
  t.test(`${name}: commands, options, choices, and the names that the daemon knows`, { skip }, async t => {
    const s = shell(t);
    await s.ginnel(['server']);
    await s.ginnel(['up'], { input: 'ginnel:good' });
    const { out } = await s.ginnel(['completion', name]);
    tabs(t, complete(s, out));
  });

  t.test(`${name}: without a daemon it is silent and offers the rest`, { skip }, async t => {
    const s = shell(t);
    const { out } = await s.ginnel(['completion', name]);
    const tab = complete(s, out);
    t.same(tab('ginnel ping '), []);
    t.ok(tab('ginnel ').includes('status'));
  });
}

const noZsh = has('zsh') ? false : 'zsh is not installed';
t.test('zsh: a Tab on a terminal finishes the word', { skip: noZsh }, async t => {
  const s = shell(t);
  const file = join(s.places.state, 'ginnel.zsh');
  const driver = join(s.places.state, 'terminal.zsh');
  writeFileSync(file, (await s.ginnel(['completion', 'zsh'])).out);
  writeFileSync(driver, ZSH_TERMINAL);
  const env = { ...process.env, PATH: `${onPath(s)}:${process.env['PATH'] ?? ''}`, TERM: 'dumb' };
  t.match(execFileSync('zsh', ['-f', driver, file], { env, encoding: 'utf8' }), /netcheck/);
});

t.test('a name that a shell would run is not offered', async t => {
  const s = shell(t);
  await s.ginnel(['up'], { input: 'ginnel:good' });
  const { out } = await s.ginnel(['complete', 'boxes']);
  t.same(
    out.split('\n').filter(name => !/^[A-Za-z0-9._:-]*$/.test(name)),
    [],
  );
  t.ok(out.includes('cellar-router'));
  t.match(await s.ginnel(['complete', 'nonsense']), { code: 2 });
});
