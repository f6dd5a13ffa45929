// The boxes of the network: let in, named, shut out.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { NodeShown, NodesShown } from '../pure/wire-server.ts';
import { useAction, useLoad, type Action } from '../state/action.ts';
import { announce } from '../state/announce.ts';
import { get, post } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { Badge, Button, Card, Problem, Shown, State } from '../parts/basics.tsx';
import { Confirm, Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';

const AT_FIRST = 100;

/** `counts`: another one means that somebody came or went. */
export function Nodes({ selfId, counts }: { readonly selfId: string; readonly counts: string }): JSX.Element {
  const { t, f } = useWords();
  const loaded = useLoad(() => get<NodesShown>('/v1/server/nodes'), counts);
  const [typed, setTyped] = useState('');
  const [isWhole, setWhole] = useState(false);
  const fits = ({ name, ip4 }: NodeShown): boolean =>
    `${name} ${ip4}`.toLowerCase().includes(typed.trim().toLowerCase());
  return (
    <Shown loaded={loaded}>
      {({ nodes, removed }) => {
        const rows = nodes.filter(fits).sort(waitingFirst);
        return (
          <>
            <Card
              title={t('nodes.title')}
              actions={
                nodes.length > 8 && (
                  <label class="filter">
                    <span class="offscreen">{t('peers.filter')}</span>
                    <input
                      type="search"
                      value={typed}
                      placeholder={t('peers.filter')}
                      onInput={event => setTyped(event.currentTarget.value)}
                    />
                  </label>
                )
              }
            >
              {nodes.length === 0 && <p class="hint">{t('nodes.none')}</p>}
              {typed.trim() !== '' && (
                <p class="hint" role="status">
                  {t('peers.found', { count: rows.length, all: nodes.length })}
                </p>
              )}
              <ul class="items">
                {rows.slice(0, isWhole ? undefined : AT_FIRST).map(node => (
                  <Node key={node.id} node={node} isSelf={node.id === selfId} onChanged={loaded.reload} />
                ))}
              </ul>
              {!isWhole && rows.length > AT_FIRST && (
                <Button onClick={() => setWhole(true)}>
                  {t('peers.more', { count: rows.length - AT_FIRST })}
                </Button>
              )}
            </Card>
            {removed.length > 0 && (
              <Card title={t('nodes.removed')}>
                <ul class="items">
                  {removed.map(({ id, name, at }) => (
                    <li key={id}>
                      <span>{name === '' ? <span class="mono">{id}</span> : name}</span>
                      <span class="hint">{f.date(at)}</span>
                    </li>
                  ))}
                </ul>
              </Card>
            )}
          </>
        );
      }}
    </Shown>
  );
}

const RANK = { pending: 0, member: 1, disabled: 2 };
const waitingFirst = (a: NodeShown, b: NodeShown): number =>
  RANK[a.standing] - RANK[b.standing] || a.name.localeCompare(b.name);

interface NodeProps {
  readonly node: NodeShown;
  readonly isSelf: boolean;
  readonly onChanged: () => void;
}

function Node({ node, isSelf, onChanged }: NodeProps): JSX.Element {
  const { t, f } = useWords();
  const [open, setOpen] = useState<'rename' | 'remove' | null>(null);
  const action = useAction();
  const { name, standing } = node;
  const turn = (order: 'approve' | 'disable' | 'enable' | 'remove'): void =>
    void action
      .run(() => post(`/v1/server/nodes/${encodeURIComponent(node.id)}/${order}`))
      .then(isDone => {
        if (!isDone) return;
        announce(t(`nodes.${order}.done`, { name }));
        setOpen(null);
        onChanged();
      });
  return (
    <li>
      <div>
        <p class="strong row">
          {name} {isSelf && <Badge>{t('box.this')}</Badge>}
          {standing !== 'member' && (
            <Badge tone={standing === 'pending' ? 'fair' : 'bad'}>{t(`nodes.${standing}`)}</Badge>
          )}
        </p>
        <p class="hint">
          <State tone={node.online ? 'good' : 'quiet'}>
            {t(node.online ? 'nodes.online' : 'nodes.offline')}
          </State>{' '}
          · <span class="mono">{node.ip4}</span>
          {!node.online &&
            node.lastSeen > 0 &&
            ` · ${t('nodes.seen', { when: f.until(node.lastSeen, Date.now()) })}`}
        </p>
        {open === null && <Problem problem={action.problem} />}
      </div>
      <div class="actions">
        {standing === 'pending' && (
          <Button
            kind="primary"
            busy={action.busy}
            label={t('nodes.approve.of', { name })}
            onClick={() => turn('approve')}
          >
            {t('nodes.approve')}
          </Button>
        )}
        <Button label={t('nodes.rename.of', { name })} onClick={() => setOpen('rename')}>
          {t('nodes.rename')}
        </Button>
        {standing === 'member' && (
          <Button busy={action.busy} label={t('nodes.disable.of', { name })} onClick={() => turn('disable')}>
            {t('nodes.disable')}
          </Button>
        )}
        {standing === 'disabled' && (
          <Button busy={action.busy} label={t('nodes.enable.of', { name })} onClick={() => turn('enable')}>
            {t('nodes.enable')}
          </Button>
        )}
        <Button kind="danger" label={t('nodes.remove.of', { name })} onClick={() => setOpen('remove')}>
          {t('nodes.remove')}
        </Button>
      </div>
      {open === 'rename' && (
        <Rename node={node} action={action} onClose={() => setOpen(null)} onChanged={onChanged} />
      )}
      {open === 'remove' && (
        <Confirm
          title={t('nodes.remove.of', { name })}
          words={t('nodes.remove.words', { name })}
          doIt={t('nodes.remove')}
          action={action}
          onDo={() => turn('remove')}
          onClose={() => setOpen(null)}
        />
      )}
    </li>
  );
}

interface RenameProps {
  readonly node: NodeShown;
  readonly action: Action;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

function Rename({ node, action, onClose, onChanged }: RenameProps): JSX.Element {
  const { t } = useWords();
  const [name, setName] = useState(node.name);
  const rename = (event: Event): void => {
    event.preventDefault();
    void action
      .run(() => post(`/v1/server/nodes/${encodeURIComponent(node.id)}/rename`, { name: name.trim() }))
      .then(isDone => {
        if (!isDone) return;
        onClose();
        onChanged();
      });
  };
  return (
    <Dialog title={t('nodes.rename.of', { name: node.name })} onClose={onClose}>
      <form class="stack" onSubmit={rename}>
        <Field
          label={t('nodes.newName')}
          hint={t('name.boxHint')}
          value={name}
          onInput={setName}
          maxLength={63}
          required
        />
        <Problem problem={action.problem} />
        <div class="row row-end">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button kind="primary" submit busy={action.busy}>
            {t('nodes.rename')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
