import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startWeir } from "../support/weir.ts";

describe("the server in a process of its own", () => {
  test("becomes ready, answers the probes of both spellings without credentials, and ends in order", async (t) => {
    const weir = await startWeir(t, {
      config: "edit_auth root secret;\ntemplate pub { prefix pub; url publish://; }\n",
    });
    for (const product of ["flussonic", "streamer"]) {
      for (const probe of ["liveness", "readiness"]) {
        const reply = await fetch(weir.url(`/${product}/api/v3/monitoring/${probe}`));
        assert.equal(reply.status, 200, `${product} ${probe}`);
        assert.equal(
          typeof ((await reply.json()) as { server_version?: unknown }).server_version,
          "string",
        );
      }
    }
    await weir.stop();
  });

  test("writes one JSON object a line", async (t) => {
    const weir = await startWeir(t);
    await weir.stop();
    assert.ok(weir.log.length > 0, weir.describe());
    assert.deepEqual(weir.plainLines, []);
  });

  test("starts again on its ports after it was killed", async (t) => {
    const weir = await startWeir(t);
    const { pid } = weir.program;
    await weir.kill();
    await weir.start(t);
    assert.notEqual(weir.program.pid, pid);
    await weir.stop();
  });
});
