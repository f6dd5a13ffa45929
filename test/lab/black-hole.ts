// Rules for routers that lose every fragment and every word of ICMP about sizes, and for looking at SYNs.

/**
 * Counts the fragments that it loses, and large UDP that asks not to be fragmented. As such routers do, it lowers the MSS of ordinary TCP: the location server stays within
 * reach.
 */
export const BLACK_HOLE = `
table ip hole {
  counter fragments {
  }
  counter unfragmentable {
  }
  chain in {
    type filter hook prerouting priority -450; policy accept;
    ip protocol udp meta length > 1200 ip frag-off & 0x4000 != 0 counter name unfragmentable
    ip frag-off & 0x3fff != 0 counter name fragments drop
  }
  chain out {
    type filter hook output priority 0; policy accept;
    icmp type destination-unreachable drop
  }
  chain through {
    type filter hook forward priority -1; policy accept;
    icmp type destination-unreachable drop
    tcp flags & (syn | rst) == syn tcp option maxseg size set 1200
  }
}
table ip6 hole {
  counter fragments {
  }
  chain in {
    type filter hook prerouting priority -450; policy accept;
    exthdr frag exists counter name fragments drop
  }
  chain out {
    type filter hook output priority 0; policy accept;
    icmpv6 type packet-too-big drop
  }
  chain through {
    type filter hook forward priority -1; policy accept;
    icmpv6 type packet-too-big drop
    tcp flags & (syn | rst) == syn tcp option maxseg size set 1200
  }
}
`;

/** What comes from behind a box leaves with the box's own virtual address. */
export const BEHIND = `
table ip behind {
  chain post {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "ginnel*" masquerade
  }
}
`;

/** SYNs that come in by the card, by their MSS. */
export const SYNS = `
table ip syns {
  counter fitting {
  }
  counter others {
  }
  chain in {
    type filter hook prerouting priority -300; policy accept;
    iifname "ginnel*" tcp flags & (syn | ack) == syn jump sorted
  }
  chain sorted {
    tcp option maxseg size 1319 counter name fitting return
    counter name others
  }
}
`;
