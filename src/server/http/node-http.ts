/**
 * `node:http`, without what an `import` of it would load: making the named exports of a module touches every one of
 * them, and some bring the whole of `fetch` and WebSocket with them, 12 MB that no media thread needs.
 */
export const nodeHttp = process.getBuiltinModule("node:http");
