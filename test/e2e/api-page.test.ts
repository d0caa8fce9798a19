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
    // Any word of an operation, its area, its parameters or its fields, in any order.
    for (const [wanted, id] of [
      ["delete /sessions", "sessionDelete"],
      ["/sessions delete", "sessionDelete"],
      ["last_dts_at cursor", "streamsList"],
      ["sign_key /event_sinks put", "eventSinkPut"],
    ] as const) {
      await page.fill("#search", wanted);
      assert.equal(await page.locator(".operation:visible").count(), 1, wanted);
      assert.ok(await page.locator(`#${id}`).isVisible(), wanted);
      assert.equal(await page.locator("#areas a:visible").count(), 1);
    }
    await page.fill("#search", "no such thing");
    assert.equal(await page.locator(".operation:visible").count(), 0);
    await page.getByText("Nothing has all of these words.").waitFor();
    await page.keyboard.press("Escape");
    assert.ok((await page.locator(".operation:visible").count()) > 40);
    await page.locator("body").press("/");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "search");
    await page.fill("#search", "sessiondelete");
    await page.keyboard.press("Enter");
    assert.ok(await page.locator("#sessionDelete .inside").isVisible(), "opened by keys");
    await page.keyboard.press("Enter");
    assert.ok(!(await page.locator("#sessionDelete .inside").isVisible()), "and closed");
    await screenshot("api-page");
    assert.deepEqual(errors, []);
  },
);

for (const [width, colorScheme] of [
  [1280, "dark"],
  [390, "light"],
  [390, "dark"],
] as const)
  test(
    `the page of the API has room at ${width} in ${colorScheme}`,
    { skip: needs("chromium"), timeout: 120_000 },
    async (t) => {
      const weir = await startWeir(t, {
        config: "edit_auth root secret; stream news { input publish://; }",
      });
      const { page, errors, screenshot } = await openPage(t, { width, height: 844, colorScheme });
      await page.goto(weir.url("/api"));
      await page.fill("#login", "root");
      await page.fill("#password", "wrong");
      await page.keyboard.press("Enter");
      await page.getByText("are none of edit_auth").waitFor();
      await page.fill("#password", "secret");
      await page.keyboard.press("Enter");
      await page.locator("#streamsList summary").click();
      await page.locator("#streamPut summary").click();
      const name = page.locator("#streamsList .parameter .path").first();
      const box = await name.boundingBox();
      assert.ok(box !== null && box.width > 40 && box.height < 30, "names of parameters stand on one line");
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(wide, width, "nothing is wider than the page");
      const isSmall = await page.evaluate(() =>
        [...document.querySelectorAll("#operations .operation[open] :is(input, button)")].some((one) => {
          const { height, width: across } = one.getBoundingClientRect();
          return height < 32 || across < 60;
        }),
      );
      assert.ok(!isSmall, "what is touched is large enough");
      await screenshot(`api-page-${width}-${colorScheme}`);
      assert.deepEqual(
        errors.filter((one) => !one.includes("401")),
        [],
      );
    },
  );
