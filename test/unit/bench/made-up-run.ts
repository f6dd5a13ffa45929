// A small run of the bench with made-up figures, for tests of what is printed and drawn of one.
import type { Report } from '../../bench/figures.ts';

export function madeUpRun(): Report {
  const contender = (name: string, label: string, version: string): Report['contenders'][number] => ({
    ...{ name, label, version },
    date: '2022-03-16',
    setUp: 'as it comes',
  });
  const tcp = (rates: number[], costs: number[]): Record<string, number[]> => ({
    gigabitsPerSecond: rates,
    cpuSecondsPerGigabyte: costs,
  });
  return {
    startedAt: '2026-01-02T03:04:05.678Z',
    minutes: 12.4,
    command: 'npm run bench',
    machine: {
      ...{ model: 'Some <CPU> & more', cpus: 2, memoryMb: 24_000, kernel: '6.1.0', system: 'Debian' },
      ...{ node: 'v20.19.0', congestion: 'cubic' },
    },
    noise: {
      calculationMs: [20, 22, 40],
      loadBefore: 0.25,
      busiestWaiting: { contender: 'nebula', percent: 0.7 },
      heldStill: [],
    },
    contenders: [
      contender('veth', 'bare veth', 'Linux 6.1.0'),
      contender('wireguard-go', 'wireguard-go', '0.0.20220316-1+b4'),
      contender('tinc', 'tinc', '1.0.36-2+b2'),
      contender('ginnel-aes', 'Ginnel, AES', '0.1.0 (abc)'),
    ],
    samples: {
      tcp: {
        veth: { gigabitsPerSecond: [10, 12, 11] },
        'wireguard-go': tcp([0.5, 0.6, 0.4], [20, 22, 21]),
        'ginnel-aes': tcp([3, 2.9, 3.4], [4.1, 4.2, 3.9]),
      },
      udp64: { 'ginnel-aes': { packetsPerSecond: [71_234] } },
    },
    notYet: [{ contender: 'ginnel-aes', case: 'lan', reason: 'not so far' }],
    failures: [{ contender: 'tinc', case: 'tcp', reason: 'it did not start\nand here is its log' }],
  };
}
