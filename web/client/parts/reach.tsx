// Whether other homes can reach the location server here, and what their owner has to do in the router so that they can.
import type { JSX } from 'preact';
import type { Forwarding, Plugin, ServerLive } from '../pure/wire.ts';
import { useWords, type Words } from '../state/language.ts';

interface ReachProps {
  readonly server: ServerLive;
  /** Of the box on the same machine: one of them asks the router for ports. */
  readonly plugins: readonly Plugin[];
}

export function Reach({ server, plugins }: ReachProps): JSX.Element {
  const words = useWords();
  const { t, f } = words;
  const { forwarding } = server;
  if (forwarding === null)
    return <p class="notice tone-quiet">{t('reach.public', { ports: ownPorts(server, words) })}</p>;
  const { to, mapped, reachedAs, outside } = forwarding;
  const ports = portWords(forwarding, words);
  if (mapped !== null && mapped.length > 0)
    return <p class="notice tone-good">{t('reach.mapped', { ports, mapped: f.list(mapped) })}</p>;
  if (reachedAs !== null)
    return <p class="notice tone-good">{t('reach.seen', { as: reachedAs, ports, to })}</p>;
  const asks = plugins.some(({ name, enabled }) => name === 'nat-portmap' && enabled);
  return (
    <div class="notice tone-fair">
      <div>
        <p class="strong">{t('reach.notYet')}</p>
        <p>{t('reach.forward', { ports, to })}</p>
        <p>{t(asks ? 'reach.upnp' : 'reach.noMapper')}</p>
        {outside.length > 0 && <p>{t('reach.outside', { outside: f.list(outside) })}</p>}
      </div>
    </div>
  );
}

/** `7443, 7444 (TCP and UDP)`. */
function portWords({ tcp, udp }: Pick<Forwarding, 'tcp' | 'udp'>, { t, f }: Words): string {
  const parts = [
    ['ports.both', tcp.filter(port => udp.includes(port))],
    ['ports.tcp', tcp.filter(port => !udp.includes(port))],
    ['ports.udp', udp.filter(port => !tcp.includes(port))],
  ] as const;
  return f.list(
    parts.flatMap(([key, ports]) => (ports.length === 0 ? [] : [t(key, { ports: ports.join(', ') })])),
  );
}

function ownPorts({ port, secondPort, webPort }: ServerLive, words: Words): string {
  const both = secondPort === null ? [port] : [port, secondPort];
  return portWords({ tcp: webPort === null ? both : [...both, webPort], udp: both }, words);
}
