/** What the API tells may be given back to it, by the client that is made of its description. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ApiError, apiClient } from "../../ui/api/client.ts";
import type { ApiClient } from "../../ui/api/client.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const CONFIG = `edit_auth root secret;
view_auth looker secret2;
cluster_key key;
drain_timeout 3;
api_token robot { token abcdefgh; scope streams; }
auth_backend portal { allow token aaa; deny ip 192.0.2.7; backend http://u:p@192.0.2.1/a; allow default; }
event_sink out { url http://user:pass@127.0.0.1:1/events; only event=play_*; throttle_delay 2; sign_key hidden; }
template base {
  prefix live; input publish://; segment_duration 4; on_play securetoken://KEY max_sessions=3;
}
template other { prefix a/b; prefix c; input publish://; protocols -dash; }
stream news { template base; title "The news"; on_publish auth://portal; password hush; } # mine
stream clip { input fake://fake source_timeout=3; input publish:// priority=2; template other; }
stream deep/er { input publish://; disabled true; }
`;

type Part = { readonly [name: string]: unknown };

async function start(t: Parameters<typeof startWeir>[0]): Promise<{ weir: Weir; client: ApiClient }> {
  const weir = await startWeir(t, { config: CONFIG, readyTimeoutMs: 60_000 });
  const authorization = `Bearer ${Buffer.from("root:secret").toString("base64")}`;
  return { weir, client: apiClient({ base: weir.url("/flussonic/api/v3"), authorization }) };
}

test(
  "whatever is told and put back unchanged leaves every byte of the file",
  { timeout: 180_000 },
  async (t) => {
    const { weir, client } = await start(t);
    const text = (): Promise<string> => readFile(join(weir.configFolder, "flussonic.conf"), "utf8");
    const before = await text();
    for (const name of ["news", "deep/er", "clip"]) {
      const told = await client("streamGet", { path: { name } });
      await client("streamPut", { path: { name }, body: told });
      await client("streamPut", { path: { name }, body: { ...(told as object), $reset: true } });
    }
    for (const name of ["base", "other"]) {
      await client("templatePut", {
        path: { name },
        body: await client("templateGet", { path: { name } }),
      });
    }
    const backend = await client("authBackendGet", { path: { name: "portal" } });
    await client("authBackendPut", { path: { name: "portal" }, body: backend });
    const sink = await client("eventSinkGet", { path: { name: "out" } });
    await client("eventSinkPut", { path: { name: "out" }, body: sink as object });
    const whole = await client("configGet", { query: { full: "true" } });
    await client("configPut", { body: whole as object });
    assert.equal(await text(), before);

    const told = (await client("streamGet", { path: { name: "news" } })) as Part;
    const changed = { ...told, title: "B", segment_duration: 5000 };
    const reply = (await client("streamPut", { path: { name: "news" }, body: changed })) as Part;
    assert.equal(reply["segment_duration"], 5000);
    const wanted = before.replace('"The news"', "B").replace("hush;", "hush; segment_duration 5;");
    assert.equal(await text(), wanted);

    const { streams = [] } = whole as { streams?: readonly Part[] };
    const others = streams.map((one) => (one["name"] === "deep/er" ? { ...one, disabled: false } : one));
    await client("configPut", { body: { ...(whole as object), streams: others } });
    assert.match(await text(), /stream deep\/er \{ input publish:\/\/; disabled false; \}/);
  },
);

test(
  "a stream that runs by a template is kept as it is, by putting back what is told",
  { timeout: 180_000 },
  async (t) => {
    const { weir, client } = await start(t);
    await client("streamPut", { path: { name: "live/one" }, body: { title: "One" } });
    const told = (await client("streamGet", { path: { name: "live/one" } })) as Part;
    assert.deepEqual(told["config_on_disk"], { name: "live/one", template: "base", title: "One" });
    assert.match(await client("metrics", {}), /^# /);
    assert.equal(await client("streamDelete", { path: { name: "live/one" } }), null);
    await assert.rejects(
      client("streamPut", { path: { name: "x" }, body: { inputs: "no list" as never } }),
      (error) => error instanceof ApiError && error.status === 400 && error.code === "edit_bad_field",
    );
    const both = await Promise.all([
      client("streamPut", { path: { name: "deep/er" }, body: { title: "One" } }),
      client("streamPut", { path: { name: "deep/er" }, body: { comment: "Two" } }),
    ]);
    assert.equal(both.length, 2);
    const after = (await client("streamGet", { path: { name: "deep/er" } })) as Part;
    assert.deepEqual([after["title"], after["comment"]], ["One", "Two"]);
    assert.equal(
      weir.log.some(({ level }) => level === "error"),
      false,
    );
  },
);
