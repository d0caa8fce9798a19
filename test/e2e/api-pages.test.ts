/** Pages of lists while objects come, change and go: who was there all the time is met once, in order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { apiClient } from "../../ui/api/client.ts";
import type { ApiClient } from "../../ui/api/client.ts";
import { startWeir } from "../support/weir.ts";

const KEPT = 60;

/** Names of those that stay; others come between any two of them. */
const STAYS = Array.from({ length: KEPT }, (_, i) => `s${String(i).padStart(3, "0")}`);
const CONFIG = [
  "edit_auth root secret;",
  ...STAYS.map((name, i) => `stream ${name} { input publish://; position ${i % 4}; title "t${i % 3}"; }`),
  ...STAYS.map((name) => `template ${name} { prefix ${name}; input publish://; }`),
].join("\n");

/** How streams are listed. `next`: forwards; `prev`: from the last page back. */
type Walk = {
  readonly plural: "streams" | "templates";
  readonly sort: string;
  readonly limit: number;
  readonly way: "next" | "prev";
};

type Page = {
  readonly names: readonly string[];
  readonly next: string | null;
  readonly prev: string | null;
};

async function pageOf(
  client: ApiClient,
  plural: Walk["plural"],
  query: Record<string, string | number>,
): Promise<Page> {
  const reply =
    plural === "streams"
      ? await client("streamsList", { query: { ...query, select: "name" } })
      : await client("templatesList", { query: { ...query, select: "name" } });
  const items = (reply as unknown as Record<string, readonly { name: string }[]>)[plural]!;
  return { names: items.map(({ name }) => name), next: reply.next, prev: reply.prev };
}

/** All names that somebody meets who goes from page to page. */
async function walk(client: ApiClient, { plural, sort, limit, way }: Walk): Promise<string[]> {
  let page = await pageOf(client, plural, { sort, limit });
  if (way === "prev") {
    // To the end, and from there back: the last page is taken as it is found.
    while (page.next !== null) page = await pageOf(client, plural, { cursor: page.next, limit });
  }
  let met = [...page.names];
  for (let pages = 0; page[way] !== null; pages++) {
    assert.ok(pages < 500, "it goes on for ever");
    page = await pageOf(client, plural, { cursor: page[way], limit });
    met = way === "next" ? [...met, ...page.names] : [...page.names, ...met];
  }
  return met;
}

/** Puts and deletes objects between those that stay, and changes those, until it is told to stop. */
class Churn {
  changes = 0;
  readonly #client: ApiClient;
  #isOver = false;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  stop(): void {
    this.#isOver = true;
  }

  async run(step: () => number): Promise<void> {
    const there = new Set<string>();
    while (!this.#isOver) {
      const name = `${STAYS[step() % KEPT]}${"abc"[step() % 3]}`;
      if (there.delete(name)) {
        await this.#client("streamDelete", { path: { name } });
        await this.#client("templateDelete", { path: { name: `${name}t` } });
      } else {
        there.add(name);
        const inputs = [{ url: "publish://" }];
        const body = { position: step() % 4, title: `t${step() % 3}`, inputs };
        await this.#client("streamPut", { path: { name }, body });
        const template = { prefixes: [`${name}t`], inputs };
        await this.#client("templatePut", { path: { name: `${name}t` }, body: template });
      }
      // One that stays is changed in what no list is sorted by here.
      await this.#client("streamPut", {
        path: { name: STAYS[step() % KEPT]! },
        body: { comment: `c${step()}` },
      });
      this.changes += 3;
    }
  }
}

test(
  "whoever goes through pages meets all that stay once, in order, while others are put and deleted",
  { timeout: 300_000 },
  async (t) => {
    const weir = await startWeir(t, { config: CONFIG, readyTimeoutMs: 60_000 });
    const authorization = `Basic ${Buffer.from("root:secret").toString("base64")}`;
    const client = apiClient({ base: weir.url("/streamer/api/v3"), authorization });
    const stays = new Set(STAYS);
    const orders = new Map<string, readonly string[]>();
    const orderOf = async (plural: Walk["plural"], sort: string): Promise<readonly string[]> =>
      (await pageOf(client, plural, { sort, limit: 10_000 })).names;
    const sorts = {
      streams: ["name", "-name", "position", "-position,-name", "title,name", ""],
      templates: ["name", "-name"],
    };
    for (const plural of ["streams", "templates"] as const)
      for (const sort of sorts[plural]) orders.set(`${plural} ${sort}`, await orderOf(plural, sort));
    const seed = Number(process.env["WEIR_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
    t.diagnostic(`WEIR_FUZZ_SEED=${seed}`);
    const churn = new Churn(client);
    let state = seed;
    const running = churn.run(() => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1));
    const walks = fc.constantFrom("streams" as const, "templates" as const).chain((plural) =>
      fc.record({
        plural: fc.constant(plural),
        sort: fc.constantFrom(...sorts[plural]),
        limit: fc.integer({ min: 1, max: 25 }),
        way: fc.constantFrom("next" as const, "prev" as const),
      }),
    );
    const property = fc.asyncProperty(walks, async (asked) => {
      const met = (await walk(client, asked)).filter((name) => stays.has(name));
      const { plural, sort } = asked;
      assert.deepEqual(met, orders.get(`${plural} ${sort}`));
    });
    try {
      await fc.assert(property, { seed, numRuns: 40, endOnFailure: true });
    } finally {
      churn.stop();
      await running;
    }
    t.diagnostic(`${churn.changes} changes meanwhile`);
    assert.ok(churn.changes > 6, "something changed meanwhile");
  },
);
