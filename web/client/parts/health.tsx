// What a person should know though they did not ask: what is, why, what to do, and the code to search for.
import type { ComponentChildren, JSX } from 'preact';
import type { HealthLine, Live } from '../pure/wire.ts';
import { hashOf } from '../pure/route.ts';
import { useWords } from '../state/language.ts';
import { Card } from './basics.tsx';
import { Icon } from './icon.tsx';
import { Pieces } from './pieces.tsx';

/** Where the page shows what a command of that kind tells. */
const WAYS: readonly (readonly [command: RegExp, href: (name: string) => string])[] = [
  [/ginnel why server\b/, () => hashOf('network', 'state')],
  [/ginnel why ([\w-]+)/, name => hashOf('peers', name)],
  [/ginnel plugins show ([\w-]+)/, name => hashOf('plugins', name)],
  [/ginnel plugins\b/, () => hashOf('plugins')],
  [/ginnel logs\b/, () => hashOf('settings', 'logs')],
  [/ginnel (?:get|set)\b/, () => hashOf('settings', 'all')],
];

const TONES = { problem: 'bad', warning: 'fair', note: 'quiet' } as const;
const WORST_FIRST = ['problem', 'warning', 'note'] as const;

/** Of the daemon and both its roles, worst first, each once. */
export function healthOf({ health, node, server }: Live): readonly HealthLine[] {
  const all = [...health.health, ...(node?.health ?? []), ...(server?.health ?? [])];
  const lines = [...new Map(all.map(line => [`${line.code} ${line.words}`, line])).values()];
  return WORST_FIRST.flatMap(severity => lines.filter(line => line.severity === severity));
}

interface HealthCardProps {
  readonly lines: readonly HealthLine[];
  /** What the screen itself says is not well, with the way out. */
  readonly children?: ComponentChildren;
}

export function HealthCard({ lines, children = null }: HealthCardProps): JSX.Element {
  const { t } = useWords();
  return (
    <Card title={t('health.title')}>
      {children}
      {lines.length > 0 && <HealthList lines={lines} />}
      {lines.length === 0 && (children === null || children === false) && (
        <p class="hint">{t('health.none')}</p>
      )}
    </Card>
  );
}

export function HealthList({ lines }: { readonly lines: readonly HealthLine[] }): JSX.Element {
  const { t, box } = useWords();
  return (
    <ul class="health">
      {lines.map(line => {
        const said = box?.health(line) ?? null;
        const english = line.words.replace(` (${line.code})`, '');
        const todo = said?.todo ?? (line.todo === '' ? [] : [line.todo]);
        return (
          <li key={`${line.code} ${line.words}`} class={`notice tone-${TONES[line.severity]}`}>
            <Icon name={line.severity === 'note' ? 'info' : 'alert'} />
            <div>
              <p class="strong">
                <span class="offscreen">{t(`health.${line.severity}`)}: </span>
                {said === null ? english : <Pieces of={said.words} />}
              </p>
              {said?.isWhole === false && <p lang="en">{english}</p>}
              {todo.length > 0 && (
                <p>
                  {t('health.todo', { todo: '' })}
                  <Pieces of={todo} />
                </p>
              )}
              <Way todo={line.todo} />
              <p class="code">{line.code}</p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function Way({ todo }: { readonly todo: string }): JSX.Element | null {
  const { t } = useWords();
  for (const [command, href] of WAYS) {
    const match = command.exec(todo);
    if (match !== null)
      return (
        <p>
          <a href={href(match[1] ?? '')}>{t('health.look')}</a>
        </p>
      );
  }
  return null;
}
