// The times of path finding in one place, in ms. Measured grounds: NAT filters forget an unanswered opening after 30 s;
// a TCP transfer whose path broke should flow again within 5 s.

export const TIMING = {
  /** When a try's probes leave, counted from its first full one. */
  punchOffsets: [0, 20, 60, 140, 300, 500, 750, 1050, 1400, 1800, 2200, 2600, 3000],
  /** A try that found nothing is over so long after its last probe. */
  punchGrace: 500,
  /** The offerer's full probes follow its low-TTL openers by this much. */
  afterOpeners: 15,
  /** How long the answerer holds back its full probes: about the signalling time, within these bounds. */
  holdBackMin: 50,
  holdBackMax: 400,
  holdBackUnknown: 150,
  /** And so much longer where the offerer's first probe can get in and end the wait. */
  holdForProbe: 600,
  /** An offer without an answer is sent once more after this, and its rival (sent at the same time) answered instead. */
  answerWait: 1_000,
  rivalWait: 600,
  /** A try after a loss waits so long for a fresh mapped address before it makes its offer. */
  refreshWait: 300,
  /** An offer or answer waits so long for the measurement that it tells of. */
  measureWait: 500,
  /** Over TCP it takes a connection more. */
  measureTcpWait: 1_500,
  /** An answer without the measurement that it needed: the next try follows so soon. */
  emptyAnswer: 300,
  /** Beside a volley, known places are probed so much later: their mappings would take ports that were predicted. */
  plainBeside: 600,
  /** Data was sent and nothing heard for this long: probe quickly, at this spacing, and distrust at the last. */
  doubtAfter: 600,
  quickSpacing: 200,
  distrustAfter: 1_100,
  /** An idle path is probed this often (less some jitter), unless the mapping's lifetime asks for more. */
  keepAlive: 18_000,
  keepAliveMin: 5_000,
  keepAliveMax: 25_000,
  /** A path that was just found is measured so long after, too; the one in use, and the next best, regularly. */
  measureAfter: [200, 500, 1_000, 2_000, 4_000],
  measureEvery: 10_000,
  /** The next best path is kept warm; a path that was not heard for twice as long is forgotten. */
  warm: 25_000,
  forget: 60_000,
  /** Tries that failed are repeated after these, while somebody wants the peer. */
  retries: [2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000, 300_000],
  /** Somebody wants the peer: for so long after the last packet that asked for it. */
  wantedFor: 30_000,
  /** Without the server: this often while younger than. */
  lonely: [
    { youngerThan: 10_000, every: 1_000 },
    { youngerThan: 60_000, every: 5_000 },
    { youngerThan: Infinity, every: 15_000 },
  ],
  /** Candidates changed while the path is healthy: the peer is told at most this often. */
  betterTryEvery: 30_000,
  /** And a try that a change cuts short starts again at most this often. */
  restartEvery: 500,
} as const;

/** Hop limits of an opener: it opens our home's NAT, or this box's own firewall, and dies before theirs. */
export const OPENER_TTL = { behindNat: 2, atTheEdge: 1 } as const;
