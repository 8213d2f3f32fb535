/** The HTTP server: `buildApp(options)` makes a Fastify application, ready to listen. */
export { buildApp } from "./app.ts";
export { type AppOptions, DEFAULT_LIMITS, type Limits, type SourceCount } from "./options.ts";
