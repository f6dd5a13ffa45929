// Session descriptions (RFC 8829) of channels, from another node: only lines that a channel needs reach the library, and no
// candidates, which are told and looked at one by one.
const LINES: readonly RegExp[] = [
  /^v=0$/,
  /^o=[\w.-]{1,40} \d{1,20} \d{1,20} IN IP[46] [0-9A-Fa-f.:]{2,45}$/,
  /^s=[\w-]{1,40}$/,
  /^t=0 0$/,
  /^a=group:BUNDLE [\w-]{1,16}$/,
  /^a=msid-semantic: ?WMS(?: \*)?$/,
  /^a=ice-options:[\w, -]{1,60}$/,
  /^a=fingerprint:sha-(?:256|384|512) [0-9A-Fa-f:]{32,200}$/i,
  /^m=application \d{1,5} (?:UDP\/)?DTLS\/SCTP (?:webrtc-datachannel|5000)$/,
  /^c=IN IP[46] [0-9A-Fa-f.:]{2,45}$/,
  /^a=mid:[\w-]{1,16}$/,
  /^a=(?:sendrecv|sendonly|recvonly)$/,
  /^a=sctp-port:\d{1,5}$/,
  /^a=max-message-size:\d{1,10}$/,
  /^a=setup:(?:actpass|active|passive)$/,
  /^a=ice-ufrag:[A-Za-z0-9+/]{4,256}$/,
  /^a=ice-pwd:[A-Za-z0-9+/]{22,256}$/,
];
const NEEDED: readonly string[] = ['m=application', 'a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:', 'a=mid:'];
const MAX_LINES = 64;

/** Null: it is no description of a channel. */
export function cleanDescription(sdp: string): string | null {
  const lines = sdp.split(/\r?\n/).slice(0, MAX_LINES);
  const kept = lines.filter(line => LINES.some(pattern => pattern.test(line)));
  if (kept.filter(line => line.startsWith('m=')).length !== 1) return null;
  if (!NEEDED.every(start => kept.some(line => line.startsWith(start)))) return null;
  return kept.map(line => `${line}\r\n`).join('');
}

/**
 * Of an offer: the offering end begins the DTLS handshake. It is the one whose checks end last, so its first message meets
 * an end that listens; the other way round that message would be lost, and be sent anew a second later.
 */
export const offererBegins = (sdp: string): string => sdp.replace('a=setup:actpass', 'a=setup:active');

/** What is told: without this box's own addresses. */
export const withoutAddresses = (sdp: string): string =>
  sdp.replaceAll(/^(c=IN IP)[46] .*?(\r?)$/gm, '$14 0.0.0.0$2').replaceAll(/^a=candidate:.*\r?\n/gm, '');

export const midOf = (sdp: string): string => /^a=mid:([\w-]{1,16})/m.exec(sdp)?.[1] ?? '0';
