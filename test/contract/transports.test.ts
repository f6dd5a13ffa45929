// The transport contract, held by the in-memory reference and by direct UDP on real sockets.
import t from 'tap';
import { Counters } from '../../base/counters.ts';
import { MemoryNetwork } from '../../core/paths/memory-transport.ts';
import { UdpTransport, type DatagramTransport } from '../../core/paths/udp-transport.ts';
import type { Endpoint, IpFamily } from '../../protocol/address.ts';
import { openDoors } from '../../system/doors-linux.ts';
import type { UdpDoor } from '../../system/doors.ts';
import { testTransport, type TransportEnd, type TransportRig } from './transport.ts';

function endOf(transport: DatagramTransport, other: Endpoint): TransportEnd {
  const end: TransportEnd = {
    link: () => transport.link(other)!,
    received: () => undefined,
  };
  transport.events = {
    wireguard: (link, batch) => end.received(link, batch),
    stun: () => undefined,
    sent: () => undefined,
    turnEnded: () => undefined,
  };
  return end;
}

function memoryRig(): Promise<TransportRig> {
  const network = new MemoryNetwork();
  const places = ['192.0.2.1', '192.0.2.2'].map(address => ({ family: 4 as const, address, port: 4444 }));
  const [a, b] = places.map(place => network.open(place));
  return Promise.resolve({
    name: 'memory',
    a: endOf(a!, places[1]!),
    b: endOf(b!, places[0]!),
    stop: () => [a, b].forEach(transport => transport!.close()),
  });
}

const doors = openDoors();

function udpRig(family: IpFamily): Promise<TransportRig> {
  const address = family === 4 ? '127.0.0.1' : '::1';
  const open = (): UdpDoor => doors.openUdp({ family, port: 0, address });
  const sockets = [open(), open()];
  const [a, b] = sockets.map(door => new UdpTransport({ doors: [door], counters: new Counters() }));
  const at = (door: UdpDoor): Endpoint => ({ family, address, port: door.localPort });
  return Promise.resolve({
    name: 'udp',
    a: endOf(a!, at(sockets[1]!)),
    b: endOf(b!, at(sockets[0]!)),
    stop: () => [a, b].forEach(transport => transport!.close()),
  });
}

t.test('memory', t => {
  testTransport(t, memoryRig);
  t.end();
});
t.test('UDP over IPv4', t => {
  testTransport(t, () => udpRig(4));
  t.end();
});
t.test('UDP over IPv6', t => {
  testTransport(t, () => udpRig(6));
  t.end();
});
