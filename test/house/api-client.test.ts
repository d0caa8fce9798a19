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

test("events are there to be looped over as they come, and end with the loop or the signal", async () => {
  const sent: string[] = [];
  const leave = new AbortController();
  let signal: AbortSignal | null | undefined;
  const client = apiClient({
    base: "http://host",
    fetch: async (url, init) => {
      sent.push(String(url instanceof Request ? url.url : url));
      signal = init?.signal;
      const text = 'retry: 2000\n\n:\n\nid: 7\nevent: a\ndata: {"event":"a","event_id":7}\n\n';
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
        cancel: () => void sent.push("the loop was left"),
      });
      const headers = { "content-type": "text/event-stream; charset=utf-8" };
      return await Promise.resolve(new Response(body, { headers }));
    },
  });
  const query = { event: "play_*", last_event_id: 6 };
  for await (const one of await client("eventsFollow", { query, signal: leave.signal })) {
    assert.deepEqual([one.event, one.event_id], ["a", 7]);
    break;
  }
  assert.deepEqual(sent, ["http://host/events?event=play_*&last_event_id=6", "the loop was left"]);
  assert.equal(signal, leave.signal);
});
