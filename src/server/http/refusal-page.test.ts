import assert from "node:assert/strict";
import { test } from "node:test";
import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { accessErrors } from "../access/errors.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { Answers } from "./answers.ts";
import { refusalPage } from "./refusal-page.ts";

const BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";

function ask(path: string, accept: string): HttpRequest {
  return {
    ...{ method: "GET", path, query: new URLSearchParams(), remoteAddress: "192.0.2.1" },
    header: (name) => (name === "accept" ? accept : undefined),
  };
}

function textOf({ body }: HttpReply): string {
  return Buffer.concat([...body]).toString();
}

function headerOf({ headers }: HttpReply, name: string): string | undefined {
  const found = headers.filter(([key]) => key === name);
  assert.ok(found.length <= 1, `${name} is there twice`);
  return found[0]?.[1];
}

test("a person who may not play is told so on a page, with the status and the code of the refusal", async () => {
  const refuse = (): never => {
    throw accessErrors.error("ACCESS_DENIED", { name: "news", reason: "not today" });
  };
  for (const handle of [refuse, async (): Promise<HttpReply> => await Promise.reject(caughtOf(refuse))]) {
    const answers = new Answers(handle, new RecordingLog());
    const target = { path: "/news/embed.html", rawPath: "/news/embed.html", query: "" };
    const reply = await answers.reply(ask(target.path, BROWSER), target as never);
    assert.equal(reply.status, 403);
    assert.equal(headerOf(reply, "x-error-code"), "ACCESS_DENIED");
    assert.equal(headerOf(reply, "content-type"), "text/html; charset=utf-8");
    assert.equal(headerOf(reply, "cache-control"), "no-store");
    assert.match(textOf(reply), /news may not be played from this page.*not today/s);
    assert.doesNotMatch(textOf(reply), /<script|http-equiv/);
  }
});

test("who may play later is told so, and asks again", () => {
  const page = refusalPage(textReply(503, "later"), ask("/news/embed.html", BROWSER));
  assert.match(textOf(page), /<meta http-equiv="refresh" content="5" \/>/);
  assert.match(textOf(page), /The server cannot give news now\./);
});

test("names and reasons are text, whatever is in them", () => {
  const name = `<img src=x onerror="a">&\u202e\n'${"x".repeat(200)}`;
  const page = textOf(refusalPage(textReply(403, "<b>no</b>"), ask(`/${name}/embed.html`, BROWSER)));
  assert.doesNotMatch(page, /<img|<b>|\u202e|x{81}/);
  assert.match(page, /&#60;img src=x onerror=&#34;a&#34;&#62;&#38;/);
});

test("players, programs and other paths have the reply as it is", () => {
  const reply = textReply(403, "no");
  assert.equal(refusalPage(reply, ask("/news/index.m3u8", BROWSER)), reply);
  assert.equal(refusalPage(reply, ask("/news/embed.html", "*/*")), reply);
  const shown = textReply(200, "the page");
  assert.equal(refusalPage(shown, ask("/news/embed.html", BROWSER)), shown);
});

function caughtOf(run: () => never): unknown {
  try {
    return run();
  } catch (caught) {
    return caught;
  }
}
