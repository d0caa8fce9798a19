/** What somebody from outside tries first, on a server as it is in production; `npm run outside` tries it on any. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CHECKS } from "../outside/checks.ts";
import { startWeir } from "../support/weir.ts";

const CONFIG = `http_idle_timeout 2;
edit_auth operator a-password-that-nobody-guesses;
template pub { prefix pub; input publish://; }
vod vod { storage "${import.meta.dirname}"; download; }`;

describe("an outsider", () => {
  for (const check of CHECKS) {
    test(`gets nowhere with ${check.name}`, { timeout: 120_000 }, async (t) => {
      const weir = await startWeir(t, { config: CONFIG });
      const target = { host: "127.0.0.1", port: weir.ports.http, vod: "vod", idleMs: 2000 };
      assert.deepEqual(await check.run(target), []);
      assert.equal((await fetch(weir.url("/"))).status, 200, "others are served");
    });
  }
});
