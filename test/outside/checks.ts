/** What somebody from outside tries on a server. Nothing here changes anything where the server is as it should be. */
import { randomBytes } from "node:crypto";
import { DEFAULT_LOGINS } from "./logins.ts";
import { ask, get, repliesIn, send } from "./wire.ts";
import type { RawReply, Target } from "./wire.ts";

/** One thing that is tried. */
export type Check = {
  readonly name: string;
  /** Returns: what is wrong, one line each; nothing where all is well. */
  run(target: OutsideTarget): Promise<string[]>;
};

/** A server, and what of it is known. */
export type OutsideTarget = Target & {
  /** The prefix of a `vod`, where files are. */
  readonly vod?: string;
  /** A stream that plays without any credentials. */
  readonly stream?: string;
  /** After how long it closes a connection on which nothing moves. Units: milliseconds. */
  readonly idleMs: number;
};

const API = "/streamer/api/v3";

/** Signs of what nobody should be told: a system file, the stack of an error, a path of the server's own. */
const LEAKS: readonly RegExp[] = [
  /root:[x*]:0:0/,
  /\n\s+at [^\n]+:\d+:\d+/,
  /node_modules/,
  /\/src\/[a-z]+\//,
];

function leaks(what: string, { body }: RawReply): string[] {
  return LEAKS.filter((sign) => sign.test(body)).map(
    (sign) => `${what}: the reply has ${sign.source} in it`,
  );
}

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500;
}

const CLIMBS = [
  "..",
  "%2e%2e",
  ".%2e",
  "%2e.",
  "..%2f..",
  "..%5c..",
  "%252e%252e",
  "..;",
  "%c0%ae%c0%ae",
  "..%00",
];

const traversal: Check = {
  name: "files outside the folders that are served",
  async run(target) {
    const wrong: string[] = [];
    const bases = ["", "/-", "/ui", API, ...(target.vod === undefined ? [] : [`/${target.vod}`])];
    for (const base of bases) {
      for (const climb of CLIMBS) {
        for (const end of ["etc/passwd", "etc/passwd/index.m3u8", "etc/passwd.mp4"]) {
          const path = `${base}/${`${climb}/`.repeat(8)}${end}`;
          const reply = await get(target, path);
          wrong.push(...leaks(path, reply));
          if (!isRefusal(reply.status)) wrong.push(`${path}: ${reply.status}`);
        }
      }
    }
    return wrong;
  },
};

/** A request that is hidden in another one: were it answered, there would be a reply more. */
const HIDDEN = "GET /hidden-request HTTP/1.1\r\nhost: example.com\r\n\r\n";

type Smuggling = { readonly what: string; readonly text: string; readonly mostReplies: number };

function post(headers: readonly string[], body: string): string {
  return ["POST /-/about HTTP/1.1", "host: example.com", ...headers, "", body].join("\r\n");
}

/** Spec: RFC 9112 sections 6.1, 6.3, 2.2, 5.1. */
const SMUGGLINGS: readonly Smuggling[] = [
  {
    what: "a length and chunks",
    text: post(["content-length: 5", "transfer-encoding: chunked"], `0\r\n\r\n${HIDDEN}`),
    mostReplies: 1,
  },
  {
    what: "two lengths",
    text: post(["content-length: 0", `content-length: ${HIDDEN.length}`], HIDDEN),
    mostReplies: 1,
  },
  {
    what: "a length with a sign",
    text: post([`content-length: +${HIDDEN.length}`], HIDDEN),
    mostReplies: 1,
  },
  {
    what: "a length of two numbers",
    text: post([`content-length: 0, ${HIDDEN.length}`], HIDDEN),
    mostReplies: 1,
  },
  { what: "a length below zero", text: post(["content-length: -1"], HIDDEN), mostReplies: 1 },
  {
    what: "a length beyond all numbers",
    text: post(["content-length: 99999999999999999999"], HIDDEN),
    mostReplies: 1,
  },
  { what: "chunks by another name", text: post(["transfer-encoding: xchunked"], HIDDEN), mostReplies: 1 },
  {
    what: "chunks twice",
    text: post(["transfer-encoding: chunked, chunked"], `0\r\n\r\n${HIDDEN}`),
    mostReplies: 1,
  },
  {
    what: "a space before the colon",
    text: post(["content-length : 0", `content-length: ${HIDDEN.length}`], HIDDEN),
    mostReplies: 1,
  },
  {
    what: "a folded header",
    text: post(["x: y", ` content-length: ${HIDDEN.length}`, "content-length: 0"], HIDDEN),
    mostReplies: 1,
  },
  {
    what: "chunks with a length that has a sign",
    text: post(["transfer-encoding: chunked"], `+0\r\n\r\n${HIDDEN}`),
    mostReplies: 1,
  },
  {
    what: "a body of a GET",
    text: `GET /-/streams HTTP/1.1\r\nhost: example.com\r\ncontent-length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
    mostReplies: 1,
  },
  {
    what: "a body of a GET in chunks",
    text: `GET /-/streams HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: chunked\r\n\r\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
    mostReplies: 1,
  },
  {
    what: "a body behind a media path",
    text: `GET /no/such/index.m3u8 HTTP/1.1\r\nhost: example.com\r\ncontent-length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
    mostReplies: 1,
  },
  {
    what: "a bare line end in a header",
    text: `GET /-/about HTTP/1.1\nhost: example.com\ncontent-length: ${HIDDEN.length}\n\n${HIDDEN}`,
    mostReplies: 1,
  },
  {
    what: "a bare return in a header",
    text: `GET /-/about HTTP/1.1\r\nhost: example.com\r\nx: a\rcontent-length: 5\r\n\r\n${HIDDEN}`,
    mostReplies: 2,
  },
];

const smuggling: Check = {
  name: "requests hidden in requests",
  async run(target) {
    const wrong: string[] = [];
    for (const { what, text, mostReplies } of SMUGGLINGS) {
      const answer = await send(target, [text], { limitMs: 1500 });
      const replies = repliesIn(answer.text);
      // That what follows is no request is said with 400, behind a reply, and the connection is closed.
      const answered = replies.filter(({ status }) => status !== 400);
      if (answered.length > mostReplies)
        wrong.push(`${what}: ${replies.length} replies, ${replies.map(({ status }) => status).join()}`);
      if (answer.text.includes("hidden-request")) wrong.push(`${what}: the hidden request was answered`);
      for (const reply of replies) if (reply.status >= 500) wrong.push(`${what}: ${reply.status}`);
    }
    return wrong;
  },
};

const slowHeads: Check = {
  name: "heads and bodies that come a byte a second",
  async run(target) {
    const limitMs = target.idleMs * 3 + 10_000;
    const drip = (first: string, rest: string) =>
      send(target, [first, ...Array.from({ length: Math.ceil(limitMs / 500) }, () => rest)], {
        limitMs,
        gapMs: 500,
      });
    const [head, headers, body] = await Promise.all([
      drip("GET / HT", "T"),
      drip("GET / HTTP/1.1\r\n", "a: b\r\n"),
      drip(
        `PUT ${API}/streams/outsider HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n`,
        "{",
      ),
    ]);
    const all = { "the first line": head, headers, "a body": body };
    return Object.entries(all).flatMap(([what, { isClosed, elapsedMs }]) =>
      isClosed ? [] : [`${what}: the connection is still open after ${Math.round(elapsedMs / 1000)} s`],
    );
  },
};

const oversized: Check = {
  name: "what is too large",
  async run(target) {
    const long = "a".repeat(200_000);
    const cases: Record<string, RawReply> = {
      "a path of 200 kB": await get(target, `/${long}`),
      "a query of 200 kB": await get(target, `/-/streams?a=${long}`),
      "a header of 200 kB": await get(target, "/-/streams", [`x: ${long}`]),
      "10 000 headers": await get(
        target,
        "/-/streams",
        Array.from({ length: 10_000 }, (_, i) => `x${i}: y`),
      ),
      "a token of 200 kB": await get(target, `/nobody/index.m3u8?token=${long}`),
      "a body of 20 MB for the API": await ask(
        target,
        [`PUT ${API}/streams/x HTTP/1.1`, "content-type: application/json", "content-length: 20000000"],
        long,
      ),
      "a name of 2000 signs": await get(target, `/${"b".repeat(2000)}/index.m3u8`),
      "10 000 ranges": await get(target, "/-/streams", [`range: bytes=${"0-1,".repeat(3000)}0-1`]),
    };
    return Object.entries(cases).flatMap(([what, reply]) => {
      const isHarmless = isRefusal(reply.status) || reply.status === 0 || what === "10 000 ranges";
      return [...(isHarmless ? [] : [`${what}: ${reply.status}`]), ...leaks(what, reply)];
    });
  },
};

const injection: Check = {
  name: "headers that are put in through names",
  async run(target) {
    const signs = [
      "%0d%0aset-cookie:%20a=b",
      "%0aset-cookie:%20a=b",
      "%0d%0a%0d%0a<script>",
      "%E5%98%8A%E5%98%8Dset-cookie:a",
    ];
    const paths = signs.flatMap((sign) => [
      `/${sign}`,
      `/a${sign}/index.m3u8`,
      `/a/archive-${sign}-now.m3u8`,
      `/a${sign}/embed.html`,
      `/a/index.m3u8?token=${sign}`,
      `${API}/streams/${sign}`,
      ...(target.stream === undefined ? [] : [`/${target.stream}/index.m3u8?token=${sign}`]),
    ]);
    const wrong: string[] = [];
    for (const path of paths) {
      const reply = await get(target, path);
      if (reply.headers.has("set-cookie")) wrong.push(`${path}: a header was put in`);
      const isText = /text\/html/.test(reply.headers.get("content-type") ?? "");
      if (isText && reply.body.includes("<script>") && !path.endsWith("embed.html"))
        wrong.push(`${path}: a script was put in`);
      if (reply.status >= 500) wrong.push(`${path}: ${reply.status}`);
    }
    return wrong;
  },
};

const GUARDED = [
  "/streams",
  "/sessions",
  "/config",
  "/config/stats",
  "/templates",
  "/vods",
  "/dvrs",
  "/auth_backends",
  "/event_sinks",
];

const withoutCredentials: Check = {
  name: "the API without credentials, or with those that everybody knows",
  async run(target) {
    const wrong: string[] = [];
    const paths = [
      ...GUARDED.map((path) => `${API}${path}`),
      ...GUARDED.map((path) => `/flussonic/api/v3${path}`),
    ];
    for (const path of [
      ...paths,
      "/flussonic/api/server",
      "/flussonic/api/media",
      "/flussonic/api/metrics",
    ]) {
      const { status } = await get(target, path);
      if (status !== 401 && status !== 403 && status !== 404) wrong.push(`GET ${path}: ${status}`);
    }
    const changes = [
      "PUT /streams/outsider",
      "DELETE /streams/outsider",
      "POST /streams/outsider/stop",
      "PUT /config",
      "POST /config",
      "POST /sessions/reauth?name=x",
    ];
    for (const change of changes) {
      const [method, path] = change.split(" ");
      const head = [
        `${method} ${API}${path} HTTP/1.1`,
        "content-type: application/json",
        "content-length: 2",
      ];
      const { status } = await ask(target, head, "{}");
      if (![401, 403, 404, 405].includes(status)) wrong.push(`${change}: ${status}`);
    }
    for (const login of DEFAULT_LOGINS) {
      const basic = `authorization: Basic ${Buffer.from(login).toString("base64")}`;
      const { status } = await get(target, `${API}/streams`, [basic]);
      // 0: who guesses is answered later and later, and has gone by then.
      if (![0, 401, 403, 404, 429].includes(status)) wrong.push(`${login} is let in: ${status}`);
    }
    return wrong;
  },
};

const headers: Check = {
  name: "headers that keep pages apart",
  async run(target) {
    const page = await get(target, "/", ["accept: text/html"]);
    const wrong: string[] = [];
    if (page.status === 200) {
      if (!/default-src|script-src/.test(page.headers.get("content-security-policy") ?? ""))
        wrong.push("the front page has no content-security-policy");
      if (page.headers.get("x-content-type-options") !== "nosniff")
        wrong.push("the front page may be sniffed");
      if (page.headers.get("referrer-policy") === undefined)
        wrong.push("the front page tells others where one was");
    }
    const api = await get(target, `${API}/streams`, ["origin: https://evil.example"]);
    if (api.headers.has("access-control-allow-origin")) wrong.push("pages of other sites may read the API");
    const crossSite = await ask(target, [
      `POST ${API}/streams/x/stop HTTP/1.1`,
      "sec-fetch-site: cross-site",
      "content-length: 0",
    ]);
    if (![401, 403, 404].includes(crossSite.status))
      wrong.push(`a form of another site: ${crossSite.status}`);
    const server = [page, api].map(
      (reply) => reply.headers.get("server") ?? reply.headers.get("x-powered-by"),
    );
    if (server.some((value) => /\d/.test(value ?? ""))) wrong.push("the version is told to everybody");
    return wrong;
  },
};

const methods: Check = {
  name: "methods that nobody needs",
  async run(target) {
    const wrong: string[] = [];
    for (const method of ["TRACE", "CONNECT", "PATCH", "PROPFIND", "DELETE", "PUT"]) {
      const { status, body } = await ask(target, [
        `${method} /nobody/index.m3u8 HTTP/1.1`,
        "content-length: 0",
        "x-secret: 4711",
      ]);
      if (status !== 0 && !isRefusal(status) && status !== 501) wrong.push(`${method}: ${status}`);
      if (body.includes("4711")) wrong.push(`${method}: the request is told back`);
    }
    return wrong;
  },
};

const garbage: Check = {
  name: "bytes that mean nothing",
  async run(target) {
    const wrong: string[] = [];
    const cases = [
      randomBytes(5000),
      Buffer.alloc(5000),
      Buffer.from("GET \u0000 HTTP/1.1\r\n\r\n"),
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      Buffer.from("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "latin1"),
    ];
    for (const [i, bytes] of cases.entries()) {
      const { text, isClosed } = await send(target, [bytes], { limitMs: target.idleMs * 3 + 10_000 });
      if (!isClosed) wrong.push(`case ${i}: the connection is still open`);
      if (/^HTTP\/1\.1 [25]/.test(text)) wrong.push(`case ${i}: ${text.slice(0, 30)}`);
    }
    return wrong;
  },
};

const stillThere: Check = {
  name: "the server is well behind it all",
  async run(target) {
    const { status } = await get(target, `${API}/monitoring/liveness`);
    return status === 200 ? [] : [`the liveness probe says ${status}`];
  },
};

/** All of them, in the order in which they run. */
export const CHECKS: readonly Check[] = [
  traversal,
  smuggling,
  oversized,
  injection,
  withoutCredentials,
  headers,
  methods,
  garbage,
  slowHeads,
  stillThere,
];
