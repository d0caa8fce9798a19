import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import type { HttpRequest } from "../base/http-message.ts";
import { ASSETS, openPages } from "./pages.ts";
import type { Page, Pages } from "./pages.ts";

const UI = new URL("../../ui/", import.meta.url);

let pages: Pages;
before(async () => {
  pages = await openPages();
});

async function find(path: string): Promise<Page> {
  const page = await pages.find(path);
  assert.ok(page !== null, `there is no ${path}`);
  return page;
}

function header(page: Page, name: string): string | undefined {
  return page.headers.find(([candidate]) => candidate === name)?.[1];
}

async function text(path: string): Promise<string> {
  return new TextDecoder().decode((await find(path)).body);
}

const types: [path: string, type: string][] = [
  ["/", "text/html; charset=utf-8"],
  ["/demo/embed.html", "text/html; charset=utf-8"],
  ["/vod/films/a b \u00e9.mp4/embed.html", "text/html; charset=utf-8"],
  ["/-/ui/hls.min.js", "text/javascript; charset=utf-8"],
  ["/-/ui/player/player.js", "text/javascript; charset=utf-8"],
  ["/-/ui/shared/theme.css", "text/css; charset=utf-8"],
  ["/-/ui/shared/icon.svg", "image/svg+xml"],
];
for (const [path, type] of types) {
  test(`${path} is served as ${type}`, async () => {
    const page = await find(path);
    assert.equal(header(page, "content-type"), type);
    assert.equal(header(page, "x-content-type-options"), "nosniff");
    assert.equal(header(page, "cache-control"), "no-cache");
    assert.match(header(page, "etag")!, /^"[\w-]{22}"$/);
    if (page.gzip !== null) assert.deepEqual(gunzipSync(page.gzip), page.body);
  });
}

for (const path of [
  "/embed.html",
  "/-/embed.html",
  "/-/ui/x/embed.html",
  "/-/ui/",
  "/-/ui/player/embed.html",
  "/-/ui/home/index.html",
  "/-/ui/tsconfig.json",
  "/-/ui/player/probe.test.ts",
  "/-/ui/constructor",
  "/demo/index.m3u8",
  "/demo/EMBED.HTML",
  "",
]) {
  test(`${JSON.stringify(path)} is no page`, async () => assert.equal(pages.find(path), null));
}

test("all names have the same player page", async () =>
  assert.equal(await find("/a/embed.html"), await find("/b/c/embed.html")));

test("scripts are compressed, and tags are those of the bytes", async () => {
  const script = await find("/-/ui/hls.min.js");
  assert.ok(script.gzip!.length < script.body.length / 2);
  const again = await openPages();
  assert.equal(header((await again.find("/-/ui/hls.min.js"))!, "etag"), header(script, "etag"));
  assert.notEqual(header(await find("/"), "etag"), header(script, "etag"));
});

test("the player may be framed anywhere, the front page nowhere else, and neither runs inline script", async () => {
  const player = header(await find("/a/embed.html"), "content-security-policy")!;
  const front = header(await find("/"), "content-security-policy")!;
  assert.match(player, /frame-ancestors \*/);
  assert.match(player, /media-src 'self' blob:; worker-src 'self' blob:/);
  assert.match(front, /frame-src 'self'; frame-ancestors 'self'/);
  for (const policy of [player, front]) {
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|https?:/);
  }
});

test("the pages have no inline script, style or handler, and ask no other host", async () => {
  for (const path of ["/", "/a/embed.html"]) {
    const html = await text(path);
    assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:/i);
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/i);
  }
  for (const name of ASSETS) {
    const allowed = name.endsWith(".svg") ? "http://www.w3.org/2000/svg" : "";
    const addresses = (await text(`/-/ui/${name}`)).match(/https?:\/\/[\w./]+|@import|url\(/g) ?? [];
    assert.deepEqual(
      addresses.filter((address) => address !== allowed),
      [],
      name,
    );
  }
});

test("everything that a page refers to is served", async () => {
  for (const path of ["/", "/a/embed.html"]) {
    for (const [, address] of (await text(path)).matchAll(/(?:src|href)="(\/[^"]*)"/g))
      await find(address!);
  }
  for (const name of ASSETS.filter((asset) => asset.endsWith(".js"))) {
    for (const [, fixed, late, script] of (await text(`/-/ui/${name}`)).matchAll(
      /^(?:import|\} from|import .* from) "([^"]+)";$|\bimport\("(\.[^"]+\.js)"\)(?!\.)|"(\/-\/ui\/[^"]+)"/gm,
    )) {
      const specifier = fixed ?? late ?? script;
      await find(new URL(specifier!, `http://host/-/ui/${name}`).pathname);
    }
  }
});

test("every file for browsers is in the list, so that none is forgotten", async () => {
  const files = await readdir(UI, { recursive: true, withFileTypes: true });
  const meant = files
    .filter((file) => file.isFile() && /\.(?:js|css|svg)$/.test(file.name))
    .map((file) => join(file.parentPath, file.name).slice(UI.pathname.length));
  assert.deepEqual(meant.toSorted(), [...ASSETS]);
});

test("each page loads ahead all modules that it needs, and no other", async () => {
  for (const [path, folder] of [
    ["/", "home"],
    ["/a/embed.html", "player"],
  ] as const) {
    const html = await text(path);
    const names = (await readdir(new URL(`${folder}/`, UI))).filter((name) => name.endsWith(".js"));
    for (const name of names) assert.ok(html.includes(`"/-/ui/${folder}/${name}"`), `${folder}/${name}`);
  }
});

test("a reply carries body, compressed body and headers; what is no page gets none", async () => {
  const ask = (path: string) =>
    pages.reply({
      method: "GET",
      path,
      query: new URLSearchParams(),
      header: () => undefined,
      remoteAddress: "",
    } satisfies HttpRequest);
  const reply = (await ask("/demo/embed.html"))!;
  const page = await find("/demo/embed.html");
  assert.deepEqual([reply.status, reply.body, reply.headers], [200, [page.body], page.headers]);
  assert.equal(reply.gzip!(), page.gzip);
  assert.equal(
    (await ask("/-/ui/shared/icon.svg"))!.gzip === undefined,
    (await find("/-/ui/shared/icon.svg")).gzip === null,
  );
  assert.equal(ask("/demo/index.m3u8"), null);
});

test("an incomplete installation is an error that names the file", async (t) => {
  const empty = await mkdtemp(join(tmpdir(), "weir-pages-"));
  t.after(() => rm(empty, { recursive: true }));
  await assert.rejects(openPages({ uiDirectory: pathToFileURL(`${empty}/`) }), { code: "ENOENT" });
  const hlsScript = pathToFileURL(join(empty, "hls.min.js"));
  await assert.rejects(openPages({ hlsScript }), /hls\.min\.js/);
  await assert.rejects(openPages({ dashScript: pathToFileURL(join(empty, "dash.js")) }), /dash\.js/);
});

test("the script for HLS is the one of the hls.js package", async () => {
  const expected = await readFile(new URL(import.meta.resolve("hls.js/dist/hls.min.js")));
  assert.deepEqual(Buffer.from((await find("/-/ui/hls.min.js")).body), expected);
});

test("the player page itself refers to no engine: each is loaded when it is chosen", async () => {
  const html = await text("/a/embed.html");
  assert.doesNotMatch(html, /hls\.min|dash\.min|ui\/engines|ui\/live/);
  assert.match(new TextDecoder().decode((await find("/-/ui/dash.min.js")).body), /MediaPlayer/);
});
