// Ginnel with the page served, in a pair like any other.
import type { Contender } from '../contender.ts';
import { ginnelAes } from './ginnel.ts';

export const ginnelWithPage = (door: string): Contender => ({
  ...ginnelAes(door),
  name: 'ginnel-page',
  label: 'Ginnel, page',
  setUp: 'the page served on the LAN and on loopback, as it comes',
});
