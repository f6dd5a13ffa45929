// One good request for each route of the interface, in an order that works: a route without one fails the tests.

export type Sample = readonly [method: string, path: string, body?: unknown];

export const SAMPLES: readonly Sample[] = [
  ['GET', '/v1/health'],
  ['GET', '/v1/counters'],
  ['POST', '/v1/logs', { lines: 10 }],
  ['POST', '/v1/bugreport', { mask: true }],
  ['POST', '/v1/metrics', {}],
  ['POST', '/v1/owner', {}],
  ['POST', '/v1/owner/reset', {}],
  ['POST', '/v1/restart', {}],
  ['POST', '/v1/server/up', { port: 7444, secondPort: null, networkName: 'home' }],
  ['GET', '/v1/server'],
  ['GET', '/v1/server/settings'],
  ['POST', '/v1/server/settings', { set: { 'second-port': null, advertise: ['home.example.net'] } }],
  ['POST', '/v1/server/invites', { validMs: 3_600_000, uses: null, approval: true, note: 'for Anna' }],
  ['GET', '/v1/server/invites'],
  ['POST', '/v1/server/invites/{id}/revoke', {}],
  ['POST', '/v1/server/export', { passphrase: 'correct horse', move: false }],
  ['POST', '/v1/server/import', { file: '{"ginnel":"server export"}', port: 7445 }],
  ['GET', '/v1/server/audit'],
  ['POST', '/v1/server/rules', { prefix: '198.18.0.0/15', scope: 'public' }],
  ['GET', '/v1/server/rules'],
  ['POST', '/v1/server/rules/unset', { prefix: '198.18.0.0/15' }],
  ['POST', '/v1/server/accounts', { name: 'anna', password: 'correct horse', boxes: 3 }],
  ['GET', '/v1/server/accounts'],
  ['POST', '/v1/server/accounts/{account}/password', { password: 'battery staple' }],
  ['POST', '/v1/server/accounts/{account}/remove'],
  ['POST', '/v1/server/certificates/issue', { name: 'attic', validMs: 3_600_000 }],
  ['GET', '/v1/server/certificates'],
  ['POST', '/v1/server/certificates/trust', { certificate: '-----BEGIN CERTIFICATE-----' }],
  ['POST', '/v1/server/certificates/authorities/{authority}/untrust', {}],
  ['POST', '/v1/server/certificates/{serial}/revoke', {}],
  ['POST', '/v1/node/up', { invite: 'ginnel:good', name: 'attic-nas' }],
  ['GET', '/v1/node/status'],
  ['GET', '/v1/node/counters'],
  ['GET', '/v1/node/settings'],
  ['POST', '/v1/node/settings', { set: { mtu: 1380 }, unset: ['card'] }],
  ['GET', '/v1/settings'],
  ['POST', '/v1/settings', { set: { 'log-level': 'debug' } }],
  ['GET', '/v1/node/peers/{peer}/why'],
  ['GET', '/v1/node/plugins'],
  ['GET', '/v1/node/plugins/{plugin}'],
  ['POST', '/v1/node/plugins/{plugin}/disable'],
  ['POST', '/v1/node/plugins/{plugin}/enable', {}],
  ['POST', '/v1/node/plugins/{plugin}/settings', { set: { portSamples: 4 }, unset: ['servers'] }],
  ['POST', '/v1/node/plugins/{plugin}/retry'],
  ['POST', '/v1/node/ping', { peer: 'cellar-router', count: 3 }],
  ['GET', '/v1/page/peers/{peer}/history'],
  ['POST', '/v1/page/peers/{peer}/speed', {}],
  ['GET', '/v1/node/relays'],
  ['GET', '/v1/server/relays'],
  ['GET', '/v1/server/relays/why/{node}'],
  ['GET', '/v1/server/nodes'],
  ['POST', '/v1/server/nodes/{node}/approve', {}],
  ['POST', '/v1/server/nodes/{node}/disable', {}],
  ['POST', '/v1/server/nodes/{node}/enable'],
  ['POST', '/v1/server/nodes/{node}/rename', { name: 'cellar-router' }],
  ['POST', '/v1/server/nodes/{node}/remove', {}],
  ['POST', '/v1/node/netcheck'],
  ['GET', '/v1/state/check'],
  ['POST', '/v1/backup', { passphrase: 'correct horse' }],
  ['POST', '/v1/restore', { file: '{"ginnel":"box backup"}', passphrase: 'correct horse' }],
  ['POST', '/v1/node/down', {}],
  ['POST', '/v1/server/down'],
];

/** With the made-up names in it. */
export const samplePath = (path: string): string =>
  path
    .replace('{peer}', 'cellar-router')
    .replace('{node}', 'cellar-router')
    .replace('{plugin}', 'nat-stun')
    .replace('{id}', '0a1b2c3d')
    .replace('{account}', 'anna');

/** Those that the page alone has, in an order that works. */
export const PAGE_SAMPLES: readonly Sample[] = [
  ['GET', '/v1/page/session'],
  ['POST', '/v1/page/owner', { password: 'correct horse' }],
  ['POST', '/v1/page/sign-in', { password: 'correct horse' }],
  ['POST', '/v1/page/password', { old: 'correct horse', new: 'battery staple' }],
  ['GET', '/v1/page/sessions'],
  ['GET', '/v1/page/certificate'],
  ['GET', '/v1/page/live'],
  ['POST', '/v1/page/sessions/{id}/end', {}],
  ['POST', '/v1/page/sign-out', {}],
];
