// What `ginnel relays` shows. Names, regions and reasons may hold others' words.
import type { NodeRelay, NodeRelays } from '../../core/admin.ts';
import type { RelayShown, RelaysShown, RelaysWhy } from '../../server/relays/admin.ts';
import { rowsWithin, wrap, type Row } from '../layout.ts';
import { plain } from '../words.ts';

/** Those of the network. */
export function relaysScreen({ choice, relays }: RelaysShown, columns: number): string {
  const how = wrap(`Chosen ${CHOICES[choice]}. Why a box has its relays: ginnel relays --why NAME`, columns);
  if (relays.length === 0) return `No box forwards for others now.\n${how}`;
  return [rowsWithin(columns, relays.map(relayRow), [0, 1]), how].join('\n');
}

const CHOICES: Readonly<Record<RelaysShown['choice'], string>> = {
  random: 'by chance',
  nearest: 'by distance',
  bandwidth: 'by bandwidth to spare',
  balanced: 'so that none carries too much',
};

function relayRow(relay: RelayShown): Row {
  const { name, region, nodes, mostNodes, usable, problem, door } = relay;
  const figures = usable
    ? [`${nodes} of ${mostNodes} boxes`, spareInWords(relay), loadInWords(relay)]
    : ['not in use', '', ''];
  return { cells: [plain(name), plain(region) || '-', ...figures], more: problem || door.join(' ') };
}

const spareInWords = ({ spare, limit }: RelayShown): string =>
  spare === null ? 'spare not known' : `${bits(spare)}${limit === null ? '' : ` of ${bits(limit)}`} to spare`;

const loadInWords = ({ load }: RelayShown): string =>
  load === null ? '' : `${Math.round(100 * load)} % loaded`;

/** Why a box has the relays that it has. */
export function relaysWhyScreen({ name, need, choice, ranking }: RelaysWhy, columns: number): string {
  const lines = ranking.map(relay => `${USES[relay.use]}: ${plain(relay.name)}. ${plain(relay.words)}`);
  const head = `${plain(name)}: ${plain(need)}`;
  if (ranking.length === 0) {
    const none = /^It needs relays/.test(need)
      ? ['No box forwards for it now: ginnel relays tells why.']
      : [];
    return wrap([head, ...none].join('\n'), columns);
  }
  const only =
    ranking.length === 1
      ? ['There is no second one: no other box can be reached from outside and forwards.']
      : [];
  return wrap([head, `Chosen ${CHOICES[choice]}:`, ...lines, ...only].join('\n'), columns);
}

const USES: Readonly<Record<RelaysWhy['ranking'][number]['use'], string>> = {
  first: 'First choice',
  second: 'Second',
  'not used': 'Not used',
  'not usable': 'Not to be had',
};

/** Those that this box keeps, and what it does for others. */
export function nodeRelaysScreen({ serves, region, relays }: NodeRelays, columns: number): string {
  const rows = relays.map(({ name, state, rttMs, places, isWanted }) => ({
    cells: [plain(name), STATES[state](isWanted), rttMs === null ? '-' : `${rttMs.toFixed(1)} ms`],
    more: places.join(' '),
  }));
  return [
    ...(rows.length === 0 ? ['This box keeps no relay.'] : [rowsWithin(columns, rows, [0])]),
    wrap(servesInWords(serves, region, rows.length > 0), columns),
  ].join('\n');
}

const STATES: Readonly<Record<NodeRelay['state'], (isWanted: boolean) => string>> = {
  kept: () => 'connected',
  measured: () => 'measured',
  failed: () => 'not reached',
  wanted: () => 'connecting',
};

/** `keeps`: it has relays itself, because nobody reaches it from outside. */
function servesInWords(serves: NodeRelays['serves'], region: string, keeps: boolean): string {
  const where = region === '' ? '' : ` Its region: ${plain(region)}.`;
  if (serves === null) return `This box forwards for nobody: that is turned off here.${where}`;
  if (keeps && serves.nodes === 0)
    return `This box forwards for nobody: it cannot be reached from outside.${where}`;
  const spare = serves.spare === null ? '' : `, ${bits(serves.spare)} to spare`;
  return `This box forwards for ${serves.nodes} of at most ${serves.mostNodes} boxes${spare}.${where}`;
}

const bits = (perSecond: number): string =>
  perSecond >= 1e9 ? `${(perSecond / 1e9).toFixed(1)} Gbit/s` : `${Math.round(perSecond / 1e6)} Mbit/s`;
