// A router on a loopback address of its own, that speaks PCP, NAT-PMP and UPnP as a test wants it to: well, badly, or to attack.
// Beside it an attacker's host, which notes whoever comes.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

let made = 0;

export interface Datagram {
  readonly bytes: Buffer;
  /** To whoever asked, from this address and port. */
  readonly reply: (bytes: Uint8Array) => void;
  readonly from: RemoteInfo;
}

export class Host {
  readonly address: string;
  /** Whoever came: `udp 5351`, `http GET /path`. */
  readonly visits: string[] = [];
  readonly #closing: (() => void)[] = [];

  constructor(t: Test, last: number) {
    // One network for each test, so that they can run side by side, in other processes too.
    this.address = `127.${1 + (process.pid % 250)}.${made % 250}.${last}`;
    t.teardown(() => {
      for (const close of this.#closing) close();
    });
  }

  async udp(port: number, heard: (datagram: Datagram) => void): Promise<Socket> {
    const socket = createSocket('udp4');
    socket.bind(port, this.address);
    await once(socket, 'listening');
    socket.on('message', (bytes, from) => {
      this.visits.push(`udp ${port}`);
      heard({ bytes, from, reply: answer => socket.send(answer, from.port, from.address) });
    });
    this.#closing.push(() => socket.close());
    return socket;
  }

  /** Its port. */
  async http(listener: RequestListener, port = 0): Promise<number> {
    const server: Server = createServer((request, response) => {
      this.visits.push(`http ${request.method ?? ''} ${request.url ?? ''}`);
      listener(request, response);
    });
    server.on('connection', () => this.visits.push('connection'));
    server.listen(port, this.address);
    await once(server, 'listening');
    this.#closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }
}

export interface Home {
  readonly router: Host;
  readonly attacker: Host;
}

export function home(t: Test): Home {
  made++;
  return { router: new Host(t, 1), attacker: new Host(t, 66) };
}

// ---- what a good router answers

export const OUTSIDE = '5.5.5.5';

export interface PcpWords {
  readonly result?: number;
  readonly lifetimeS?: number;
  readonly epochS?: number;
  readonly nonce?: Buffer;
  readonly outerPort?: number;
  readonly outer?: readonly number[];
}

/** To an ANNOUNCE or MAP as it came; null: it is none of PCP. */
export function pcpAnswer(request: Buffer, words: PcpWords = {}): Buffer | null {
  if (request[0] !== 2) return null;
  const answer = Buffer.from(request);
  answer[1] = request[1]! | 0x80;
  answer[2] = 0;
  answer[3] = words.result ?? 0;
  answer.writeUInt32BE(words.lifetimeS ?? request.readUInt32BE(4), 4);
  answer.writeUInt32BE(words.epochS ?? 1000, 8);
  answer.fill(0, 12, 24);
  if (request.length < 60) return answer;
  words.nonce?.copy(answer, 24);
  answer.writeUInt16BE(words.outerPort ?? request.readUInt16BE(40), 42);
  Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...(words.outer ?? [5, 5, 5, 5])]).copy(answer, 44);
  return answer;
}

export interface NatPmpWords {
  readonly epochS?: number;
  readonly lifetimeS?: number;
  readonly outerPort?: number;
}

export function natPmpAnswer(request: Buffer, words: NatPmpWords = {}): Buffer | null {
  if (request[0] !== 0) return null;
  const opcode = request[1] ?? 0;
  const answer = Buffer.alloc(opcode === 0 ? 12 : 16);
  answer[1] = opcode | 0x80;
  answer.writeUInt32BE(words.epochS ?? 1000, 4);
  if (opcode === 0) Buffer.from([5, 5, 5, 5]).copy(answer, 8);
  else {
    answer.writeUInt16BE(request.readUInt16BE(4), 8);
    answer.writeUInt16BE(words.outerPort ?? request.readUInt16BE(4), 10);
    answer.writeUInt32BE(words.lifetimeS ?? request.readUInt32BE(8), 12);
  }
  return answer;
}

export const ssdpAnswer = (location: string, boot = '1'): Buffer =>
  Buffer.from(
    [
      'HTTP/1.1 200 OK',
      'CACHE-CONTROL: max-age=120',
      'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1',
      'USN: uuid:1::urn:schemas-upnp-org:device:InternetGatewayDevice:1',
      `LOCATION: ${location}`,
      `BOOTID.UPNP.ORG: ${boot}`,
      '',
      '',
    ].join('\r\n'),
  );

export const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1';

export const description = (controlURL: string, more = ''): string =>
  `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">${more}<device><deviceList><device><serviceList>` +
  `<service><serviceType>${SERVICE}</serviceType><controlURL>${controlURL}</controlURL><eventSubURL>/evt</eventSubURL></service>` +
  '</serviceList></device></deviceList></device></root>';

const envelope = (inner: string): string =>
  `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${inner}</s:Body></s:Envelope>`;

export const soapFault = (code: number): string =>
  envelope(
    `<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode></UPnPError></detail></s:Fault>`,
  );

export const soapAnswer = (action: string, values: Readonly<Record<string, string>> = {}): string =>
  envelope(
    `<u:${action}Response xmlns:u="${SERVICE}">${Object.entries(values)
      .map(([name, value]) => `<${name}>${value}</${name}>`)
      .join('')}</u:${action}Response>`,
  );

export interface Mapped {
  readonly client: string;
  readonly port: string;
  readonly lease: string;
}

/** A table of mappings behind SOAP, by `UDP 41641`. `refuses`: the number of UPnP's error to a try, or null. */
export function igd(
  table: Map<string, Mapped>,
  { calls = [], refuses = () => null, address = OUTSIDE }: IgdWords = {},
): RequestListener {
  return (request, response) => {
    if (request.method === 'GET') {
      response.end(description('/control'));
      return;
    }
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const action = /#(\w+)"$/.exec(String(request.headers['soapaction']))?.[1] ?? '';
      const value = (name: string): string => new RegExp(`<${name}>([^<]*)<`).exec(body)?.[1] ?? '';
      const key = `${value('NewProtocol')} ${value('NewExternalPort')}`;
      const asked = {
        client: value('NewInternalClient'),
        port: value('NewInternalPort'),
        lease: value('NewLeaseDuration'),
      };
      calls.push(
        action === 'GetExternalIPAddress'
          ? action
          : `${action} ${key}${asked.lease === '' ? '' : ` lease ${asked.lease}`}`,
      );
      const held = table.get(key);
      const fault = (code: number): void => void response.writeHead(500).end(soapFault(code));
      if (action === 'GetExternalIPAddress')
        response.end(soapAnswer(action, { NewExternalIPAddress: address }));
      else if (action === 'GetSpecificPortMappingEntry') {
        if (held === undefined) fault(714);
        else response.end(soapAnswer(action, { NewInternalPort: held.port, NewInternalClient: held.client }));
      } else if (action === 'AddPortMapping') {
        const code = refuses(key, asked);
        if (code !== null) {
          fault(code);
          return;
        }
        table.set(key, asked);
        response.end(soapAnswer(action));
      } else if (action === 'DeletePortMapping') {
        table.delete(key);
        response.end(soapAnswer(action));
      } else fault(401);
    });
  };
}

export interface IgdWords {
  readonly calls?: string[];
  readonly refuses?: (key: string, asked: Mapped) => number | null;
  readonly address?: string;
}
