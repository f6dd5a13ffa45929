// How much the log says, for the whole daemon and for each of its parts; changed while it runs.
// `info`, or `info,node.paths=debug,server=warn`: a part's own word goes before that of the part it belongs to.

export const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type Level = (typeof LEVELS)[number];

const RULE = /^(?:(?<part>[a-z0-9.-]{1,64})=)?(?<level>debug|info|warn|error|silent)$/;
const MAX_RULES = 32;

export const isLevel = (text: string): text is Level => LEVELS.some(level => level === text);

export class LogLevels {
  #rules: ReadonlyMap<string, Level> = new Map([['', 'info']]);
  #changes = 0;

  constructor(text = 'info') {
    if (!this.set(text)) throw new TypeError(`no log level: ${text}`);
  }

  /** Grows with each change: what was looked up before it is stale. */
  get changes(): number {
    return this.#changes;
  }

  /** False, and nothing is changed, where the text does not say levels. */
  set(text: string): boolean {
    const rules = parse(text);
    if (rules === null) return false;
    this.#rules = rules;
    this.#changes++;
    return true;
  }

  of(part: string): Level {
    for (let name = part; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
      const level = this.#rules.get(name);
      if (level !== undefined) return level;
    }
    return this.#rules.get('') ?? 'info';
  }

  toString(): string {
    return [...this.#rules].map(([part, level]) => (part === '' ? level : `${part}=${level}`)).join(',');
  }
}

function parse(text: string): ReadonlyMap<string, Level> | null {
  const rules = new Map<string, Level>([['', 'info']]);
  const texts = text.split(',').map(one => one.trim());
  if (texts.length > MAX_RULES) return null;
  for (const one of texts) {
    const { part = '', level = '' } = RULE.exec(one)?.groups ?? {};
    if (!isLevel(level)) return null;
    rules.set(part, level);
  }
  return rules;
}
