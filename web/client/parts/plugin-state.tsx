// How a plugin fares, in words, and the way out where it does not.
import type { JSX } from 'preact';
import type { Tone } from '../pure/peers.ts';
import type { Plugin, PluginState } from '../pure/wire.ts';
import { useAction } from '../state/action.ts';
import { post } from '../state/api.ts';
import { useWords, type Words } from '../state/language.ts';
import { Button, Problem, State } from './basics.tsx';
import { Icon } from './icon.tsx';
import { Pieces } from './pieces.tsx';

const TONES: Readonly<Record<PluginState, Tone>> = {
  ...{ off: 'quiet', waiting: 'quiet', starting: 'fair', ready: 'good', limited: 'fair' },
  ...{ unavailable: 'bad', failed: 'bad' },
};

export function PluginStateWords({ plugin }: { readonly plugin: Plugin }): JSX.Element {
  const { t } = useWords();
  return <State tone={TONES[plugin.state]}>{t(`plugin.${plugin.state}`)}</State>;
}

/** The growth of a whole process is no exact figure; below this it says nothing. */
const LEAST_TOLD = 500_000;

const TOLD_TO = 100_000;

/** Empty where it does not run. */
export function memoryWords({ memoryBytes }: Plugin, { t, f }: Words): string {
  if (memoryBytes === null) return '';
  const key = memoryBytes < LEAST_TOLD ? 'told.memory.little' : 'told.memory.about';
  return t(key, { bytes: f.bytes(Math.max(Math.round(memoryBytes / TOLD_TO) * TOLD_TO, LEAST_TOLD)) });
}

/** So it is in most homes. */
const HARMLESS = 'PORTMAP_NO_ANSWER';

/** Nothing where all is well. */
export function PluginTrouble({ plugin }: { readonly plugin: Plugin }): JSX.Element | null {
  const { t, box } = useWords();
  const action = useAction();
  const { state, code, facts } = plugin;
  if (state !== 'failed' && state !== 'unavailable' && state !== 'limited') return null;
  const told = ['message', 'problem', 'reason'].map(key => facts[key]).find(one => typeof one === 'string');
  const said = code === HARMLESS ? null : (box?.error(code, facts) ?? null);
  const retry = (): Promise<unknown> => post(`/v1/node/plugins/${encodeURIComponent(plugin.name)}/retry`);
  return (
    <div class={`notice tone-${code === HARMLESS ? 'quiet' : state === 'limited' ? 'fair' : 'bad'}`}>
      <Icon name="alert" />
      <div>
        <p>
          {said !== null ? (
            <Pieces of={[...said.words, ...said.todo]} />
          ) : (
            (told ?? t(code === HARMLESS ? `plugin.${HARMLESS}` : `plugin.${state}.words`))
          )}
        </p>
        {code !== '' && <p class="code">{code}</p>}
        {state === 'failed' && (
          <div class="row">
            <Button busy={action.busy} onClick={() => void action.run(retry)}>
              {t('again')}
            </Button>
          </div>
        )}
        <Problem problem={action.problem} />
      </div>
    </div>
  );
}
