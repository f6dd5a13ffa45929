// TCP between two hosts that know nothing of a tunnel: each has a box in front of it that forwards for its LAN.
import { execFileSync } from 'node:child_process';
import { Place } from '../../lab/place.ts';
import { NotYet } from '../case.ts';
import type { Case } from '../case.ts';
import type { Ground } from '../contender.ts';
import { meets } from '../contender.ts';
import { tcp } from '../measures.ts';

interface Side {
  readonly box: Place;
  readonly host: Place;
  readonly subnet: string;
}

export const lan: Pick<Case, 'name' | 'says' | 'each'> = {
  name: 'lan',
  says: 'TCP, one stream between hosts behind the two boxes, forwarded by them',
  async each({ contender: { name }, ground, running, settings }) {
    const route = ROUTES[name];
    if (route === undefined) throw new NotYet('a box does not forward for its LAN so far');
    const number = ground.lab.homes.indexOf(ground.homes[0]);
    const [one, other] = [await attach(ground.one, number), await attach(ground.other, number + 1)];
    await route(ground, one, other);
    await meets(one.host, other.host.address);
    return tcp(
      { one: one.host, other: other.host },
      { ...running, target: other.host.address },
      settings.seconds,
    );
  },
};

/** How each sends what is for the other's LAN. */
const ROUTES: Readonly<Record<string, (ground: Ground, one: Side, other: Side) => Promise<void>>> = {
  async veth(ground, one, other) {
    for (const side of [one, other]) {
      const device = `home${ground.lab.homes.findIndex(home => home.host === side.box)}`;
      await ground.lab.core.exec(`ip route add ${side.subnet} via ${side.box.address} dev ${device} onlink`);
    }
  },
  async 'wireguard-go'(_, one, other) {
    for (const [from, to, device, peer] of [
      [one, other, 'wgone', '10.99.0.2'],
      [other, one, 'wgother', '10.99.0.1'],
    ] as const)
      await from.box
        .exec(`wg set ${device} peer $(wg show ${device} peers) allowed-ips ${peer}/32,${to.subnet} &&
        ip route add ${to.subnet} dev ${device}`);
  },
};

/** A host on a cable to that box, which forwards. */
async function attach(box: Place, number: number): Promise<Side> {
  const [name, net] = [`lan${number}`, `10.201.${number}`];
  execFileSync('ip', ['netns', 'add', name]);
  execFileSync('ip', `link add lan netns ${box.name} type veth peer name eth0 netns ${name}`.split(' '));
  const host = new Place(name, 'eth0', `${net}.2`);
  await box.exec(
    `ip addr add ${net}.1/24 dev lan && ip link set lan up && echo 1 > /proc/sys/net/ipv4/ip_forward`,
  );
  await host.exec(`ip link set lo up && ip addr add ${net}.2/24 dev eth0 && ip link set eth0 up &&
    ip route add default via ${net}.1`);
  return { box, host, subnet: `${net}.0/24` };
}
