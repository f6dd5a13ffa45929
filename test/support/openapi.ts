// docs/openapi.yaml as a judge: does an answer fit what is written there? Strict: nothing undeclared passes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { repositoryRoot } from './repository.ts';

interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Response>>;
}

export interface CliAnswer {
  readonly schema: { readonly $ref: string };
  /** One JSON document a line. */
  readonly lines?: boolean;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
  /** What `--json` prints, by command: `server export`. */
  readonly 'x-cli': Readonly<Record<string, CliAnswer>>;
}

export const openapi = parse(readFileSync(join(repositoryRoot, 'docs/openapi.yaml'), 'utf8')) as Document;

/** `GET /v1/node/status`, with `{parameters}`. */
export const documentedRoutes: readonly string[] = Object.entries(openapi.paths).flatMap(
  ([path, operations]) => Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`),
);

/** The page's own are not on the sockets (but what it shows of a peer), and how it gets its owner is not on the page. */
export const socketRoutes = documentedRoutes.filter(route => !/ \/v1\/page\/(?!peers\/)/.test(route));
export const pageRoutes = documentedRoutes.filter(route => !route.includes(' /v1/owner'));

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
// The parts of the file that are no schemas.
for (const keyword of Object.keys(openapi)) ajv.addKeyword(keyword);
ajv.addSchema({ ...openapi }, 'openapi');

/** What is wrong with a value, by `#/components/schemas/Error` or any other place in the file; null: nothing. */
export function problemsOf(place: string, value: unknown): string | null {
  const id = `openapi${place}`;
  const validate = ajv.getSchema(id) ?? ajv.compile({ $ref: id });
  return validate(value) === true ? null : ajv.errorsText(validate.errors, { dataVar: 'answer' });
}

export interface Said {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** What is wrong with an answer to that route; null: nothing. */
export function problemsOfAnswer(route: string, { status, type, text }: Said): string | null {
  const [method = '', path = ''] = route.split(' ');
  const operation = openapi.paths[path]?.[method.toLowerCase()];
  const code = operation?.responses[String(status)] === undefined ? 'default' : String(status);
  const response = operation?.responses[code];
  if (response === undefined) return 'no such answer is described';
  const [mediaType = ''] = type.split(';');
  const base = response.$ref ?? `#/paths/${escaped(path)}/${method.toLowerCase()}/responses/${code}`;
  const shown =
    response.$ref === undefined ? response : openapi.components.responses[base.split('/').at(-1) ?? ''];
  if (shown?.content?.[mediaType] === undefined) return `${mediaType} is not described`;
  const place = `${base}/content/${escaped(mediaType)}/schema`;
  if (!mediaType.includes('json')) return problemsOf(place, text);
  const documents = mediaType.includes('ndjson') ? text.trimEnd().split('\n') : [text];
  for (const each of documents) {
    const problem = problemsOf(place, JSON.parse(each));
    if (problem !== null) return problem;
  }
  return null;
}

const escaped = (part: string): string =>
  encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

/** Object schemas that do not say whether they may hold more than is written: `#/components/schemas/X`. */
export function openObjects(schema: unknown = openapi.components.schemas, place = ''): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const isObject = 'type' in schema && schema.type === 'object';
  const own = isObject && !('additionalProperties' in schema) ? [place] : [];
  return [...own, ...Object.entries(schema).flatMap(([key, part]) => openObjects(part, `${place}/${key}`))];
}
