import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import { jsonReply } from "../base/http-message.ts";
import type { ApiGrant } from "./access.ts";
import { ApiRoutes } from "./routes.ts";
import type { ApiRoute } from "./routes.ts";

function route(method: ApiRoute["method"], path: string, more: Partial<ApiRoute> = {}): ApiRoute {
  return { method, path, handle: ({ params }) => jsonReply(200, params), ...more };
}

const routes = new ApiRoutes([
  route("GET", "/streams/{name}", { scope: "streams" }),
  route("PUT", "/streams/{name}"),
  route("POST", "/streams/{name}/stop", { scope: "streams" }),
  route("GET", "/reload", { scope: "config", changes: true }),
]);

async function ask(method: string, path: string, grant: ApiGrant | "edit" | "view"): Promise<HttpReply> {
  const request: HttpRequest = {
    method,
    path,
    query: new URLSearchParams(),
    header: () => undefined,
    remoteAddress: "192.0.2.1",
  };
  return (await routes.answer(request, path, grant)) ?? jsonReply(404, null);
}

function codeOf({ headers }: HttpReply): string | undefined {
  return headers.find(([name]) => name === "x-error-code")?.[1];
}

const TABLE: readonly (readonly [string, string, string, ApiGrant["access"], string | number])[] = [
  ["view", "GET", "/streams/a/b", "view", 200],
  ["view", "POST", "/streams/a/stop", "view", "API_READ_ONLY"],
  ["edit", "POST", "/streams/a/stop", "edit", 200],
  ["edit", "PUT", "/streams/a", "edit", 200],
  ["edit", "PUT", "/streams/a/stop", "edit", "API_METHOD"],
  ["streams", "GET", "/streams/a", "view", 200],
  ["streams", "POST", "/streams/a/stop", "edit", 200],
  ["streams", "PUT", "/streams/a", "edit", "API_SCOPE"],
  ["metrics", "GET", "/streams/a", "view", "API_SCOPE"],
  ["view,sessions", "POST", "/streams/a/stop", "edit", "API_SCOPE"],
  ["view", "GET", "/reload", "view", "API_READ_ONLY"],
  ["view,streams", "GET", "/reload", "edit", "API_SCOPE"],
  ["config", "GET", "/reload", "edit", 200],
  ["", "GET", "/streams/a", "edit", "API_SCOPE"],
];
for (const [scopes, method, path, access, want] of TABLE)
  test(`a token of scope "${scopes}" that may ${access}: ${method} ${path} is ${want}`, async () => {
    const reply = await ask(method, path, {
      access,
      scopes: scopes.split(",").filter((one) => one !== ""),
    });
    assert.equal(typeof want === "number" ? reply.status : codeOf(reply), want);
  });

test("a login without scopes is as its access", async () => {
  assert.equal((await ask("GET", "/streams/a", "view")).status, 200);
  assert.equal(codeOf(await ask("PUT", "/streams/a", "view")), "API_READ_ONLY");
  assert.equal((await ask("PUT", "/streams/a", "edit")).status, 200);
});
