// What can stand between this plugin and its work; its report carries the codes.
import { defineErrors } from '../../base/errors.ts';

export const portmapErrors = defineErrors({
  PORTMAP_NO_ANSWER: {
    what: 'The router passes no ports on by itself.',
    why: 'It answered neither PCP nor NAT-PMP nor UPnP: it cannot, or that is turned off.',
    todo: 'Nothing need be done. Where boxes are reached through others only, turn UPnP (often called "port sharing by devices") on in the router.',
    retry: true,
  },
  PORTMAP_REFUSED: {
    what: 'The router was asked to pass ports on to this box, and refused.',
    why: 'Its answer: {answer}.',
    todo: 'Allow this box to open ports in the router, or forward them by hand.',
    retry: true,
  },
  PORTMAP_DOUBLE_NAT: {
    what: 'The router passes ports on, but it is not reached from outside itself.',
    why: 'It has the address {router}, and this box is seen as {outside}: another router, or the provider, stands in front of it.',
    todo: 'Set one of two routers of your own to bridge mode, or let the outer one forward to the inner one. Where the provider shares addresses among its customers (CGNAT), ask it for a public address, or use IPv6.',
    retry: true,
  },
  PORTMAP_NO_OUTSIDE: {
    what: 'The router passes no ports on, because it has no address of its own on the internet.',
    why: 'Another router, or the provider, stands in front of it; or its line is down at the moment.',
    todo: 'If it is online: set one of two routers of your own to bridge mode. Where the provider shares addresses among its customers (CGNAT), ask it for a public address, or use IPv6.',
    retry: true,
  },
});
