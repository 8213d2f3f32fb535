/** /docs: one page that shows /openapi.json, with nothing loaded from elsewhere. */
import { createHash } from "node:crypto";

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem 1.5rem 4rem; color: #1a2a33; background: #fff }
h1 { margin-bottom: 0 } h2 { margin: 2.5rem 0 .5rem; text-transform: capitalize }
details { border: 1px solid #cfd8dc; border-radius: 6px; margin: .5rem 0 } summary { cursor: pointer; padding: .6rem .8rem }
details > div { padding: 0 1rem 1rem } code, pre { font: 14px/1.5 ui-monospace, monospace }
pre { background: #f3f6f7; padding: .8rem; overflow: auto; border-radius: 6px }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; color: #00607a }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e4eaec }
@media (prefers-color-scheme: dark) { body { background: #10181c; color: #dfe7ea } pre { background: #1a262c } details, td, th { border-color: #33444c } .method { color: #6cc7e0 } }
`;

const SCRIPT = `
const el = (tag, props, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((c) => c !== undefined && c !== ""));
  return node;
};
const resolve = (api, schema) => schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema;
const typeOf = (s) => s.enum ? s.enum.join(" | ") : s.anyOf ? s.anyOf.map(typeOf).join(" or ") : s.items ? "list of " + (s.items.type ?? "values") : [s.type ?? "any"].flat().join(" or ");
const table = (rows) => el("table", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((c) => el("td", {}, c)))));
const fields = (schema) => table(Object.entries(schema?.properties ?? {}).map(([name, s]) =>
  [el("code", { textContent: name + (schema.required?.includes(name) ? "" : "?") }), typeOf(s), s.description ?? ""]));
const content = (api, map) => Object.entries(map ?? {}).map(([type, { schema }]) => {
  const whole = resolve(api, schema) ?? {};
  const parts = whole.anyOf && !whole.type ? whole.anyOf : [whole];
  return el("div", {}, el("p", {}, el("code", { textContent: type })), ...parts.map((s) => s.properties ? fields(s) : el("p", { textContent: s.description ?? "" })));
});
const operation = (api, path, method, op) => el("details", {},
  el("summary", {}, el("span", { className: "method", textContent: method.toUpperCase() }), el("code", { textContent: path }), " \\u2014 " + (op.summary ?? "")),
  el("div", {},
    el("p", { textContent: op.description ?? "" }),
    ...(op.parameters?.length ? [el("h4", { textContent: "Parameters" }), table(op.parameters.map((p) => [el("code", { textContent: p.name + (p.required ? "" : "?") }), p.in, p.description ?? p.schema?.description ?? ""]))] : []),
    ...(op.requestBody ? [el("h4", { textContent: "Body" }), ...content(api, op.requestBody.content)] : []),
    ...Object.entries(op.responses ?? {}).flatMap(([status, r]) => [el("h4", { textContent: status + " " + (r.description ?? "") }), ...content(api, r.content)])));
fetch("openapi.json").then((r) => r.json()).then((api) => {
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, op] of Object.entries(methods)) {
      const tag = op.tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), operation(api, path, method, op)]);
    }
  const main = document.querySelector("main");
  main.replaceChildren(el("h1", { textContent: api.info.title + " " + api.info.version }), el("p", { textContent: api.info.description }));
  for (const [tag, nodes] of groups) main.append(el("h2", { textContent: tag }), ...nodes);
}).catch((error) => { document.querySelector("main").textContent = "Could not read openapi.json: " + error; });
`;

/** Lets the page run its own script and style and ask this server, nothing else. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `script-src '${sha256(SCRIPT)}'`,
  `style-src '${sha256(STYLE)}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export const DOCS_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>zarrsift API</title><style>${STYLE}</style></head>
<body><main>Reading openapi.json</main><script>${SCRIPT}</script></body></html>
`;

function sha256(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
