// What counts as private and public in this network: own rules over those that hold besides.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Rules as RulesShown } from '../pure/wire-server.ts';
import { useAction, useLoad } from '../state/action.ts';
import { get, post } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { Button, Card, Facts, Problem, Shown } from '../parts/basics.tsx';
import { Choice, Field } from '../parts/field.tsx';
import { BoxPhrase } from '../parts/pieces.tsx';

const SCOPES = ['public', 'private', 'shared', 'link-local', 'loopback', 'special'] as const;

export function Rules(): JSX.Element {
  const { t } = useWords();
  const loaded = useLoad(() => get<RulesShown>('/v1/server/rules'));
  const action = useAction();
  const unset = (prefix: string): void =>
    void action.run(async () => loaded.set(await post<RulesShown>('/v1/server/rules/unset', { prefix })));
  return (
    <div class="halves">
      <Card title={t('rules.own')}>
        <p class="hint">{t('rules.what')}</p>
        <Shown loaded={loaded}>
          {({ own }) => (
            <ul class="items">
              {own.map(({ prefix, scope }) => (
                <li key={prefix}>
                  <div>
                    <span class="mono strong">{prefix}</span> <span class="hint">{scopeWords(scope, t)}</span>
                  </div>
                  <Button
                    busy={action.busy}
                    label={t('rules.unset.of', { prefix })}
                    onClick={() => unset(prefix)}
                  >
                    {t('nodes.remove')}
                  </Button>
                </li>
              ))}
            </ul>
          )}
        </Shown>
        <Problem problem={action.problem} />
        <NewRule onMade={loaded.set} />
      </Card>
      <Card>
        <details class="fold">
          <summary>{t('rules.defaults')}</summary>
          <Shown loaded={loaded}>
            {({ defaults }) => (
              <Facts
                facts={defaults.map(({ prefix, scope, source }) => ({
                  name: prefix,
                  value: (
                    <>
                      {scopeWords(scope, t)}{' '}
                      <span class="hint">
                        <BoxPhrase>{source}</BoxPhrase>
                      </span>
                    </>
                  ),
                }))}
              />
            )}
          </Shown>
        </details>
      </Card>
    </div>
  );
}

function scopeWords(scope: string, t: ReturnType<typeof useWords>['t']): string {
  const known = SCOPES.find(one => one === scope);
  return known === undefined ? scope : t(`rules.scope.${known}`);
}

function NewRule({ onMade }: { readonly onMade: (rules: RulesShown) => void }): JSX.Element {
  const { t } = useWords();
  const [prefix, setPrefix] = useState('');
  const [scope, setScope] = useState<string>('private');
  const action = useAction();
  const submit = (event: Event): void => {
    event.preventDefault();
    void action.run(async () => {
      onMade(await post<RulesShown>('/v1/server/rules', { prefix: prefix.trim(), scope }));
      setPrefix('');
    });
  };
  return (
    <form class="stack" onSubmit={submit}>
      <div class="form-grid">
        <Field
          label={t('rules.prefix')}
          value={prefix}
          onInput={setPrefix}
          placeholder="198.18.0.0/15"
          required
          mono
        />
        <Choice
          label={t('rules.countsAs')}
          value={scope}
          options={SCOPES.map(value => ({ value, label: t(`rules.scope.${value}`) }))}
          onChange={setScope}
        />
      </div>
      <Problem problem={action.problem} />
      <div class="form-foot">
        <Button submit busy={action.busy}>
          {t('rules.set')}
        </Button>
      </div>
    </form>
  );
}
