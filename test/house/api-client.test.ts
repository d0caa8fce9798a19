import assert from "node:assert/strict";
import { test } from "node:test";
import { openApiDocument } from "../../src/api/openapi.ts";
import { OPERATIONS } from "../../src/api/operations/all.ts";
import { apiClient } from "../../ui/api/client.ts";
import { CLIENT_FILE, renderApiClient } from "./api-client.ts";
import { projectFiles, readProjectFile } from "./tree.ts";

test("the types of the API's client are current (npm run docs writes them)", () => {
  const text = projectFiles().includes(CLIENT_FILE) ? readProjectFile(CLIENT_FILE) : "";
  const isCurrent = text === renderApiClient(openApiDocument(OPERATIONS, { version: "" }));
  assert.ok(isCurrent, `${CLIENT_FILE} is not current`);
});

test("the client asks at the address of an operation, and tells errors as they are", async () => {
  const asked: [string, RequestInit | undefined][] = [];
  const client = apiClient({
    base: "http://host/streamer/api/v3",
    authorization: "Basic eDp5",
    fetch: async (url, init) => {
      asked.push([url instanceof Request ? url.url : url.toString(), init]);
      if (asked.length === 1) return Response.json({ streams: [], estimated_count: 0 });
      if (asked.length === 2) return new Response(null, { status: 204 });
      const errors = [{ id: "1", status: "404", code: "stream_not_found", title: "there is none" }];
      return Promise.resolve(Response.json({ errors }, { status: 404 }));
    },
  });
  const list = await client("streamsList", { query: { limit: 3, "stats.status": "running" } });
  assert.equal(list.estimated_count, 0);
  assert.equal(await client("streamStop", { path: { name: "a/b c" } }), null);
  await assert.rejects(client("streamGet", { path: { name: "x" } }), {
    message: "there is none",
    status: 404,
    code: "stream_not_found",
  });
  assert.deepEqual(
    asked.map(([url, init]) => [init?.method, url]),
    [
      ["GET", "http://host/streamer/api/v3/streams?limit=3&stats.status=running"],
      ["POST", "http://host/streamer/api/v3/streams/a/b%20c/stop"],
      ["GET", "http://host/streamer/api/v3/streams/x"],
    ],
  );
});
