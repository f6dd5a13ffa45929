// Completion for bash and zsh, as scripts made from the tree of commands. What only the daemon knows, they ask it.
import type { Kind, Place } from './tree.ts';

export type Shell = 'bash' | 'zsh';

/** The two differ in where the words stand and how an answer is given; what is offered is the same. */
export const completionScript = (shell: Shell, places: readonly Place[]): string =>
  shell === 'bash' ? bash(places) : zsh(places);

function bash(places: readonly Place[]): string {
  return `# Completion of ginnel for bash. To load it: source <(ginnel completion bash)
${shared(places)}
_ginnel() {
  local current=\${COMP_WORDS[COMP_CWORD]} offered
  offered=$(_ginnel_offer "\${COMP_WORDS[@]:1:COMP_CWORD}")
  local IFS=$'\\n' word
  COMPREPLY=()
  for word in $offered; do [[ $word == "$current"* ]] && COMPREPLY+=("$word"); done
}
complete -o default -F _ginnel ginnel
`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef ginnel
# Completion of ginnel for zsh. To load it: source <(ginnel completion zsh), or put it into a folder of $fpath as _ginnel.
${shared(places)}
_ginnel() {
  local -a offered
  offered=(\${(f)"$(_ginnel_offer "\${(@)words[2,CURRENT]}")"})
  if (( \${#offered} )); then compadd -a offered; else _files; fi
}
if [[ $funcstack[1] == _ginnel ]]; then _ginnel "$@"; else compdef _ginnel ginnel; fi
`;
}

/** In what both shells understand. It prints what may stand in the place of its last argument, a line each. */
function shared(places: readonly Place[]): string {
  return `_ginnel_offer() {
  local at='' before='' word='' key='' count=0
  while [ $# -gt 1 ]; do
    word=$1
    shift
    case "$at $word" in
${patterns(places.map(({ path }) => path).filter(path => path !== ''))}
        at="$at $word"; count=0 ;;
      *)
        if _ginnel_takes_value "$at|$before"; then :
        elif [ "\${word#-}" = "$word" ]; then count=$((count + 1)); key=$word
        fi ;;
    esac
    before=$word
  done
  case "$at|$before" in
${places.flatMap(choices).join('\n')}
  esac
  if _ginnel_takes_value "$at|$before"; then return; fi
  case "$at" in
${places.map(words).join('\n')}
  esac
  case "$at|$count" in
${places.flatMap(answers).join('\n')}
  esac
}
_ginnel_takes_value() {
  case "$1" in
${patterns(places.flatMap(({ path, valueOptions }) => valueOptions.flatMap(({ flags }) => flags.map(flag => `${path}|${flag}`))))}
      return 0 ;;
  esac
  return 1
}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const patterns = (all: readonly string[]): string => `      ${all.map(quoted).join('|')})`;

const printed = (all: readonly string[]): string => `printf '%s\\n' ${all.map(quoted).join(' ')}`;

const choices = ({ path, valueOptions }: Place): readonly string[] =>
  valueOptions.flatMap(({ flags, choices: some }) =>
    some === null
      ? []
      : [`    ${flags.map(flag => quoted(`${path}|${flag}`)).join('|')}) ${offered(some)}; return ;;`],
  );

const offered = (some: readonly string[] | Kind): string =>
  typeof some === 'string' ? `ginnel complete ${some} "$key" 2>/dev/null` : printed(some);

function words({ path, commands, options }: Place): string {
  const here = commands.length === 0 ? ':' : printed(commands);
  return `    ${quoted(path)}) case "$1" in -*) ${printed(options)}; return ;; *) ${here} ;; esac ;;`;
}

function answers({ path, arguments: all }: Place): readonly string[] {
  return all.flatMap((one, at) => {
    if (one === null) return [];
    return [`    ${quoted(`${path}|${at}`)}) ${offered(one)} ;;`];
  });
}
