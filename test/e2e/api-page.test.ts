/** The page `/api` in a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "../support/browser.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

test(
  "the page of the API shows what there is, and tries it",
  { skip: needs("chromium"), timeout: 120_000 },
  async (t) => {
    const weir = await startWeir(t, {
      config: ({ http }) =>
        `http 127.0.0.1:${http}; edit_auth root secret; stream news { input publish://; }`,
    });
    const { page, errors, screenshot } = await openPage(t);
    await page.goto(weir.url("/api"));
    await page.fill("#login", "root");
    await page.fill("#password", "secret");
    await page.click("button[type=submit]");
    const list = page.locator("details").filter({ hasText: "Streams of the configuration" });
    await list.locator("summary").click();
    await list.getByLabel("filter").fill("name=news");
    await list.getByRole("button", { name: "Try it" }).click();
    await list.getByText('"estimated_count": 1').waitFor();
    await page.fill("#search", "delete /sessions");
    assert.equal(await page.locator("details:visible").count(), 1);
    await screenshot("api-page");
    assert.deepEqual(errors, []);
  },
);
