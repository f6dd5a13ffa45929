// Puts packets of one flow that follow each other together again before they reach the card: one super-packet, one system
// call. Nothing waits for it: what a turn brought is handed on at its end, and each flow keeps its order.
import { WHOLE } from '../../protocol/ip/offload.ts';
import type { PacketOffload } from '../../protocol/ip/offload.ts';
import { FlowPacket } from './flow-packet.ts';
import { leaveOpen } from './open-checksum.ts';
import { PACKET_ROOM } from './packet-queue.ts';
import { SUPER_PACKET_BYTES, SuperPacket } from './super-packet.ts';

/** So many flows of one turn are put together; of more, the longest under way is handed on. */
const FLOWS = 8;
const FLOW_BYTES = PACKET_ROOM + SUPER_PACKET_BYTES + PACKET_ROOM;
export const COALESCER_BYTES = FLOWS * FLOW_BYTES;

export type Deliver = (bytes: Uint8Array, offset: number, length: number, offload: PacketOffload) => void;

/** Of which protocols the card takes super-packets. */
export interface SuperPackets {
  readonly tcp: boolean;
  readonly udp: boolean;
}

export class Coalescer {
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  readonly #deliver: Deliver;
  readonly #packet: FlowPacket;
  readonly #flows: readonly SuperPacket[];
  readonly #lone: PacketOffload = { ...WHOLE };
  /** Of the flow of the packet before: most often that of the next one, too. */
  #latest: SuperPacket;
  #oldest = 0;

  /** `base`: where COALESCER_BYTES of `memory` begin. */
  constructor(memory: Uint8Array, base: number, deliver: Deliver) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.length);
    this.#deliver = deliver;
    this.#packet = new FlowPacket(memory, this.#view);
    this.#flows = Array.from(
      { length: FLOWS },
      (_, index) => new SuperPacket(memory, this.#view, base + index * FLOW_BYTES + PACKET_ROOM),
    );
    this.#latest = this.#flows[0]!;
  }

  /** One IP packet of that very length at `memory[at]`, with room around it. `isOpen`: its checksum was left open. */
  take(at: number, length: number, isOpen: boolean, { tcp, udp }: SuperPackets): void {
    const packet = this.#packet;
    if (!packet.read(at, length, isOpen)) {
      // A fragment may belong to any of the flows.
      this.flush();
      this.#deliverOne(at, length, isOpen);
      return;
    }
    const isPart = (packet.isTcp ? tcp : udp) && packet.isPart();
    const flow = this.#flowOf(packet);
    if (flow !== null && isPart && flow.isFollowedBy(packet)) {
      flow.append(packet);
      return;
    }
    if (flow !== null) this.#handOn(flow);
    if (isPart) (this.#latest = flow ?? this.#freeOne()).begin(packet);
    else this.#deliverOne(at, length, isOpen);
  }

  /** Hands on what is there. */
  flush(): void {
    for (const flow of this.#flows) if (flow.segments > 0) this.#handOn(flow);
    this.#oldest = 0;
  }

  #flowOf(packet: FlowPacket): SuperPacket | null {
    if (this.#latest.isFlowOf(packet)) return this.#latest;
    for (const flow of this.#flows) if (flow.isFlowOf(packet)) return (this.#latest = flow);
    return null;
  }

  #freeOne(): SuperPacket {
    for (const flow of this.#flows) if (flow.segments === 0) return flow;
    const flow = this.#flows[this.#oldest]!;
    this.#oldest = (this.#oldest + 1) % FLOWS;
    this.#handOn(flow);
    return flow;
  }

  #handOn(flow: SuperPacket): void {
    const { segments, at, length } = flow;
    flow.segments = 0;
    if (segments > 1) {
      flow.complete();
      this.#deliver(this.#memory, at, length, flow.offload);
    } else this.#deliverOne(at, length, flow.isFirstOpen);
  }

  #deliverOne(at: number, length: number, isOpen: boolean): void {
    const rest = isOpen && leaveOpen(this.#memory, this.#view, at, length, this.#lone) ? this.#lone : WHOLE;
    this.#deliver(this.#memory, at, length, rest);
  }
}
