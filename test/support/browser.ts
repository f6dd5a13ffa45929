// A household's browser: Debian's Chromium without a window. What its console complains of, what the page's own rules stop
// and what comes from elsewhere is kept, for a test to fail by.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { CHROMIUM, hasChromium } from './stranger-chromium.ts';

export type Screen = 'phone' | 'desk';
export type Scheme = 'light' | 'dark';
export type Language = 'en' | 'zh-CN';

export interface Look {
  readonly screen?: Screen;
  readonly scheme?: Scheme;
  readonly language?: Language;
  /** Pixels of the picture for each of the page; default 1. */
  readonly scale?: number;
  /** Things may glide; default no, so that a picture is what it will stay. */
  readonly motion?: boolean;
}

export interface BrowserOptions {
  /** A network namespace to be in; the test's own where not given. */
  readonly namespace?: string;
  /** What its camera sees: uncompressed video in a file (.y4m). */
  readonly camera?: string;
  /** SHA-256 of a public key (base64), whose certificate counts as good by whomever it is signed. */
  readonly trusted?: string;
  /** A name that leads to 127.0.0.1, as the home network's name service would. */
  readonly named?: string;
}

const cameraOf = (video: string): readonly string[] => [
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-video-capture=${video}`,
];

const SIZES: Readonly<Record<Screen, { width: number; height: number }>> = {
  phone: { width: 390, height: 844 },
  desk: { width: 1280, height: 800 },
};
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
/** An answer that refuses is logged by the browser as an error of its own; the page says it in words. */
const REFUSED =
  /^Failed to load resource: the server responded with a status of 4(00|01|03|09|13|22|23|29)\b/;
/** The page hung up, or its answer was cut by leaving it: no trouble of anybody. */
const LEFT = /ERR_ABORTED|ERR_NETWORK_CHANGED/;
const PATIENCE_MS = 15_000;

/** False: there is one. */
export const whyNoBrowser = (): string | false =>
  hasChromium() ? false : `there is no browser (${CHROMIUM}: apt-get install chromium)`;

export class Household {
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(browser: Browser, folder: string) {
    this.#browser = browser;
    this.#folder = folder;
  }

  static async open({ namespace, camera, trusted, named }: BrowserOptions = {}): Promise<Household> {
    const folder = mkdtempSync(join(tmpdir(), 'ginnel-browser-'));
    try {
      const executablePath = namespace === undefined ? CHROMIUM : withinNamespace(folder, namespace);
      const env = withFonts(folder);
      const trust = trusted === undefined ? [] : [`--ignore-certificate-errors-spki-list=${trusted}`];
      const known = named === undefined ? [] : [`--host-resolver-rules=MAP ${named} 127.0.0.1`];
      const args = [...ARGS, ...(camera === undefined ? [] : cameraOf(camera)), ...trust, ...known];
      const browser = await chromium.launch({ executablePath, args, env });
      return new Household(browser, folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A browser of its own, with no cookie of another's. */
  async visit(address: string, look: Look = {}): Promise<Visit> {
    const { screen = 'desk', scheme = 'light', language = 'en', scale = 1, motion = false } = look;
    const context = await this.#browser.newContext({
      viewport: SIZES[screen],
      colorScheme: scheme,
      locale: language,
      deviceScaleFactor: scale,
      isMobile: screen === 'phone',
      hasTouch: screen === 'phone',
      reducedMotion: motion ? 'no-preference' : 'reduce',
      acceptDownloads: true,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const complaints = listen(page, new URL(address).origin);
    await page.goto(address);
    return new Visit(page, complaints);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class Visit {
  readonly page: Page;
  /** What went wrong in the browser so far, in its words. */
  readonly complaints: readonly string[];

  constructor(page: Page, complaints: readonly string[]) {
    this.page = page;
    this.complaints = complaints;
  }

  /** What axe-core finds in the way of people: one line each, with the places. */
  async barriers(): Promise<string[]> {
    // Evaluated from outside, which the page's rules against foreign scripts do not concern.
    await this.page.evaluate(AXE.text());
    const { violations } = await this.page.evaluate<AxeResults>(
      'axe.run(document, { resultTypes: ["violations"] })',
    );
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(node => node.target.join(' ')).join('; ')}`,
    );
  }

  /** The screen as it is seen, or the whole page with `whole`. */
  async picture(file: string, { whole = false } = {}): Promise<Buffer> {
    return this.page.screenshot({ path: file, fullPage: whole, animations: 'disabled', caret: 'hide' });
  }

  /** The text that is seen. */
  async text(): Promise<string> {
    return this.page.innerText('body');
  }

  /** By how many pixels the page is wider than its screen. */
  async overhang(): Promise<number> {
    return Number(
      await this.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
    );
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

const AXE = {
  kept: '',
  text(): string {
    return (this.kept ||= readFileSync(
      createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
      'utf8',
    ));
  },
};

function listen(page: Page, origin: string): string[] {
  const complaints: string[] = [];
  page.on('console', message => {
    const text = message.text();
    if (message.type() === 'error' && !REFUSED.test(text)) complaints.push(`console: ${text}`);
  });
  page.on('pageerror', error => complaints.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('request', request => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url))
      complaints.push(`from elsewhere: ${url}`);
  });
  page.on('requestfailed', request => {
    const why = request.failure()?.errorText ?? '';
    if (!LEFT.test(why)) complaints.push(`failed: ${request.url()}: ${why}`);
  });
  return complaints;
}

/** A program that is Chromium in another network; what talks to it are inherited pipes. */
function withinNamespace(folder: string, namespace: string): string {
  const program = join(folder, 'chromium');
  writeFileSync(program, `#!/bin/sh\nexec ip netns exec ${namespace} ${CHROMIUM} "$@"\n`);
  chmodSync(program, 0o755);
  return program;
}

/** Letters as on a phone where they are installed; otherwise those of the machine. */
function withFonts(folder: string): Record<string, string> {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  // A test runner's loader is none of the browser's.
  delete environment['NODE_OPTIONS'];
  if (!existsSync('/etc/fonts/fonts.conf')) return environment;
  const file = join(folder, 'fonts.conf');
  const families = ['system-ui', 'sans-serif']
    .map(
      family => `<alias binding="strong"><family>${family}</family><prefer><family>Roboto</family>
      <family>WenQuanYi Micro Hei</family></prefer></alias>`,
    )
    .join('');
  writeFileSync(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
     <include>/etc/fonts/fonts.conf</include>${families}</fontconfig>`,
  );
  return { ...environment, FONTCONFIG_FILE: file };
}
