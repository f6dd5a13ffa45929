// All fuzz targets, cheap ones first.
import { exportFiles } from './export-targets.ts';
import type { FuzzTarget } from './harness.ts';
import { addressText, ipPackets } from './ip-targets.ts';
import { channels, invites, locationMessages, records, standingWords, texts } from './location-targets.ts';
import { peerWords } from './peer-targets.ts';
import { signedPlaces } from './places-targets.ts';
import { natPmpAnswers, pcpAnswers, ssdpAnswers, upnpXml } from './portmap-targets.ts';
import { frameHeads } from './stream-targets.ts';
import { stunAnswerer, stunMessages } from './stun-targets.ts';
import { tooLargePackets } from './too-big-targets.ts';
import { noiseMessages, wireguardHandshakes, wireguardMessages } from './wireguard-targets.ts';
import { certificates } from './x509-targets.ts';

export const fuzzTargets: readonly FuzzTarget[] = [
  wireguardMessages,
  ipPackets,
  tooLargePackets,
  frameHeads,
  pcpAnswers,
  natPmpAnswers,
  ssdpAnswers,
  upnpXml,
  stunMessages,
  stunAnswerer,
  addressText,
  texts,
  invites,
  locationMessages,
  signedPlaces,
  exportFiles,
  records,
  standingWords,
  peerWords,
  certificates,
  noiseMessages,
  wireguardHandshakes,
  channels,
];
