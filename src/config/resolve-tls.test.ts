import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "./load.ts";
import { tlsVersions } from "./resolve-tls.ts";
import { DEFAULTS_FILE } from "./resolve-listeners.ts";
import type { LoadOptions } from "./load.ts";
import type { ResolvedConfig, TlsPlan } from "./plan.ts";

function load(text: string, environment = {}, options: LoadOptions = {}): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "t", text }], environment, options);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

function codesOf(text: string): string[] {
  const { problems } = loadConfig([{ file: "t", text }]);
  return problems.map(({ severity, code }) => `${severity} ${code}`);
}

const USUAL: TlsPlan = {
  certificate: "/etc/flussonic/streamer.crt",
  key: "/etc/flussonic/streamer.key",
  ca: "/etc/flussonic/streamer-ca.crt",
  passphrase: "flussonic",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
};

test("without anything said of it, the certificate is in the config's folder", () => {
  assert.deepEqual(load("https 443;").listeners.http[0]?.tls, USUAL);
  assert.deepEqual(load("rtmps 443;").listeners.rtmp[0]?.tls, USUAL);
  const elsewhere = load("https 443;", {}, { folder: "/etc/weir" }).listeners.http[0]?.tls;
  assert.deepEqual(
    [elsewhere?.certificate, elsewhere?.key, elsewhere?.ca],
    ["/etc/weir/streamer.crt", "/etc/weir/streamer.key", "/etc/weir/streamer-ca.crt"],
  );
});

test("a certificate that is named has nothing of the folder's", () => {
  const { tls } = load("https 443 { certificate /a.crt; certificate_key /a.key; }").listeners.http[0]!;
  const { ca: _ca, ...rest } = USUAL;
  assert.deepEqual(tls, { ...rest, certificate: "/a.crt", key: "/a.key" });
  const full = load("rtmps 443 { certificate /a; certificate_key /b; certificate_ca /c; passphrase x; }");
  assert.deepEqual(full.listeners.rtmp[0]?.tls, {
    ...USUAL,
    certificate: "/a",
    key: "/b",
    ca: "/c",
    passphrase: "x",
  });
});

for (const [words, versions] of [
  ["tlsv1.2", ["tlsv1.2"]],
  ["TLSv1.3", ["tlsv1.3"]],
  ["tlsv1.3 tlsv1.2", ["tlsv1.2", "tlsv1.3"]],
  ["tlsv1 TLSv1.1 tlsv1.2", ["tlsv1.2"]],
] as const) {
  test(`ssl_protocols ${words} means ${versions.join(" and ")}`, () => {
    const { tls } = load(`https 443 { ssl_protocols ${words}; }`).listeners.http[0]!;
    assert.deepEqual(tlsVersions(tls!), versions);
  });
}

test("listeners with TLS stand in the lists of the others, and take their ports", () => {
  const { http, rtmp } = load(
    "https 443 { api false; send_window 50; } http 80; rtmp 1935; rtmps [::1]:1936;",
  ).listeners;
  assert.deepEqual(
    http.map(({ port, api, sendWindow, tls }) => [port, api, sendWindow, tls !== undefined]),
    [
      [80, true, undefined, false],
      [443, false, 50, true],
    ],
  );
  assert.deepEqual(
    rtmp.map(({ host, port, tls }) => [host, port, tls !== undefined]),
    [
      [undefined, 1935, false],
      ["::1", 1936, true],
    ],
  );
  assert.deepEqual(codesOf("https 443; rtmps 443;"), ["error CONFIG_ADDRESS_TAKEN"]);
});

test("port 80 is not opened beside https alone", () => {
  assert.deepEqual(
    load("https 443;").listeners.http.map(({ port }) => port),
    [443],
  );
  assert.equal(load("rtmps 1936;").listeners.http[0]?.place.file, DEFAULTS_FILE);
});

test("the environment opens a listener with TLS, unless the config has the same", () => {
  const { http } = load("http 80;", { STREAMER_HTTPS: "127.0.0.1:443" }).listeners;
  assert.deepEqual(
    http.map(({ host, port, api, tls }) => [host, port, api, tls?.certificate]),
    [
      [undefined, 80, true, undefined],
      ["127.0.0.1", 443, true, USUAL.certificate],
    ],
  );
  const same = load("https 443 { api false; }", { FLUSSONIC_HTTPS: "443" }).listeners.http;
  assert.deepEqual(
    same.map(({ api }) => api),
    [false],
  );
});

for (const [text, codes] of [
  ["https 443 { certificate /a; }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["https 443 { certificate_key /a; }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["https 443 { certificate a; certificate_key /a; }", ["error CONFIG_BAD_VALUE"]],
  ["https 443 { ssl_protocols tlsv1.1; }", ["error CONFIG_BAD_VALUE", "warning CONFIG_NEVER_USED"]],
  ["https 443 { ssl_protocols tlsv1.4; }", ["error CONFIG_BAD_VALUE"]],
  ["rtmps 443 { api true; }", ["error CONFIG_WRONG_PLACE"]],
  ["http 80 { certificate /a; }", ["error CONFIG_WRONG_PLACE"]],
  ["rtsps 322;", ["error CONFIG_REFUSED"]],
] as const) {
  test(`${text} gives ${codes.join(", ")}`, () => assert.deepEqual(codesOf(text), codes));
}
