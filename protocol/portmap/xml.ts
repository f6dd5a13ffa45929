// A reader for the little XML that UPnP speaks. It knows elements and text, and nothing by which XML can be made to bite: no
// document types, no entities but the five that need none declared, no namespaces (a prefix is dropped), no references to
// anything outside. Every size is bounded, and its time grows with the text alone.
import { accepted, refused, type Result } from '../result.ts';

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** Its own text, trimmed. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

export type XmlRefusal = 'xml.size' | 'xml.forbidden' | 'xml.entity' | 'xml.syntax';

export const MAX_XML_CHARACTERS = 128 * 1024;
const MAX_DEPTH = 24;
const MAX_ELEMENTS = 4_000;
const MAX_TAG = 2_048;
const NAME = /^(?:[A-Za-z_][\w.-]{0,63}:)?([A-Za-z_][\w.-]{0,63})(?=[\s/]|$)/;
const NUMBERED = /^#(?:\d{1,7}|x[\da-f]{1,6})$/i;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

interface Open {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

/** The root element. */
export function readXml(text: string): Result<XmlElement, XmlRefusal> {
  if (text.length > MAX_XML_CHARACTERS) return refused('xml.size');
  const stack: Open[] = [{ name: '', children: [], text: '' }];
  let elements = 0;
  let at = 0;
  while (at < text.length) {
    const tag = text.indexOf('<', at);
    const until = tag === -1 ? text.length : tag;
    const plain = decodeText(text.slice(at, until));
    if (plain === null) return refused('xml.entity');
    stack.at(-1)!.text += plain;
    if (tag === -1) break;
    const end = endOfTag(text, tag);
    if (typeof end === 'string') return refused(end);
    const kind = text[tag + 1];
    if (kind !== '?' && kind !== '!') {
      if (++elements > 2 * MAX_ELEMENTS || stack.length > MAX_DEPTH) return refused('xml.size');
      if (!take(stack, text.slice(tag + 1, end))) return refused('xml.syntax');
    }
    at = end + 1;
  }
  const [outside] = stack;
  const [root, ...more] = outside!.children;
  const isWhole = stack.length === 1 && root !== undefined && more.length === 0;
  return isWhole && outside!.text.replace('\ufeff', '').trim() === ''
    ? accepted(root)
    : refused('xml.syntax');
}

/** Where the tag, comment or instruction that opens there closes. */
function endOfTag(text: string, open: number): number | XmlRefusal {
  if (text.startsWith('<!--', open)) return closing(text, open + 4, '-->');
  if (text[open + 1] === '!') return 'xml.forbidden';
  if (text[open + 1] === '?') return closing(text, open + 2, '?>');
  let quote = '';
  for (let at = open + 1; at < text.length; at++) {
    if (at - open > MAX_TAG) return 'xml.size';
    const character = text[at]!;
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '<') return 'xml.syntax';
    else if (character === '>') return at;
  }
  return 'xml.syntax';
}

function closing(text: string, from: number, mark: string): number | XmlRefusal {
  const at = text.indexOf(mark, from);
  return at === -1 ? 'xml.syntax' : at + mark.length - 1;
}

/** `device`, `/device`, `device/`; false: it does not fit. */
function take(stack: Open[], tag: string): boolean {
  const isEnd = tag.startsWith('/');
  const name = NAME.exec(isEnd ? tag.slice(1) : tag)?.[1];
  if (name === undefined) return false;
  if (!isEnd) stack.push({ name, children: [], text: '' });
  if (!isEnd && !tag.endsWith('/')) return true;
  if (stack.length < 2) return false;
  const { name: open, text, children } = stack.pop()!;
  stack.at(-1)!.children.push({ name: open, text: text.trim(), children });
  return open === name;
}

/** Null: an entity that would have to be declared. Numbered characters are of no use to us: a question mark each. */
function decodeText(text: string): string | null {
  const [first = '', ...parts] = text.split('&');
  const decoded = parts.map(part => {
    const end = part.indexOf(';');
    const name = part.slice(0, Math.max(end, 0));
    const known = NUMBERED.test(name) ? '?' : Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
    return known === undefined ? null : known + part.slice(end + 1);
  });
  return decoded.includes(null) ? null : first + decoded.join('');
}

/** All elements of that name below, outermost first. */
export function elementsOf(root: XmlElement, name: string): XmlElement[] {
  const inside = root.children.flatMap(child => elementsOf(child, name));
  return root.name === name ? [root, ...inside] : inside;
}

export const childText = (element: XmlElement, name: string): string =>
  element.children.find(child => child.name === name)?.text ?? '';

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;' },
  ...{ '"': '&quot;', "'": '&apos;' },
};

export const escapeXml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, character => ESCAPES[character] ?? '');
