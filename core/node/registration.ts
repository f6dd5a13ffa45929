// What this node registers with the location server (V4): its addresses inside and outside, how it can be reached, its load.
import type { Endpoint } from '../../protocol/address.ts';
import type { AddressTable } from '../../protocol/ip/classify.ts';
import { scopeOf } from '../../protocol/ip/classify.ts';
import type { CandidateWords, Registration } from '../../protocol/location/messages.ts';
import { MAX_CANDIDATES } from '../contract/candidate.ts';
import type { Candidate } from '../contract/candidate.ts';
import type { NatReport } from '../contract/nat-report.ts';

export interface RegistrationFacts {
  readonly candidates: readonly Candidate[];
  readonly nat: NatReport;
  /** 0 to 1 a core. */
  readonly cpuLoad: number;
  /** Which addresses count as private (V5). */
  readonly scopes: AddressTable;
  readonly tcpPorts: readonly number[];
}

export function registrationOf({
  candidates,
  nat,
  cpuLoad,
  scopes,
  tcpPorts,
}: RegistrationFacts): Registration {
  const isPublic = ({ address }: Endpoint): boolean => scopeOf(scopes, address) === 'public';
  const told = candidates.slice(0, MAX_CANDIDATES);
  return {
    privateAddresses: told
      .filter(({ kind, endpoint }) => kind === 'host' && !isPublic(endpoint))
      .map(({ endpoint }) => endpoint),
    publicAddresses: told
      .filter(({ kind, endpoint }) => kind !== 'relay' && isPublic(endpoint))
      .map(({ endpoint }) => endpoint),
    tcpPorts,
    candidates: told.map(asWords),
    bandwidth: null,
    cpuLoad,
    reachable: told.some(isMapped) ? 'yes' : reachable(nat),
    relay: null,
    region: '',
    relays: [],
  };
}

const asWords = ({ kind, transport, endpoint, relay }: Candidate): CandidateWords => ({
  ...{ kind, transport, endpoint },
  ...(relay === undefined ? {} : { relay }),
});

/** The router passes on whatever comes, and that was seen to be so. */
const isMapped = ({ kind, transport }: Candidate): boolean => kind === 'mapped' && transport === 'udp';

/** From outside, without this node's help: only where the filter lets strangers in. */
function reachable(nat: NatReport): Registration['reachable'] {
  if (nat.filtering === 'not-checked') return 'not-checked';
  const mappedForAll = nat.nat === 'no' || nat.mapping === 'endpoint-independent';
  return mappedForAll && nat.filtering === 'endpoint-independent' ? 'yes' : 'no';
}
