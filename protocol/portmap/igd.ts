// UPnP's gateway device (IGD 1 and 2): which services its description offers, and the SOAP that is spoken with them.
import { accepted, refused, type Result } from '../result.ts';
import { placeAt, placeFrom, type HttpPlace } from './ssdp.ts';
import { childText, elementsOf, escapeXml, readXml, type XmlElement, type XmlRefusal } from './xml.ts';

/** Those that make mappings, the newest first. */
const SERVICES = [
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const;
const MAX_SERVICES = 4;

export interface IgdService {
  readonly type: string;
  readonly control: HttpPlace;
}

export type IgdRefusal = XmlRefusal | 'igd.elsewhere' | 'igd.no-service';

/** Of a description read at `at`; control places on other hosts are refused, whatever else it offers. */
export function servicesOf(xml: string, at: HttpPlace): Result<readonly IgdService[], IgdRefusal> {
  const root = readXml(xml);
  if (!root.ok) return root;
  const base = baseOf(root.value, at);
  if (base === null) return refused('igd.elsewhere');
  const offered = elementsOf(root.value, 'service').filter(service =>
    SERVICES.some(type => type === childText(service, 'serviceType')),
  );
  const services = offered.map(service => ({
    type: childText(service, 'serviceType'),
    control: placeFrom(childText(service, 'controlURL'), base),
  }));
  if (services.some(({ control }) => control === null)) return refused('igd.elsewhere');
  if (services.length === 0) return refused('igd.no-service');
  const rank = (type: string): number => SERVICES.findIndex(each => each === type);
  return accepted(
    services
      .flatMap(({ type, control }) => (control === null ? [] : [{ type, control }]))
      .sort((a, b) => rank(a.type) - rank(b.type))
      .slice(0, MAX_SERVICES),
  );
}

/** Old devices name a base; null: on another host. */
function baseOf(root: XmlElement, at: HttpPlace): HttpPlace | null {
  const base = childText(root, 'URLBase');
  return base === '' ? at : placeAt(base, at.host);
}

export type SoapArguments = readonly (readonly [name: string, value: string | number])[];

export function encodeSoap(service: string, action: string, args: SoapArguments): string {
  const inner = args.map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`).join('');
  return (
    '<?xml version="1.0"?>\r\n' +
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">' +
    `<s:Body><u:${action} xmlns:u="${service}">${inner}</u:${action}></s:Body></s:Envelope>\r\n`
  );
}

export type SoapAnswer =
  | { readonly kind: 'done'; readonly values: ReadonlyMap<string, string> }
  /** `code`: UPnP's number, 0 where it gave none. */
  | { readonly kind: 'fault'; readonly code: number };

export function decodeSoap(xml: string, action: string): Result<SoapAnswer, XmlRefusal> {
  const root = readXml(xml);
  if (!root.ok) return root;
  const body = root.value.children.find(({ name }) => name === 'Body');
  const answer = body?.children.find(({ name }) => name === `${action}Response`);
  if (answer !== undefined) {
    const values = answer.children.map(({ name, text }): [string, string] => [name, text]);
    return accepted({ kind: 'done', values: new Map(values) });
  }
  const fault = body?.children.find(({ name }) => name === 'Fault');
  if (fault === undefined) return refused('xml.syntax');
  const [code] = elementsOf(fault, 'errorCode');
  return accepted({ kind: 'fault', code: /^\d{1,4}$/.test(code?.text ?? '') ? Number(code?.text) : 0 });
}
