// Makes a fresh machine ready: Node checked, npm packages, build, and on Debian as root the system's packages.
//   node scripts/setup.cjs [demo | test | bench | screenshots]
// In the syntax of very old Nodes, so that one of those gets a sentence and not a syntax error.
'use strict';
var childProcess = require('child_process');
var crypto = require('crypto');
var fs = require('fs');
var path = require('path');

var ROOT = path.join(__dirname, '..');
var MODULES = path.join(ROOT, 'node_modules');
var STAMP = '.ginnel-lock-hash';
/** The slower door lies apart: it is compiled, and few need it. */
var SLOWER_DOOR = path.join(ROOT, 'optional/tuntap');
var OLDEST_NODE = [20, 19];

/** Tools (and files of test vectors) and the Debian packages they are in. */
var LAB = {
  setpriv: 'util-linux',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  flock: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  conntrack: 'conntrack',
  ping: 'iputils-ping',
};
var TESTS = {
  turnserver: 'coturn',
  turnutils_natdiscovery: 'coturn',
  miniupnpd: 'miniupnpd-nftables',
  socat: 'socat',
  iperf3: 'iperf3',
  tcpdump: 'tcpdump',
  nginx: 'nginx-light',
  openssl: 'openssl',
  'g++': 'g++',
  make: 'make',
  python3: 'python3',
  bash: 'bash',
  zsh: 'zsh',
  'wireguard-go': 'wireguard-go',
  wg: 'wireguard-tools',
  '/usr/share/gocode/src/github.com/flynn/noise/vectors.txt': 'golang-github-flynn-noise-dev',
  '/usr/lib/python3/dist-packages/cryptography_vectors/ciphers/ChaCha20Poly1305/openssl.txt':
    'python3-cryptography-vectors',
  '/usr/share/gocode/src/github.com/cloudflare/circl/dh/x25519/testdata/wycheproof_kat.json':
    'golang-github-cloudflare-circl-dev',
};
/** What the bench measures Ginnel beside, and how it measures. */
var BENCH = {
  iperf3: 'iperf3',
  ethtool: 'ethtool',
  openssl: 'openssl',
  'wireguard-go': 'wireguard-go',
  wg: 'wireguard-tools',
  nebula: 'nebula',
  'nebula-cert': 'nebula',
  openvpn: 'openvpn',
  edge: 'n2n',
  supernode: 'n2n',
  tincd: 'tinc',
};
/** A household's browser: large, and by itself, so that a machine that cannot have it lacks only what it shows. */
var BROWSER = { chromium: 'chromium' };
/** Letters as on a phone, and Chinese ones. */
var FONTS = {
  '/usr/share/fonts/truetype/roboto/unhinted/RobotoTTF/Roboto-Regular.ttf': 'fonts-roboto-unhinted',
  '/usr/share/fonts/truetype/wqy/wqy-microhei.ttc': 'fonts-wqy-microhei',
};
var PURPOSES = {
  build: [],
  demo: [LAB],
  bench: [LAB, BENCH],
  screenshots: [BROWSER, FONTS],
  test: [LAB, TESTS],
};
/** Without these it goes on, and says what is left out. */
var WISHED = { bench: BROWSER, test: BROWSER };

main(process.argv[2] || 'build');

function main(purpose) {
  var tools = PURPOSES[purpose];
  if (!tools) fail('setup.cjs knows ' + Object.keys(PURPOSES).join(', ') + ', not ' + purpose + '.');
  checkNode();
  checkPlatform(purpose);
  installModules();
  say('Building …');
  run('the build', process.execPath, ['scripts/build.mjs']);
  installTools(purpose, tools);
  if (WISHED[purpose]) installWished(WISHED[purpose]);
  if (purpose === 'test') installSlowerDoor();
}

function checkNode() {
  var have = process.versions.node.split('.').map(Number);
  var isOld = have[0] < OLDEST_NODE[0] || (have[0] === OLDEST_NODE[0] && have[1] < OLDEST_NODE[1]);
  if (!isOld) return;
  fail(
    'Ginnel needs Node ' +
      OLDEST_NODE.join('.') +
      ' or newer, and this is Node ' +
      process.versions.node +
      ': get one from https://nodejs.org/ or your distribution.',
  );
}

function checkPlatform(purpose) {
  if (purpose === 'build' || process.platform === 'linux') return;
  var words = 'Ginnel runs on Linux only, and this is ' + process.platform + '.';
  if (purpose === 'test') say(words + ' Tests that need it are skipped.');
  else fail(words);
}

function installModules() {
  if (isLink(MODULES)) return say('node_modules is a link, so its packages are left as they are.');
  if (isFresh(ROOT)) return;
  say('Fetching the npm packages …');
  run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
  stamp(ROOT);
}

/** Compiled once; where that does not work, its tests are skipped and say so. */
function installSlowerDoor() {
  if (process.platform !== 'linux' || isFresh(SLOWER_DOOR)) return;
  say('Compiling the slower door …');
  var env = Object.assign({}, process.env, headersBesideNode());
  var args = ['ci', '--no-audit', '--no-fund', '--prefix', SLOWER_DOOR];
  var ended = childProcess.spawnSync('npm', args, { cwd: ROOT, stdio: ['inherit', 2, 2], env: env });
  if (ended.status === 0) stamp(SLOWER_DOOR);
  else say('The slower door could not be compiled here: its tests are skipped.');
}

/** Node's own headers, where it came with them: else node-gyp fetches them. */
function headersBesideNode() {
  var prefix = path.join(path.dirname(fs.realpathSync(process.execPath)), '..');
  var there = fs.existsSync(path.join(prefix, 'include/node/node_api.h'));
  return there && !process.env.npm_config_nodedir ? { npm_config_nodedir: prefix } : {};
}

/** The stamp holds what was installed: no time lost when the lock file did not change. */
function isFresh(folder) {
  return readOr(path.join(folder, 'node_modules', STAMP), '').trim() === lockHash(folder);
}

function stamp(folder) {
  fs.writeFileSync(path.join(folder, 'node_modules', STAMP), lockHash(folder) + '\n');
}

function lockHash(folder) {
  var lock = fs.readFileSync(path.join(folder, 'package-lock.json'));
  return crypto.createHash('sha256').update(lock).digest('hex');
}

function installTools(purpose, groups) {
  if (process.platform !== 'linux') return;
  var missing = missingTools(groups);
  if (missing.length === 0) return explainRoot(purpose);
  if (isDebian() && isRoot()) {
    say('Installing ' + packagesOf(missing).join(', ') + ' …');
    apt(packagesOf(missing));
    missing = missingTools(groups);
    if (missing.length === 0) return;
  }
  var words = 'Missing here: ' + missing.map(describeTool).join(', ') + '.';
  var hint = isDebian()
    ? ' As root: apt-get install ' + packagesOf(missing).join(' ') + '.'
    : " The names in brackets are those of Debian's packages.";
  if (purpose === 'test') say(words + hint + ' Tests that need them are skipped.');
  else fail(words + hint);
}

function installWished(group) {
  if (process.platform !== 'linux') return;
  var missing = missingTools([group]);
  if (missing.length > 0 && isDebian() && isRoot()) {
    say('Installing ' + packagesOf(missing).join(', ') + ' …');
    aptCalls(packagesOf(missing)).forEach(function (args) {
      childProcess.spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env: quietly() });
    });
    missing = missingTools([group]);
  }
  if (missing.length > 0)
    say(
      'Missing here: ' + missing.map(describeTool).join(', ') + '. What needs it is left out, and says so.',
    );
}

function explainRoot(purpose) {
  if (isRoot() || purpose === 'build' || purpose === 'screenshots') return;
  if (purpose === 'test')
    say('Without root there are no network namespaces: tests that need them are skipped.');
  else fail('The ' + purpose + ' makes network namespaces, so it needs root: run it again with sudo.');
}

function apt(packages) {
  aptCalls(packages).forEach(function (args) {
    run('apt-get ' + args[0], 'apt-get', args, quietly());
  });
}

/** What apt-get is asked for, one after the other. */
function aptCalls(packages) {
  return [['update', '-qq'], ['install', '-y', '-qq', '--no-install-recommends'].concat(packages)];
}

function quietly() {
  return Object.assign({}, process.env, { DEBIAN_FRONTEND: 'noninteractive' });
}

function missingTools(groups) {
  var missing = [];
  groups.forEach(function (group) {
    Object.keys(group).forEach(function (tool) {
      if (!isInstalled(tool)) missing.push({ tool: tool, package: group[tool] });
    });
  });
  return missing;
}

function isInstalled(tool) {
  if (path.isAbsolute(tool)) return fs.existsSync(tool);
  var folders = (process.env.PATH || '').split(':').concat(['/usr/sbin', '/sbin']);
  return folders.some(function (folder) {
    return fs.existsSync(path.join(folder, tool));
  });
}

function packagesOf(missing) {
  var names = missing.map(function (item) {
    return item.package;
  });
  return names.filter(function (name, index) {
    return names.indexOf(name) === index;
  });
}

function describeTool(item) {
  return path.basename(item.tool) + ' (' + item.package + ')';
}

function run(what, file, args, env) {
  var ended = childProcess.spawnSync(file, args, {
    cwd: ROOT,
    stdio: ['inherit', 2, 2],
    env: env || process.env,
  });
  if (ended.error) fail(what + ' could not be started: ' + ended.error.message);
  if (ended.status !== 0) fail(what + ' failed: its own words are above.');
}

function isDebian() {
  return fs.existsSync('/etc/debian_version');
}

function isRoot() {
  return process.getuid && process.getuid() === 0;
}

function isLink(file) {
  try {
    return fs.lstatSync(file).isSymbolicLink();
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

function readOr(file, otherwise) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : otherwise;
}

function say(words) {
  console.error(words);
}

function fail(words) {
  say(words);
  process.exit(1);
}
