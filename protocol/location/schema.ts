// JSON Schemas of the location protocol: what is enforced on every message, with every length and count bounded.
// A message may carry fields this version does not know (they are ignored); what is signed or nested may not.

const KEY32 = '[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]';
const text = (pattern: string, maxLength: number): object => ({
  type: 'string',
  pattern: `^${pattern}$`,
  maxLength,
});
const list = (items: object, maxItems: number): object => ({ type: 'array', items, maxItems });
const whole = (minimum: number, maximum: number): object => ({ type: 'integer', minimum, maximum });
const orNull = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] });

/** A letter or digit at both ends, hyphens between, 1 to 63 characters: a DNS label. */
const NAME = text('[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?', 63);
/** Shown to people only: letters and digits of any script, blanks, `.`, `'`, `-`. */
const NETWORK_NAME = text("[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N} .'-]{0,62}", 126);
const NODE_ID = text(KEY32, 43);
const NETWORK = text('[A-Za-z0-9_-]{21}[AQgw]', 22);
const SIGNATURE = text('[A-Za-z0-9_-]{85}[AQgw]', 86);
const WIREGUARD_KEY = text('[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=', 44);
const TOKEN = text('[A-Za-z0-9_-]{22,43}', 43);
/** A letter or digit at both ends; an address of e-mail is one. */
const ACCOUNT = text('[A-Za-z0-9](?:[A-Za-z0-9._@+-]{0,61}[A-Za-z0-9])?', 63);
const PASSWORD = { type: 'string', minLength: 1, maxLength: 256 };
const KEEP_ALIVE = text(`[A-Za-z0-9_-]{16}\\.${KEY32}`, 60);
/** 16 KiB of bytes. */
const SEALED = text('[A-Za-z0-9_-]{2,21846}', 21_846);
const IP4 = { type: 'string', format: 'ip4', maxLength: 15 };
const IP6 = { type: 'string', format: 'ip6', maxLength: 39 };
const PREFIX = { type: 'string', format: 'prefix', maxLength: 43 };
const HOST_PORT = { type: 'string', format: 'hostPort', maxLength: 260 };
const CODE = text('[A-Za-z][A-Za-z0-9._-]{0,63}', 64);
const WORD = text('[a-z][a-z0-9-]{0,31}', 32);
const SAFE = Number.MAX_SAFE_INTEGER;
const TIME = whole(0, SAFE);
const REQUEST_ID = whole(1, SAFE);
const PORT = whole(1, 65_535);

function shape(properties: Record<string, object>, optional: readonly string[] = []): object {
  const required = Object.keys(properties).filter(name => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

function message(type: string, properties: Record<string, object>, optional: readonly string[] = []): object {
  const fixed = { type: { const: type }, ...properties };
  return { ...shape(fixed, optional), additionalProperties: true };
}

const CREDENTIAL = {
  type: 'object',
  required: ['kind'],
  oneOf: [
    shape({ kind: { const: 'account' }, account: ACCOUNT, password: PASSWORD }),
    shape({
      kind: { const: 'certificate' },
      chain: { ...list(text('[A-Za-z0-9_-]{2,5462}', 5462), 4), minItems: 1 },
      signature: text('[A-Za-z0-9_-]{2,1366}', 1366),
    }),
  ],
};

const ENDPOINT = {
  type: 'object',
  required: ['family', 'address', 'port'],
  oneOf: [
    shape({ family: { const: 4 }, address: IP4, port: PORT }),
    shape({ family: { const: 6 }, address: IP6, port: PORT }),
  ],
};

const CANDIDATES = list(
  shape({ kind: WORD, transport: WORD, endpoint: ENDPOINT, relay: NODE_ID }, ['relay']),
  16,
);

const RECORD = shape({
  v: { const: 1 },
  network: NETWORK,
  id: NODE_ID,
  name: NAME,
  wireguardKey: WIREGUARD_KEY,
  controlKey: NODE_ID,
  ip4: IP4,
  ip6: IP6,
  prefixes: list(PREFIX, 32),
  generation: whole(1, SAFE),
  expires: TIME,
  signature: SIGNATURE,
});

const ASSIGNMENT = shape({
  v: { const: 1 },
  network: NETWORK,
  id: NODE_ID,
  ip4: IP4,
  ip6: IP6,
  issued: TIME,
  signature: SIGNATURE,
});

const PLACES = shape({
  v: { const: 1 },
  network: NETWORK,
  serverKey: NODE_ID,
  addresses: { ...list(HOST_PORT, 8), minItems: 1 },
  moves: whole(0, SAFE),
  issued: TIME,
  signature: SIGNATURE,
});
const STANDING = shape({
  v: { const: 1 },
  network: NETWORK,
  id: NODE_ID,
  state: { enum: ['disabled', 'removed', 'member'] },
  at: TIME,
  signature: SIGNATURE,
});
const STANDINGS = list(STANDING, 64);
const DIGEST = text('[A-Za-z0-9_-]{64}', 64);
const SCOPE = { enum: ['public', 'private', 'shared', 'link-local', 'loopback', 'special'] };
const RULES = list(shape({ prefix: PREFIX, scope: SCOPE }), 64);

const SIGNED_NODE = shape({ record: RECORD, assignment: ASSIGNMENT });

const ENROLLED = shape({ id: NODE_ID, name: NAME, ip4: IP4, ip6: IP6, issued: TIME, lastSeen: orNull(TIME) });

const BITS = { type: 'number', minimum: 0, maximum: 1e15 };
const TCP_PLACES = list(shape({ node: SIGNED_NODE, places: { ...list(ENDPOINT, 4), minItems: 1 } }), 4);
const RELAY_OFFER = shape({
  limit: orNull(BITS),
  spare: orNull(BITS),
  nodes: whole(0, 1e6),
  mostNodes: whole(0, 1e6),
});
const RELAY_IN_USE = shape({
  node: NODE_ID,
  state: { enum: ['kept', 'measured', 'failed'] },
  rttMs: orNull({ type: 'number', minimum: 0, maximum: 600_000 }),
});

const REGISTRATION = shape({
  privateAddresses: list(ENDPOINT, 16),
  publicAddresses: list(ENDPOINT, 16),
  tcpPorts: list(PORT, 4),
  candidates: CANDIDATES,
  bandwidth: orNull(BITS),
  cpuLoad: orNull({ type: 'number', minimum: 0, maximum: 1 }),
  reachable: { enum: ['yes', 'no', 'not-checked'] },
  relay: orNull(RELAY_OFFER),
  region: text('[\\p{L}\\p{N}]?[\\p{L}\\p{M}\\p{N} ._-]{0,31}', 64),
  relays: list(RELAY_IN_USE, 16),
});

/** By message type: what nodes may send. */
export const nodeSchemas: Readonly<Record<string, object>> = {
  login: message(
    'login',
    {
      id: REQUEST_ID,
      network: NETWORK,
      node: NODE_ID,
      name: NAME,
      wireguardKey: WIREGUARD_KEY,
      controlKey: NODE_ID,
      proof: SIGNATURE,
      token: TOKEN,
      credential: CREDENTIAL,
      places: PLACES,
      localNetworks: list(PREFIX, 64),
    },
    ['token', 'credential', 'places'],
  ),
  publish: message('publish', { id: REQUEST_ID, record: RECORD }),
  register: message('register', { id: REQUEST_ID, registration: REGISTRATION }),
  lookup: {
    ...message(
      'lookup',
      {
        id: REQUEST_ID,
        address: { anyOf: [IP4, IP6] },
        node: NODE_ID,
        name: NAME,
        wireguardKey: WIREGUARD_KEY,
      },
      ['address', 'node', 'name', 'wireguardKey'],
    ),
    oneOf: ['address', 'node', 'name', 'wireguardKey'].map(field => ({ required: [field] })),
  },
  signal: message('signal', { id: REQUEST_ID, to: NODE_ID, sealed: SEALED }),
  standings: message('standings', { id: REQUEST_ID, digest: DIGEST, skip: whole(0, 65_536) }),
  bring: message('bring', { id: REQUEST_ID, standings: STANDINGS }),
  roll: message('roll', { id: REQUEST_ID, after: whole(0, SAFE) }),
  ping: message('ping', { id: REQUEST_ID }),
};

/** By message type: what the server may send. */
export const serverSchemas: Readonly<Record<string, object>> = {
  welcome: message(
    'welcome',
    {
      re: REQUEST_ID,
      network: NETWORK,
      networkName: NETWORK_NAME,
      assignment: ASSIGNMENT,
      prefix4: PREFIX,
      prefix6: PREFIX,
      stun: shape({ port: PORT, secondPort: orNull(PORT), alternates: list(HOST_PORT, 16) }),
      keepAlive: KEEP_ALIVE,
      addresses: list(HOST_PORT, 16),
      places: PLACES,
      serverTime: TIME,
      generation: whole(0, SAFE),
      name: orNull(NAME),
      standings: DIGEST,
      rules: RULES,
    },
    ['places'],
  ),
  done: message('done', { re: REQUEST_ID }),
  route: message('route', {
    re: REQUEST_ID,
    node: SIGNED_NODE,
    online: { type: 'boolean' },
    registration: orNull(REGISTRATION),
    tcp: list(ENDPOINT, 4),
    relays: TCP_PLACES,
    lastSeen: TIME,
  }),
  standings: message('standings', { re: REQUEST_ID, standings: STANDINGS, more: { type: 'boolean' } }),
  roll: message('roll', {
    re: REQUEST_ID,
    members: list(ENROLLED, 128),
    gone: list(NODE_ID, 128),
    whole: { type: 'boolean' },
    at: whole(0, SAFE),
    more: { type: 'boolean' },
  }),
  signal: message(
    'signal',
    { from: NODE_ID, node: SIGNED_NODE, sealed: SEALED, seen: list({ anyOf: [IP4, IP6] }, 8) },
    ['seen'],
  ),
  changed: message('changed', { node: SIGNED_NODE, online: { type: 'boolean' } }),
  standing: message('standing', { standing: STANDING }),
  renamed: message('renamed', { name: NAME }),
  rules: message('rules', { rules: RULES }),
  relays: message('relays', { keep: TCP_PLACES, measure: TCP_PLACES }),
  rerouted: message('rerouted', { node: NODE_ID, tcp: list(ENDPOINT, 4), relays: TCP_PLACES }),
  seen: message('seen', { endpoint: ENDPOINT }),
  places: message('places', { places: PLACES }),
  failure: message(
    'failure',
    {
      re: whole(0, SAFE),
      code: CODE,
      message: { type: 'string', maxLength: 1000 },
      facts: {
        type: 'object',
        maxProperties: 8,
        propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9]{0,31}$' },
        additionalProperties: { type: ['string', 'number'], maxLength: 300 },
      },
    },
    ['facts'],
  ),
};

const FORECAST = shape({
  address: IP4,
  port: PORT,
  step: orNull(whole(-4096, 4096)),
  drift: whole(0, 1024),
});
const METHOD = { enum: ['predict', 'birthday', 'tcp'] };

const pathSignal = (type: string): object =>
  message(
    type,
    {
      attempt: text('[A-Za-z0-9_-]{1,64}', 64),
      serial: whole(0, SAFE),
      candidates: CANDIDATES,
      nat: shape({ mapping: WORD, filtering: WORD, ports: text('[a-z0-9][a-z0-9 +-]{0,31}', 32) }),
      serverRttMs: orNull({ type: 'number', minimum: 0, maximum: 600_000 }),
      punch: shape({ can: list(METHOD, 8), method: METHOD, udp: FORECAST, tcp: FORECAST }, [
        'method',
        'udp',
        'tcp',
      ]),
    },
    ['punch'],
  );

/** Inside a sealed signal: what nodes say to each other, by type. */
export const signalSchemas: Readonly<Record<string, object>> = {
  offer: pathSignal('offer'),
  answer: pathSignal('answer'),
  transport: message('transport', {
    serial: whole(0, SAFE),
    transport: text('[a-z][a-z0-9-]{0,39}', 40),
    words: { type: 'string', minLength: 1, maxLength: 8192 },
  }),
};

export {
  ACCOUNT as accountSchema,
  NAME as nameSchema,
  NETWORK_NAME as networkNameSchema,
  RECORD as recordSchema,
  ASSIGNMENT as assignmentSchema,
  PLACES as placesSchema,
  STANDING as standingSchema,
  RULES as rulesSchema,
};
