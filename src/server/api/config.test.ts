import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { NO_SESSIONS } from "../../../test/support/session-service.ts";
import { configRoutes } from "./config.ts";

test("a server whose configuration comes from no files does not read it anew", async () => {
  const fail = (): never => assert.fail("nothing is asked");
  const threads = {
    streams: fail,
    streamColumns: fail,
    streamDetails: fail,
    stopStream: fail,
    askKeeper: fail,
  };
  const routes = configRoutes({
    threads,
    clock: systemClock,
    config: fail,
    configOnDisk: fail,
    settingsOnDisk: fail,
    serverId: fail,
    sessions: NO_SESSIONS,
    selectInput: fail,
    reload: null,
  });
  const reload = routes.find(({ method, path }) => method === "POST" && path === "/config/reload")!;
  await assert.rejects(async () => reload.handle({} as never), { code: "SERVER_NO_RELOAD" });
});
