import assert from "node:assert/strict";
import { test } from "node:test";
import { readProjectFile } from "../../../test/house/tree.ts";
import { openApiDocument } from "../../api/openapi.ts";
import { routeOf } from "../../api/operation.ts";
import type { ApiOperation } from "../../api/operation.ts";
import { OPERATIONS } from "../../api/operations/all.ts";
import { NO_SESSIONS } from "../../api/sessions-view.ts";
import { systemClock } from "../../base/clock.ts";
import { EMPTY_REPLY } from "./empty-reply.ts";
import { apiRoutes } from "./routes.ts";

/** Those that are answered where no schema is loaded. */
const ELSEWHERE = ["GET /config/stats", "GET /monitoring/liveness", "GET /monitoring/readiness"];

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
  const parts = { threads, clock: systemClock, config: fail, configOnDisk: fail, serverId: fail };
  return [
    ...apiRoutes({ ...parts, sessions: NO_SESSIONS, reload: null }).addresses,
    ...ELSEWHERE,
  ].toSorted();
}

test("every address is described, and every described address is there", () => {
  const described = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(described.toSorted(), addresses());
  const ids = OPERATIONS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test("more addresses are answered beside the others at the same paths, and described", async () => {
  const fail = (): never => assert.fail("nothing is asked");
  const threads = {
    askKeeper: fail,
    askAllToForget: fail,
    streams: fail,
    streamColumns: fail,
    streamDetails: fail,
    stopStream: fail,
  };
  const parts = { threads, clock: systemClock, config: fail, configOnDisk: fail, serverId: fail };
  const put: ApiOperation = {
    method: "PUT",
    path: "/streams/{name}",
    id: "streamPut",
    tag: "streams",
    summary: "Changes a stream",
    scope: "streams",
    reply: { status: 204, schema: null },
  };
  const more = [{ routes: [routeOf(put, () => EMPTY_REPLY)], operations: [put] }];
  const routes = apiRoutes({ ...parts, sessions: NO_SESSIONS, reload: null }, more);
  const ask = (method: string, path: string) =>
    routes.answer(
      { method, path, query: new URLSearchParams(), header: () => undefined, remoteAddress: "" },
      path,
      "edit",
    );
  assert.equal((await ask("PUT", "/streams/a/b"))?.status, 204);
  const described = await ask("GET", "/openapi.json");
  assert.match(Buffer.concat([...described!.body]).toString(), /"operationId":"streamPut"/);
});

test("the description has every address, each with its answers", () => {
  const { paths, components } = openApiDocument(OPERATIONS, { version: "1" });
  const told = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(told.toSorted(), addresses());
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
