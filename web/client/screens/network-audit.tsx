// What was done to the network, by whom and when: the latest first, further back page by page.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AuditEntry } from '../pure/wire-server.ts';
import { useAction, useLoad } from '../state/action.ts';
import { get } from '../state/api.ts';
import { useWords, type Say } from '../state/language.ts';
import { Button, Card, Problem, Shown } from '../parts/basics.tsx';
import { BoxPhrase } from '../parts/pieces.tsx';

const PAGE = 50;

interface Answer {
  readonly entries: readonly AuditEntry[];
}

export function Audit(): JSX.Element {
  const { t } = useWords();
  const loaded = useLoad(() => get<Answer>(`/v1/server/audit?most=${PAGE}`));
  const [older, setOlder] = useState<readonly AuditEntry[]>([]);
  const [isAll, setAll] = useState(false);
  const action = useAction();
  const more = (first: number): void =>
    void action.run(async () => {
      // The entries just before the first that is known: they are asked for by what they come after.
      const after = Math.max(0, first - PAGE - 1);
      const { entries } = await get<Answer>(`/v1/server/audit?after=${after}&most=${PAGE}`);
      const before = entries.filter(({ seq }) => seq < first);
      setOlder(now => [...before, ...now]);
      if (before.length === 0 || after === 0) setAll(true);
    });
  return (
    <Card title={t('audit.title')}>
      <Shown loaded={loaded}>
        {({ entries }) => {
          const all = [...older, ...entries];
          const first = all[0]?.seq ?? 0;
          return (
            <>
              {all.length === 0 && <p class="hint">{t('audit.none')}</p>}
              <ul class="items">
                {[...all].reverse().map(entry => (
                  <Entry key={entry.seq} entry={entry} />
                ))}
              </ul>
              <Problem problem={action.problem} />
              {entries.length === PAGE && !isAll && (
                <div class="row row-middle">
                  <Button busy={action.busy} onClick={() => more(first)}>
                    {t('audit.more')}
                  </Button>
                </div>
              )}
            </>
          );
        }}
      </Shown>
    </Card>
  );
}

/** What a box did itself is told by the sentence already. */
function byWords({ by, what, subject }: AuditEntry, t: Say): string {
  if (by === 'owner') return t('audit.owner');
  return by === subject || OWN.test(what) ? '' : t('audit.by', { name: by });
}

const OWN = /-used$|^login-refused$/;

function Entry({ entry }: { readonly entry: AuditEntry }): JSX.Element {
  const { t, f } = useWords();
  const by = byWords(entry, t);
  return (
    <li>
      <div>
        <p>
          <BoxPhrase>{entry.words}</BoxPhrase>
        </p>
        <p class="hint">
          {f.date(entry.at)}
          {by !== '' && ` · ${by}`} · <span class="code">{entry.what}</span>
        </p>
      </div>
    </li>
  );
}
