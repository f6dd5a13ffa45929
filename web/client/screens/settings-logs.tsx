// What the daemon wrote down, by level and part, as it comes; and a report for whoever helps.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { LogLine } from '../pure/wire.ts';
import { useAction } from '../state/action.ts';
import { post } from '../state/api.ts';
import { download, fileName } from '../state/files.ts';
import { useWords } from '../state/language.ts';
import { useStream } from '../state/stream.ts';
import { Button, Card, Problem } from '../parts/basics.tsx';
import { Choice, Field, Switch } from '../parts/field.tsx';

const LEVELS: readonly LogLine['level'][] = ['debug', 'info', 'warn', 'error'];
const LINES = 300;
const TYPING_MS = 400;

export function Logs(): JSX.Element {
  return (
    <>
      <LogCard />
      <Diagnostics />
    </>
  );
}

function LogCard(): JSX.Element {
  const { t } = useWords();
  const [level, setLevel] = useState<string>('info');
  const [part, setPart] = useState('');
  const [follow, setFollow] = useState(true);
  const log = useStream<LogLine>(LINES);
  const known = part.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '');
  useEffect(() => {
    const look = (): void => {
      if (document.hidden) log.stop();
      else log.start('/v1/logs', { level, part: known, lines: LINES, follow });
    };
    const timer = window.setTimeout(look, TYPING_MS);
    document.addEventListener('visibilitychange', look);
    return () => {
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [level, known, follow]);
  return (
    <Card title={t('logs.title')}>
      <div class="form-grid">
        <Choice
          label={t('logs.level')}
          value={level}
          options={LEVELS.map(value => ({ value, label: t(`logs.${value}`) }))}
          onChange={setLevel}
        />
        <Field
          label={t('logs.part')}
          hint={t('logs.partHint')}
          value={part}
          onInput={setPart}
          placeholder="node.paths"
        />
        <Switch label={t('logs.follow')} on={follow} onChange={setFollow} />
      </div>
      <Problem problem={log.problem} />
      <div class="log" role="log" aria-label={t('logs.title')} aria-live="off" tabIndex={0}>
        {log.lines.length === 0 && <p class="hint">{t('logs.none')}</p>}
        {[...log.lines].reverse().map((line, i) => (
          <LogRow key={log.lines.length - i} line={line} />
        ))}
      </div>
    </Card>
  );
}

const TONES = { debug: 'quiet', info: 'quiet', warn: 'fair', error: 'bad' } as const;

function LogRow({ line }: { readonly line: LogLine }): JSX.Element {
  const { t, f } = useWords();
  const facts = Object.entries(line.facts).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return (
    <p class={`log-line tone-${TONES[line.level]}`}>
      <time dateTime={line.time}>{f.time(Date.parse(line.time), Date.now())}</time>
      <span class="toned">{t(`logs.${line.level}`)}</span>
      <span>
        {line.part !== '' && <b>{line.part} </b>}
        {line.message} <span class="log-facts">{facts.join(' ')}</span>
      </span>
    </p>
  );
}

function Diagnostics(): JSX.Element {
  const { t } = useWords();
  const [mask, setMask] = useState(true);
  const action = useAction();
  const make = async (): Promise<void> => {
    const report = await post<object>('/v1/bugreport', { mask });
    download(`${fileName('ginnel-report', Date.now())}.json`, JSON.stringify(report, null, 2));
  };
  return (
    <Card title={t('report.title')}>
      <p>{t('report.what')}</p>
      <Switch label={t('report.mask')} hint={t('report.maskHint')} on={mask} onChange={setMask} />
      <Problem problem={action.problem} />
      <div class="form-foot">
        <Button busy={action.busy} icon="download" onClick={() => void action.run(make)}>
          {t('report.do')}
        </Button>
      </div>
    </Card>
  );
}
