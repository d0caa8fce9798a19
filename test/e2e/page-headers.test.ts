/** Headers that keep pages of other sites out: of every page and the API, over HTTP/1.1, TLS and HTTP/2. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { selfSigned } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { ask, http2Client } from "../support/http2-client.ts";
import { startWeir } from "../support/weir.ts";

type Reply = { readonly status: number; readonly headers: IncomingHttpHeaders };
type Asked = { readonly method?: string; readonly headers?: Readonly<Record<string, string>> };

const API = "/streamer/api/v3/streams";
const LOGIN = `Basic ${Buffer.from("operator:a-password-of-our-own").toString("base64")}`;
const EVIL = "https://evil.example";

/** What each page may be shown in: by the policy's `frame-ancestors`. */
const PAGES: readonly (readonly [path: string, ancestors: string])[] = [
  ["/", "'self'"],
  ["/api", "'none'"],
  ["/pub/a/embed.html", "*"],
  ["/-/ui/player/player.js", "'none'"],
  ["/-/streams", "'none'"],
  ["/-/files", "'none'"],
  ["/-/about", "'none'"],
  ["/metrics", "'none'"],
  [API, "'none'"],
  ["/flussonic/api/v3/config/stats", "'none'"],
  ["/flussonic/api/server", "'none'"],
];

/** Requests that change something, and what they are answered when they come from another site. */
const CHANGES: readonly (readonly [string, Asked])[] = [
  ["a form of another site", { method: "POST", headers: { origin: EVIL } }],
  ["a sandboxed page", { method: "POST", headers: { origin: "null" } }],
  ["a browser that says cross-site", { method: "POST", headers: { "sec-fetch-site": "cross-site" } }],
  ["a page of a site beside", { method: "POST", headers: { "sec-fetch-site": "same-site" } }],
];

test("headers of pages", async (t) => {
  const httpsPort = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "weir-headers-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { cert, key } = selfSigned();
  await writeFile(join(folder, "tls.crt"), cert);
  await writeFile(join(folder, "tls.key"), key);
  const weir = await startWeir(t, {
    config: `edit_auth operator a-password-of-our-own;
https 127.0.0.1:${httpsPort} { certificate ${folder}/tls.crt; certificate_key ${folder}/tls.key; }
template pub { prefix pub; input publish://; }`,
  });

  function ofNode(
    make: typeof httpRequest | typeof httpsRequest,
    url: string,
    asked: Asked,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const options = { ...asked, agent: false, rejectUnauthorized: false } as const;
      const sent = make(url, options, (reply) => {
        reply.resume();
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers });
      });
      sent.on("error", reject).end();
    });
  }

  const ways = {
    "HTTP/1.1": (path: string, asked: Asked = {}): Promise<Reply> =>
      ofNode(httpRequest, weir.url(path), asked),
    "HTTP/1.1 over TLS": (path: string, asked: Asked = {}): Promise<Reply> =>
      ofNode(httpsRequest, `https://127.0.0.1:${httpsPort}${path}`, asked),
    "HTTP/2": async (path: string, { method = "GET", headers = {} }: Asked = {}): Promise<Reply> => {
      const client = http2Client(t, httpsPort);
      const reply = await ask(client, path, { ":method": method, ...headers });
      client.close();
      return reply;
    },
  };

  for (const [way, send] of Object.entries(ways)) {
    await t.test(`are there over ${way}`, async () => {
      for (const [path, ancestors] of PAGES) {
        const { status, headers } = await send(path, { headers: { authorization: LOGIN, origin: EVIL } });
        assert.equal(status, 200, path);
        const policy = String(headers["content-security-policy"]);
        assert.ok(policy.startsWith("default-src 'none'"), `${path}: ${policy}`);
        assert.ok(policy.endsWith(`frame-ancestors ${ancestors}`), `${path}: ${policy}`);
        assert.doesNotMatch(policy, /unsafe/, path);
        assert.equal(headers["x-content-type-options"], "nosniff", path);
        assert.equal(headers["access-control-allow-origin"], undefined, path);
        assert.equal(headers["set-cookie"], undefined, path);
        if (!String(headers["content-type"]).startsWith("text/html")) continue;
        assert.equal(headers["referrer-policy"], "same-origin", path);
        assert.match(String(headers["permissions-policy"]), /camera=\(\), microphone=\(\)/, path);
      }
    });

    await t.test(`let pages of other sites at media and not at the API over ${way}`, async () => {
      const preflight = {
        method: "OPTIONS",
        headers: {
          origin: EVIL,
          "access-control-request-method": "GET",
          "access-control-request-headers": "authorization",
        },
      };
      const media = await send("/pub/a/index.m3u8", preflight);
      assert.deepEqual([media.status, media.headers["access-control-allow-origin"]], [204, "*"]);
      for (const path of [
        API,
        "/flussonic/api/v3/config",
        "/flussonic/api/reload",
        "/streamer/api/v3/none",
      ]) {
        const { headers } = await send(path, preflight);
        const open = Object.keys(headers).filter((name) => name.startsWith("access-control-"));
        assert.deepEqual(open, [], path);
      }
      const refused = await send(API, { headers: { origin: EVIL } });
      assert.deepEqual([refused.status, refused.headers["access-control-allow-origin"]], [401, undefined]);
    });

    await t.test(`do not let a page of another site change anything over ${way}`, async () => {
      for (const [what, { method, headers }] of CHANGES) {
        const asked = { method: method!, headers: { ...headers, authorization: LOGIN } };
        assert.equal((await send("/streamer/api/v3/config/reload", asked)).status, 403, what);
        const byLink = { headers: asked.headers };
        assert.equal((await send("/flussonic/api/reload", byLink)).status, 403, `${what}, by GET`);
      }
    });
  }
});
