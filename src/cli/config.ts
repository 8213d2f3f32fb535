import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { type Alias, type Document, LineCounter, parseDocument, visit } from "yaml";
import { messageOf } from "../errors.ts";
import type { AllowedPrefix, OpenOptions, S3Options, SourceOptions } from "../index.ts";
import type { Limits } from "../server/options.ts";
import { suggest, UsageError } from "./args.ts";
import { CONFIG_SCHEMA } from "./config-schema.ts";
import { allowedPlace } from "./reading.ts";

/** A collection that a configuration names. */
export interface ConfiguredSource {
  name: string;
  /** A path or URL, relative paths resolved, without `#ref`. */
  source: string;
  ref: string | undefined;
  options: OpenOptions & SourceOptions;
  /** Where its default fields are named: `file:line`. */
  fieldsAt?: string;
}

/** What a configuration file of `serve` may say. */
export interface Config {
  limits: Partial<Limits>;
  sources: ConfiguredSource[];
}

interface S3Setting {
  endpoint?: string;
  region?: string;
  path_style?: boolean;
  credentials?: { access_key_id_env: string; secret_access_key_env: string; session_token_env?: string };
}

interface CollectionSetting extends Pick<OpenOptions, "columns" | "fields" | "location"> {
  source: string;
  ref?: string;
  absent?: number[];
  s3?: S3Setting;
  virtual_chunks?: (S3Setting & { prefix: string })[];
}

/**
 * Reads `--config FILE`: YAML, which JSON is too, as `CONFIG_SCHEMA` says.
 *
 * @param env where the variables are that it names
 * @throws UsageError naming the file, the line, and what in it is wrong
 */
export function readConfig(file: string, env: Record<string, string | undefined> = process.env): Config {
  const lines = new LineCounter();
  const document = parsed(file, lines);
  const place = (path: readonly string[]) => `${file}:${lineOf(document, lines, path)}`;
  const content = contentOf(document, file, lines);
  const validate = new Ajv2020({ strict: false }).compile(CONFIG_SCHEMA);
  if (!validate(content)) {
    const { path, message } = wrong(validate.errors![0]!, content);
    throw new UsageError(`${place(path)}: ${message}`);
  }
  const { limits = {}, collections = {} } = content as {
    limits?: Partial<Limits>;
    collections?: Record<string, CollectionSetting>;
  };
  const sources = Object.entries(collections).map(([name, setting]) => {
    const reader = new Reader(env, (path) => place(["collections", name, ...path]));
    return reader.source(name, setting, dirname(file));
  });
  return { limits, sources };
}

function parsed(file: string, lines: LineCounter): Document.Parsed {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) throw new UsageError(`${file}:${lines.linePos(error.pos[0]).line}: ${error.message}`);
  return document;
}

/** What it says, aliases followed. @throws UsageError for one that leads nowhere, or too many */
function contentOf(document: Document.Parsed, file: string, lines: LineCounter): unknown {
  let last: Alias | undefined;
  visit(document, {
    Alias: (_, alias) => {
      last = alias;
      return alias.resolve(document) ? undefined : visit.BREAK;
    },
  });
  try {
    return document.toJS();
  } catch (error) {
    throw new UsageError(`${file}:${lines.linePos(last?.range?.[0] ?? 0).line}: ${messageOf(error)}`);
  }
}

/** The line of a setting, or of the nearest one around it. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly string[]): number {
  const steps = path.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  for (let depth = steps.length; depth > 0; depth--) {
    const node = document.getIn(steps.slice(0, depth), true) as
      | { range?: [number, number, number] }
      | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** Where and how something breaks the schema, in words. */
function wrong(error: ErrorObject, content: unknown): { path: string[]; message: string } {
  const { keyword, params } = error;
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (keyword === "additionalProperties") {
    const other = String(params.additionalProperty);
    const known = knownAt(path);
    const list = known.length > 0 ? `${suggest(other, known)} (known: ${known.join(", ")})` : "";
    return { path: [...path, other], message: `unknown setting ${other}${list}` };
  }
  const name = path.join(".") || "the file";
  if (keyword === "required") return { path, message: `${name} needs ${params.missingProperty}` };
  if (keyword === "propertyNames" || error.propertyName !== undefined)
    return {
      path,
      message: `${name} may not be named ${JSON.stringify(error.propertyName ?? params.propertyName)}`,
    };
  const value = path.reduce<unknown>((inside, part) => (inside as Record<string, unknown>)?.[part], content);
  return { path, message: `${name} ${error.message}, not ${JSON.stringify(value)}` };
}

/** Names of the settings that an object may have. */
function knownAt(path: readonly string[]): string[] {
  interface Node {
    properties?: Record<string, Node>;
    additionalProperties?: Node | boolean;
    items?: Node;
  }
  let node: Node = CONFIG_SCHEMA as Node;
  for (const part of path) {
    const any = typeof node.additionalProperties === "object" ? node.additionalProperties : undefined;
    node = node.properties?.[part] ?? node.items ?? any ?? {};
  }
  return Object.keys(node.properties ?? {});
}

/** Settings of one collection as options; `place` tells a setting's line. */
class Reader {
  readonly #env: Record<string, string | undefined>;
  readonly #place: (path: string[]) => string;

  constructor(env: Record<string, string | undefined>, place: (path: string[]) => string) {
    this.#env = env;
    this.#place = place;
  }

  source(name: string, setting: CollectionSetting, folder: string): ConfiguredSource {
    const { source, ref, absent, columns, fields, location } = setting;
    const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(source);
    const options = {
      name,
      absent,
      ...(columns && { columns }),
      ...(fields && { fields }),
      ...(location && { location }),
      ...(setting.s3 && { s3: this.#s3(setting.s3, ["s3"]) }),
      virtualChunks: setting.virtual_chunks?.map((one, i): AllowedPrefix => {
        const prefix = allowedPlace(one.prefix, folder);
        return { prefix, ...this.#s3(one, ["virtual_chunks", String(i)]) };
      }),
    };
    const fieldsAt = this.#place(["fields"]);
    return { name, source: isUrl ? source : resolve(folder, source), ref, options, fieldsAt };
  }

  #s3({ endpoint, region, path_style, credentials: names }: S3Setting, path: string[]): S3Options {
    const value = (variable: keyof NonNullable<typeof names>) =>
      this.#variable(names![variable], [...path, "credentials", variable]);
    const credentials = names && {
      accessKeyId: value("access_key_id_env")!,
      secretAccessKey: value("secret_access_key_env")!,
      sessionToken: value("session_token_env"),
    };
    return { endpoint, region, pathStyle: path_style, credentials };
  }

  #variable(name: string | undefined, path: string[]): string | undefined {
    if (name === undefined || this.#env[name]) return name && this.#env[name];
    throw new UsageError(`${this.#place(path)}: the environment variable ${name} is not set`);
  }
}
