import assert from "node:assert/strict";
import { test } from "node:test";
import { readProjectFile } from "../../../test/house/tree.ts";
import { openApiDocument } from "../../api/openapi.ts";
import { OPERATIONS } from "../../api/operations/all.ts";
import { NO_SESSIONS } from "../../../test/support/session-service.ts";
import { systemClock } from "../../base/clock.ts";
import { apiRoutes } from "./routes.ts";

/** Those that are answered where no schema is loaded. */
const ELSEWHERE = [
  "GET /config/stats",
  "GET /monitoring/metrics",
  "GET /monitoring/liveness",
  "GET /monitoring/readiness",
];

function addresses(): string[] {
  const fail = (): never => assert.fail("nothing is asked");
  const threads = {
    askKeeper: fail,
    askAllToForget: fail,
    streams: fail,
    streamColumns: fail,
    streamDetails: fail,
    stopStream: fail,
  };
  const onDisk = { configOnDisk: fail, settingsOnDisk: fail, filesRead: fail };
  const parts = { threads, clock: systemClock, config: fail, ...onDisk, serverId: fail, selectInput: fail };
  const events = { follow: fail, recent: fail };
  return [
    ...apiRoutes({ ...parts, sessions: NO_SESSIONS, reload: null, events, editor: null }).addresses,
    ...ELSEWHERE,
  ].toSorted();
}

test("every address is described, and every described address is there", () => {
  const described = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(described.toSorted(), addresses());
  const ids = OPERATIONS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test("the description has every address, each with its answers", () => {
  const { paths, components } = openApiDocument(OPERATIONS, { version: "1" });
  const told = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(told.toSorted(), addresses());
  const text = JSON.stringify({ paths, components });
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]*)"/g))
    assert.ok(Object.hasOwn(components.schemas, name!), `${name} leads nowhere`);
  assert.equal(text.match(/"\$ref"/g)?.length, text.match(/"\$ref":"#\/components\/schemas\//g)?.length);
  assert.ok(Object.hasOwn(components.schemas, "Stream") && Object.hasOwn(components.schemas, "Error"));
});

test("docs/api.md has every address, and no others", () => {
  const rows = readProjectFile("docs/api.md").matchAll(/^\| `(\/[^`]+)` \| ([A-Z, ]+) \|/gm);
  const documented = [...rows].flatMap(([, path, methods]) => {
    const pattern = path!.replaceAll(/NAME|ID|PREFIX|SUBPATH|\bI\b/g, (word) => `{${word.toLowerCase()}}`);
    return methods!.split(", ").map((method) => `${method} ${pattern}`);
  });
  assert.deepEqual(documented.toSorted(), addresses());
});
