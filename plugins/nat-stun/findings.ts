// What has been found so far: mapped addresses, and the sections of the NAT report as they come in.
import type { Candidate } from '../../core/contract/candidate.ts';
import { NOTHING_CHECKED, type Answer, type NatReport } from '../../core/contract/nat-report.ts';
import { formatEndpoint, sameEndpoint, type Endpoint, type IpFamily } from '../../protocol/address.ts';
import type { Reflection } from './reflexive.ts';
import type { Verdict } from './judge.ts';

/** Servers may see the main socket differently (a symmetric NAT); more than these are of no use to anybody. */
const MAX_MAPPED_PER_FAMILY = 2;

type Section = 'reachability' | 'mapping' | 'filtering' | 'ports' | 'hairpin' | 'lifetime';
type Facts = Pick<NatReport, 'udp' | 'mapping' | 'filtering' | 'ports' | 'hairpin' | 'lifetimeMs'>;

export class Findings {
  #reflections: readonly Reflection[] = [];
  #facts: Facts = NOTHING_CHECKED;
  #notes = new Map<Section, string>();
  #lost = new Set<IpFamily>();
  #takenAt = 0;

  /** Forgets everything: the network is another one. */
  reset(): void {
    this.#reflections = [];
    this.#facts = NOTHING_CHECKED;
    this.#notes.clear();
    this.#lost.clear();
  }

  /** The first answer of a round replaces what earlier rounds saw for its family. True: the mapped address is new. */
  heard(reflection: Reflection, round: ReadonlySet<Reflection>, wallMs: number): boolean {
    const { family } = reflection.seen.mapped;
    const before = this.mapped();
    this.#lost.delete(family);
    this.#reflections = [
      ...this.#reflections.filter(old => old.seen.mapped.family !== family || round.has(old)),
      reflection,
    ];
    this.set('udp', 'yes', 'reachability', null, wallMs);
    const now = this.mapped();
    return now.length !== before.length || now.some((one, at) => !sameEndpoint(one, before[at]!));
  }

  set<Name extends keyof Facts>(
    name: Name,
    value: Facts[Name],
    section: Section,
    note: string | null,
    wallMs: number,
  ): void {
    this.#facts = { ...this.#facts, [name]: value };
    if (note === null) this.#notes.delete(section);
    else this.#notes.set(section, note);
    this.#takenAt = wallMs;
  }

  settle<Name extends Section & keyof Facts>(name: Name, found: Verdict<Facts[Name]>, wallMs: number): void {
    this.set(name, found.verdict, name, found.note, wallMs);
  }

  /** No server of that family answers (any more): what was mapped is not to be told to peers. */
  lost(family: IpFamily, wallMs: number): void {
    this.#lost.add(family);
    this.#reflections = this.#reflections.filter(({ seen }) => seen.mapped.family !== family);
    if (this.#reflections.length > 0) return;
    this.set('udp', 'no', 'reachability', 'No STUN server answered over UDP.', wallMs);
  }

  reflections(): readonly Reflection[] {
    return this.#reflections;
  }

  mapped(): readonly Endpoint[] {
    return ([4, 6] as const).flatMap(family => this.#mappedOf(family).slice(0, MAX_MAPPED_PER_FAMILY));
  }

  #mappedOf(family: IpFamily): Endpoint[] {
    const all = this.#reflections.map(({ seen }) => seen.mapped).filter(mapped => mapped.family === family);
    return all.filter((mapped, at) => all.findIndex(one => sameEndpoint(one, mapped)) === at);
  }

  candidates(): readonly Candidate[] {
    return this.mapped().map(endpoint => ({
      kind: 'reflexive',
      transport: 'udp',
      endpoint,
      foundBy: 'nat-stun',
    }));
  }

  /** `own`: this machine's addresses; `hasIpv6`: could it have IPv6 to the world at all? */
  report(own: readonly string[], hasIpv6: boolean): NatReport {
    const ipv6 = this.#lost.has(6) || !hasIpv6 ? 'no' : 'not-checked';
    return {
      ...this.#facts,
      takenAt: this.#takenAt,
      nat: this.#natAnswer(own),
      ipv6: this.#mappedOf(6).length > 0 ? 'yes' : ipv6,
      mapped: this.mapped().map(formatEndpoint),
      notes: [...this.#notes.values()],
    };
  }

  /** IPv4 first: that is where NATs are. */
  #natAnswer(own: readonly string[]): Answer {
    const mapped = this.mapped()[0];
    if (mapped === undefined) return 'not-checked';
    return own.includes(mapped.address) ? 'no' : 'yes';
  }
}
