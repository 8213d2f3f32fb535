/** A template's value, and the names that it may use: a text, a number, or a text with `{{…}}` that is called. */
export type Template = string | number;

type Names = ReadonlyMap<string, Template>;

const MOST_GENERATED = 5_000_000;
/** Expressions that are worked out for one text: templates that call templates can ask for any number. */
const MOST_EXPRESSIONS = 256;

interface Budget {
  left: number;
}

/** @throws Error where it is not names with texts */
export function templatesOf(templates: unknown): Map<string, Template> {
  const entries = Object.entries((templates ?? {}) as object);
  const bad = entries.find(([, value]) => typeof value !== "string");
  if (bad) throw new Error(`template ${bad[0]} is no text`);
  return new Map(entries);
}

/**
 * A text with what stands in `{{…}}` worked out: names of templates, whole numbers, `+ - * // %`, brackets, and
 * templates called with named values, `{{f(c='text')}}`. Of Jinja2, which the specification names, the rest is refused.
 *
 * @throws Error saying what is not understood
 */
export function templated(text: string, names: Names, budget: Budget = { left: MOST_EXPRESSIONS }): string {
  if (!text.includes("{{")) return text;
  return text.replace(/\{\{(.*?)\}\}/gs, (_, inside: string) => {
    if (budget.left-- <= 0)
      throw new Error(`more than ${MOST_EXPRESSIONS} {{…}} would have to be worked out`);
    return String(new Expression(inside, names, budget).value());
  });
}

/** References that `gen` describes: one for each combination of its dimensions' values. */
export function generated(gen: unknown, templates: Names): [string, unknown[]][] {
  if (gen === undefined) return [];
  if (!Array.isArray(gen)) throw new Error('"gen" is no list');
  return gen.flatMap((rule) => oneRule(rule as GenRule, templates));
}

interface GenRule {
  key: string;
  url: string;
  offset?: string | number;
  length?: string | number;
  dimensions: Record<string, number[] | { start?: number; stop: number; step?: number }>;
}

function oneRule(rule: GenRule, templates: Names): [string, unknown[]][] {
  const { key, url, offset, length, dimensions } = rule;
  if (typeof key !== "string" || typeof url !== "string" || typeof dimensions !== "object")
    throw new Error('"gen" needs key, url and dimensions');
  let combinations: [string, number][][] = [[]];
  for (const [name, values] of Object.entries(dimensions)) {
    const all = Array.isArray(values) ? values : rangeOf(values);
    if (all.length * combinations.length > MOST_GENERATED)
      throw new Error(`"gen" makes more than ${MOST_GENERATED} keys`);
    combinations = combinations.flatMap((some) =>
      all.map((value): [string, number][] => [...some, [name, value]]),
    );
  }
  return combinations.map((values) => {
    const names = new Map([...templates, ...values]);
    const fill = (text: string | number) => templated(String(text), names);
    const part =
      offset === undefined || length === undefined ? [] : [Number(fill(offset)), Number(fill(length))];
    return [fill(key), [fill(url), ...part]];
  });
}

function rangeOf({ start = 0, stop, step = 1 }: { start?: number; stop: number; step?: number }): number[] {
  if (![start, stop, step].every(Number.isSafeInteger) || step === 0)
    throw new Error('a range in "gen" is none');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (count > MOST_GENERATED) throw new Error(`"gen" makes more than ${MOST_GENERATED} keys`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

const TOKEN = /\s*(\d+|[A-Za-z_]\w*|'[^']*'|"[^"]*"|\/\/|[-+*%(),=])/y;

/** What may stand between `{{` and `}}`, read and worked out at once. */
class Expression {
  readonly #text: string;
  readonly #tokens: string[];
  readonly #names: Names;
  readonly #budget: Budget;
  #at = 0;

  constructor(text: string, names: Names, budget: Budget) {
    this.#text = text;
    this.#names = names;
    this.#budget = budget;
    this.#tokens = tokensOf(text);
  }

  value(): Template {
    const value = this.#sum();
    if (this.#at < this.#tokens.length) throw this.#unknown();
    return value;
  }

  #sum(): Template {
    let value = this.#product();
    for (let sign = this.#take("+", "-"); sign; sign = this.#take("+", "-")) {
      const other = this.#number(this.#product());
      value = this.#number(value) + (sign === "+" ? other : -other);
    }
    return value;
  }

  #product(): Template {
    let value = this.#single();
    for (let sign = this.#take("*", "//", "%"); sign; sign = this.#take("*", "//", "%")) {
      const [a, b] = [this.#number(value), this.#number(this.#single())];
      if (sign !== "*" && b === 0) throw new Error(`{{${this.#text}}} divides by 0`);
      // As in Python: division goes down, and a remainder has the divisor's sign.
      value = sign === "*" ? a * b : sign === "//" ? Math.floor(a / b) : a - b * Math.floor(a / b);
    }
    return value;
  }

  #single(): Template {
    if (this.#take("-")) return -this.#number(this.#single());
    if (this.#take("(")) {
      const value = this.#sum();
      if (!this.#take(")")) throw this.#unknown();
      return value;
    }
    const token = this.#tokens[this.#at++] ?? "";
    if (/^\d/.test(token)) return Number(token);
    if (/^['"]/.test(token)) return token.slice(1, -1);
    const named = this.#names.get(token);
    if (named === undefined) throw this.#unknown();
    return this.#take("(") ? this.#call(String(named)) : named;
  }

  #call(template: string): string {
    const given = new Map(this.#names);
    while (!this.#take(")")) {
      const name = this.#tokens[this.#at++] ?? "";
      if (!this.#take("=")) throw this.#unknown();
      given.set(name, this.#sum());
      this.#take(",");
    }
    return templated(template, given, this.#budget);
  }

  #take(...signs: string[]): string | undefined {
    const next = this.#tokens[this.#at];
    return next !== undefined && signs.includes(next) ? this.#tokens[this.#at++] : undefined;
  }

  #number(value: Template): number {
    if (typeof value === "number") return value;
    throw new Error(`{{${this.#text}}} counts with a text`);
  }

  #unknown(): Error {
    return new Error(
      `{{${this.#text}}} is not understood: names of templates, whole numbers and + - * // % ( ) may stand there`,
    );
  }
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const source = text.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (!match) throw new Error(`{{${text}}} is not understood at "${source.slice(from, from + 10)}"`);
    tokens.push(match[1]!);
  }
  return tokens;
}
