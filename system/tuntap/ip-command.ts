// Network cards set up by the program `ip` (iproute2, or busybox's): names, addresses, routes, removal. Each request is
// one process of some milliseconds that is waited for; arguments go as a list, past any shell.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Log } from '../../base/log.ts';
import type { IpFamily } from '../../protocol/address.ts';
import { formatIp } from '../../protocol/ip/address.ts';
import { formatPrefix, type Prefix } from '../../protocol/ip/prefix.ts';
import { ERRNO, systemErrors } from '../errors.ts';
import { controlCards, type CardControl, type NetworkCard } from '../network-card.ts';

const TIMEOUT_MS = 5000;
const ADDR_GEN_MODE_NONE = '1';

export interface IpCommand {
  readonly cards: CardControl;
  /** 0, or an errno. */
  readonly rename: (from: string, to: string) => number;
  readonly remove: (name: string) => number;
}

/** Its calls throw IP_COMMAND_MISSING where there is no such program. */
export function createIpCommand(log: Log, program = 'ip'): IpCommand {
  const ask = (...words: string[]): number => {
    const asked = spawnSync(program, words, {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`, LC_ALL: 'C' },
    });
    if (asked.error !== undefined && 'code' in asked.error && asked.error.code === 'ENOENT')
      throw systemErrors('IP_COMMAND_MISSING');
    if (asked.status === 0) return 0;
    const answer = asked.error?.message ?? asked.stderr.trim();
    log.debug('ip refused', { words: words.join(' '), answer });
    return errnoIn(answer);
  };
  return {
    cards: controlCards({
      bringUp(card, mtu) {
        muteLinkLocal(card);
        return ask('link', 'set', 'dev', card.name, 'mtu', String(mtu), 'up');
      },
      addAddress(card, address, prefixLength) {
        const text = `${formatIp(address.bytes)}/${prefixLength}`;
        return ask(familyOf(address.family), 'addr', 'add', text, 'dev', card.name);
      },
      addRoute: (card, prefix) => ask(...routeWords('add', card, prefix)),
      removeRoute: (card, prefix) => ask(...routeWords('del', card, prefix)),
    }),
    rename: (from, to) => ask('link', 'set', 'dev', from, 'name', to),
    remove: name => ask('link', 'del', 'dev', name),
  };
}

const familyOf = (family: IpFamily): string => `-${family}`;

const routeWords = (verb: string, card: NetworkCard, prefix: Prefix): string[] => [
  ...[familyOf(prefix.family), 'route', verb, formatPrefix(prefix), 'dev', card.name],
  ...['proto', 'static'],
];

/** Without it each card says router solicitations and multicast reports into the tunnel. */
function muteLinkLocal({ name }: NetworkCard): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/addr_gen_mode`, ADDR_GEN_MODE_NONE);
  } catch {
    // Best effort: a kernel without IPv6 has no such file, and needs it not.
  }
}

/** What `ip` prints is the kernel's own word or strerror's, in English. */
const ANSWERS: readonly (readonly [RegExp, number])[] = [
  [/File exists|already assigned/, ERRNO.EEXIST],
  [/Operation not permitted/, ERRNO.EPERM],
  [/No such process/, ERRNO.ESRCH],
  [/No such device|Cannot find device|can't find device/, ERRNO.ENODEV],
  [/Permission denied|is disabled/, ERRNO.EACCES],
  [/not supported by protocol/, ERRNO.EAFNOSUPPORT],
  [/not supported/, ERRNO.EOPNOTSUPP],
  [/Device or resource busy/, ERRNO.EBUSY],
  [/Invalid argument|is garbage|not a valid ifname/, ERRNO.EINVAL],
];

const errnoIn = (answer: string): number => ANSWERS.find(([words]) => words.test(answer))?.[1] ?? ERRNO.EIO;
