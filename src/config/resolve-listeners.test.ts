import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "./load.ts";
import type { LoadedConfig } from "./load.ts";

const load = (text: string, environment = {}): LoadedConfig =>
  loadConfig([{ file: "t", text }], environment);

const PROXIED = "proxy_protocol true;";

test("any listener may take the PROXY protocol, and none does by itself", () => {
  const listeners = ["http 81", "https 443", "rtmp 1935", "rtmps 1936"];
  const text = listeners.map((one) => `${one} { ${PROXIED} }`).join(" ");
  const { config, problems } = load(
    `trusted_proxies 10.0.0.0/24; ${text} http 82 { proxy_protocol false; }`,
  );
  assert.deepEqual(problems, []);
  const { http, rtmp } = config!.listeners;
  assert.deepEqual(
    [...http, ...rtmp].map(({ port, proxyProtocol }) => `${port} ${proxyProtocol}`),
    ["81 true", "82 undefined", "443 true", "1935 true", "1936 true"],
  );
});

test("the PROXY protocol without trusted_proxies is an error that says what to do", () => {
  for (const listener of ["http 81", "https 443", "rtmp 1935", "rtmps 1936"]) {
    const { problems } = load(`${listener} { ${PROXIED} }`);
    const [{ severity, code, line, column, hint = "" } = assert.fail()] = problems;
    assert.deepEqual([severity, code, line], ["error", "CONFIG_NOTHING_INSIDE", 1]);
    assert.equal(column, `${listener} { `.length + 1);
    assert.match(hint, /trusted_proxies 10\.0\.0\.0\/24;/);
  }
  assert.deepEqual(load("http 81 { proxy_protocol false; }").problems, []);
});

test("the proxies of the environment are enough", () => {
  const { problems } = load(`rtmp 1935 { ${PROXIED} }`, { STREAMER_TRUSTED_PROXIES: "10.0.0.1" });
  assert.deepEqual(problems, []);
});
