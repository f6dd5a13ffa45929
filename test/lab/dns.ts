// A name server for a lab: answers A and SRV from a zone file that it reads at each question, so that a test can move names.
//   node dns.js ADDRESS ZONE.json      {"home.example.net": {"a": "203.0.113.1", "srv": 7443}}
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';

interface Entry {
  readonly a: string;
  /** The port that `_ginnel._tcp.NAME` says. */
  readonly srv?: number;
}

const [address = '', zoneFile = ''] = process.argv.slice(2);
const A = 1;
const SRV = 33;
const TTL_S = 1;

const socket = createSocket('udp4');
socket.on('message', (query, from) => {
  const reply = answer(query, JSON.parse(readFileSync(zoneFile, 'utf8')) as Record<string, Entry>);
  if (reply !== null) socket.send(reply, from.port, from.address);
});
socket.bind(53, address, () => process.stdout.write('ready\n'));

/** Null: no question. */
function answer(query: Buffer, zone: Readonly<Record<string, Entry>>): Buffer | null {
  const question = questionOf(query);
  if (question === null) return null;
  const { name, type, end } = question;
  const entry = zone[name.replace(/^_ginnel\._tcp\./, '')];
  const isService = name.startsWith('_ginnel._tcp.');
  const data =
    entry === undefined
      ? null
      : type === A && !isService
        ? Buffer.from(entry.a.split('.').map(Number))
        : type === SRV && isService && entry.srv !== undefined
          ? serviceOf(entry.srv, name.slice('_ginnel._tcp.'.length))
          : null;
  const head = Buffer.from(query.subarray(0, 12));
  // An answer, authoritative; an unknown name is told as such.
  head.writeUInt16BE(0x8580 | (entry === undefined ? 3 : 0), 2);
  head.writeUInt16BE(data === null ? 0 : 1, 6);
  head.fill(0, 8);
  const asked = query.subarray(12, end);
  if (data === null) return Buffer.concat([head, asked]);
  const record = Buffer.alloc(12);
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(type, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(TTL_S, 6);
  record.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, asked, record, data]);
}

function questionOf(query: Buffer): { name: string; type: number; end: number } | null {
  if (query.length < 17) return null;
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0 && length < 64; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  if (at + 5 > query.length) return null;
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function serviceOf(port: number, target: string): Buffer {
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(port, 4);
  const labels = target.split('.').flatMap(label => [Buffer.of(label.length), Buffer.from(label)]);
  return Buffer.concat([numbers, ...labels, Buffer.of(0)]);
}
