import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { openPage } from "./browser.ts";
import { needs } from "./tools.ts";

describe("the browser of tests", { skip: needs("chromium") }, () => {
  test("opens a page, takes its picture, and tells what went wrong on it", async (t) => {
    const body = `<title>weir</title><p>hello</p><script>console.error("first"); throw new Error("second")</script>`;
    const server = createServer((_request, response) =>
      response.setHeader("content-type", "text/html").end(body),
    );
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { page, errors, screenshot } = await openPage(t, { width: 320, height: 200 });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    assert.equal(await page.title(), "weir");
    assert.ok(errors.includes("first"), errors.join());
    assert.ok(
      errors.some((error) => error.includes("second")),
      errors.join(),
    );
    const path = await screenshot("browser-test");
    assert.deepEqual([...readFileSync(path).subarray(1, 4)], [...Buffer.from("PNG")]);
    rmSync(path);
  });

  test("knows H.264 and AAC, without which no other test of playback says anything", async (t) => {
    const { page } = await openPage(t);
    const asked = `MediaSource.isTypeSupported('video/mp4; codecs="avc1.64001f, mp4a.40.2"')`;
    assert.equal(await page.evaluate(asked), true);
  });
});
