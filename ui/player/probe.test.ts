import assert from "node:assert/strict";
import { test } from "node:test";
import { probeMpd, probePlaylist } from "./probe.js";

const URL_ = "http://host/pub/camera/index.m3u8?token=t";
const MULTIVARIANT = '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="avc1.42c01e,mp4a.40.2"\ntracks-v1a1/mono.m3u8\n';
const LIVE = "#EXTM3U\n#EXTINF:4,\n1.m4s\n";

/** A server that answers with these, in order. */
function answering(...answers: (Response | Error)[]) {
  const asked: string[] = [];
  const fetcher = (url: string | URL | Request): Promise<Response> => {
    asked.push(new Request(url).url);
    const answer = answers.shift() ?? new Error("asked too often");
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { asked, probe: () => probePlaylist(URL_, new AbortController().signal, fetcher) };
}

function text(body: string, status: number, headers: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

test("a stream is there when both of its playlists are", async () => {
  const { asked, probe } = answering(new Response(MULTIVARIANT), new Response(LIVE));
  assert.deepEqual(await probe(), {
    finding: "there",
    status: 200,
    reason: "",
    codecs: ["avc1.42c01e", "mp4a.40.2"],
    newest: "1.m4s",
  });
  assert.deepEqual(asked, [URL_, "http://host/pub/camera/tracks-v1a1/mono.m3u8"]);
});

test("a stream whose media playlist is missing is missing", async () => {
  const { finding, reason } = await answering(new Response(MULTIVARIANT), text("gone", 404)).probe();
  assert.deepEqual([finding, reason], ["missing", "gone"]);
});

const playlists: [name: string, body: string, finding: string][] = [
  ["a media playlist alone", LIVE, "there"],
  ["a complete media playlist", `${LIVE}#EXT-X-ENDLIST\n`, "ended"],
  ["a media playlist without segments", "#EXTM3U\n", "starting"],
  ["something else", "<html>hello</html>", "rejected"],
];
for (const [name, body, finding] of playlists) {
  test(`${name} is found "${finding}"`, async () =>
    assert.equal((await answering(new Response(body)).probe()).finding, finding));
}

const refusals: [status: number, code: string | null, finding: string][] = [
  [404, "STREAM_NOT_ON_AIR", "waiting"],
  [503, "STREAM_STARTING", "starting"],
  [404, "VOD_NOT_FOUND", "no-file"],
  [403, "STREAM_DISABLED", "disabled"],
  [422, "MP4_NO_MOOV", "unservable"],
  [404, null, "missing"],
];
for (const [status, code, finding] of refusals) {
  test(`HTTP ${status} with the code ${code} is found "${finding}", with the server's words`, async () => {
    const answer = text("because\n", status, code === null ? {} : { "x-error-code": code });
    const found = await answering(answer).probe();
    assert.deepEqual(found, { finding, status, reason: "because", codecs: [], newest: "" });
  });
}

test("the server's words are one short line of plain text", async () => {
  const html = new Response("<h1>Bad gateway</h1>", {
    status: 502,
    headers: { "content-type": "text/html" },
  });
  assert.equal((await answering(html).probe()).reason, "");
  const long = await answering(text(`a\nb\u202e\u0000${"x".repeat(9999)}`, 500)).probe();
  assert.equal(long.reason.length, 300);
  assert.match(long.reason, /^a b xxx.*\.\.\.$/);
});

test("an answer that never comes, or breaks off, is no answer", async () => {
  assert.equal((await answering(new TypeError("network")).probe()).finding, "unreachable");
  const broken = new ReadableStream({ start: (controller) => controller.error(new Error("cut")) });
  assert.equal((await answering(new Response(broken)).probe()).finding, "unreachable");
});

test("the question ends with its signal, and after 20 seconds by itself", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const hanging: typeof fetch = (_url, init) =>
    new Promise((_resolve, reject) =>
      init!.signal!.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))),
    );
  const abort = new AbortController();
  const aborted = probePlaylist(URL_, abort.signal, hanging);
  abort.abort();
  assert.equal((await aborted).finding, "unreachable");
  assert.equal((await probePlaylist(URL_, abort.signal, hanging)).finding, "unreachable");
  const slow = probePlaylist(URL_, new AbortController().signal, hanging);
  t.mock.timers.tick(20_000);
  assert.equal((await slow).finding, "unreachable");
});

test("a body without end is not read to its end", async () => {
  let pulls = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulls++;
      controller.enqueue(new TextEncoder().encode("#EXTM3U\n".padEnd(500_000, "#")));
    },
  });
  assert.equal((await answering(new Response(endless)).probe()).finding, "starting");
  assert.ok(pulls < 12, `${pulls} pieces of 500 kB`);
});

test("an MPD is there, or the server says why not, or there is no answer", async () => {
  const ask = (answer: Response | Error) =>
    probeMpd("http://host/a/index.mpd", new AbortController().signal, () =>
      answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer),
    );
  const off = text("dash is switched off", 403, { "x-error-code": "STREAM_PROTOCOL_OFF" });
  assert.deepEqual((await ask(new Response("<MPD/>"))).finding, "there");
  assert.deepEqual(await ask(off), {
    finding: "off",
    status: 403,
    reason: "dash is switched off",
    codecs: [],
    newest: "",
  });
  const live = new Response('<MPD type="dynamic" publishTime="2026-01-01T00:00:04Z">');
  assert.equal((await ask(live)).newest, "2026-01-01T00:00:04Z");
  assert.equal((await ask(new Error("offline"))).finding, "unreachable");
});
