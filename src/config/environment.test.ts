import assert from "node:assert/strict";
import { test } from "node:test";
import { ENVIRONMENT_FILE, MAX_VARIABLE_LENGTH } from "./environment.ts";
import { formatProblems } from "./format.ts";
import { loadConfig } from "./load.ts";
import type { Environment } from "./environment.ts";
import type { LoadedConfig } from "./load.ts";

function load(environment: Environment, text = ""): LoadedConfig {
  return loadConfig([{ file: "t", text }], environment);
}

function codes(environment: Environment, text = ""): string[] {
  return load(environment, text).problems.map((one) => `${one.severity} ${one.code}`);
}

for (const prefix of ["STREAMER_", "FLUSSONIC_"]) {
  test(`variables that begin with ${prefix} are read`, () => {
    const { config, problems } = load({
      [`${prefix}HTTP`]: "127.0.0.1:8080",
      [`${prefix}HOSTNAME`]: "node-1",
      [`${prefix}EDIT_AUTH`]: "root:pass:word",
      [`${prefix}LOG_LEVEL`]: "warn",
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      config?.listeners.http.map(({ host, port, api, place }) => ({ host, port, api, file: place.file })),
      [{ host: "127.0.0.1", port: 8080, api: true, file: ENVIRONMENT_FILE }],
    );
    assert.equal(config?.hostname, "node-1");
    assert.deepEqual(config?.editAuth, { login: "root", password: "pass:word" });
    assert.equal(config?.logLevel, "warning");
  });
}

test("blanks around a value and capital letters of a level are no matter, but a password keeps its blanks", () => {
  const { config, problems } = load({
    STREAMER_HTTP: " 80 \n",
    STREAMER_LOG_LEVEL: "DEBUG ",
    STREAMER_HOSTNAME: "\tnode-1",
    STREAMER_EDIT_AUTH: "root: secret ",
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    [config?.listeners.http[0]?.port, config?.logLevel, config?.hostname, config?.editAuth?.password],
    [80, "debug", "node-1", " secret "],
  );
});

test("STREAMER_ wins over FLUSSONIC_, and says so when they differ", () => {
  const { config, problems } = load({ STREAMER_HTTP: "81", FLUSSONIC_HTTP: "82" });
  assert.deepEqual(
    config?.listeners.http.map((one) => one.port),
    [81],
  );
  assert.deepEqual(
    problems.map((one) => one.message),
    ["FLUSSONIC_HTTP is not used, since STREAMER_HTTP is set too"],
  );
  assert.deepEqual(codes({ STREAMER_HTTP: "81", FLUSSONIC_HTTP: "81" }), []);
});

test("the environment wins over the config", () => {
  const { config } = load(
    { FLUSSONIC_EDIT_AUTH: "a:b", STREAMER_LOG_LEVEL: "debug", FLUSSONIC_HOSTNAME: "node" },
    "edit_auth root secret; loglevel error; hostname other;",
  );
  assert.deepEqual(
    [config?.editAuth, config?.logLevel, config?.hostname],
    [{ login: "a", password: "b" }, "debug", "node"],
  );
});

test("credentials of the environment, or a file with them, leave nothing of the config's", () => {
  for (const text of ["edit_auth root secret;", "edit_auth_file /of/config;"]) {
    const file = load({ FLUSSONIC_EDIT_AUTH_FILE: "/of/environment" }, text).config;
    assert.deepEqual([file?.editAuth, file?.editAuthFile], [undefined, "/of/environment"]);
    const plain = load({ FLUSSONIC_EDIT_AUTH: "a:b" }, text).config;
    assert.deepEqual([plain?.editAuth, plain?.editAuthFile], [{ login: "a", password: "b" }, undefined]);
  }
});

test("proxies of the environment take the place of the config's", () => {
  const text = "trusted_proxies 192.0.2.1;";
  const given = { FLUSSONIC_TRUSTED_PROXIES: " 10.0.0.7, 10.1/16 10.1.2.3/16\nFD00::/8 " };
  assert.deepEqual(load(given, text).config?.trustedProxies, ["10.0.0.7/32", "10.1.0.0/16", "fd00::/8"]);
  assert.deepEqual(load({ STREAMER_TRUSTED_PROXIES: "" }, text).config?.trustedProxies, ["192.0.2.1/32"]);
  for (const value of ["ingress", "10.0.0.0/8 300.1", "10.0.0.0/33"]) {
    assert.deepEqual(codes({ STREAMER_TRUSTED_PROXIES: value }), ["error CONFIG_BAD_VALUE"], value);
  }
});

test("the storage of secrets is a Secret, of a namespace where one is named", () => {
  const own = load({ FLUSSONIC_SECRETS_STORAGE: "k8s://state\n" }).config;
  assert.deepEqual(own?.secretsStorage, { name: "state" });
  const other = load({ STREAMER_SECRETS_STORAGE: "k8s://media/state" }).config;
  assert.deepEqual(other?.secretsStorage, { namespace: "media", name: "state" });
});

test("the HTTP listener of the environment is added to those of the config", () => {
  const { config } = load({ FLUSSONIC_HTTP: "8080" }, "http 80 { api false; }");
  assert.deepEqual(
    config?.listeners.http.map(({ port, api }) => [port, api]),
    [
      [80, false],
      [8080, true],
    ],
  );
});

test("the HTTP listener of the environment is not added when the config has the same one", () => {
  for (const [variable, text] of [
    ["80", "http 80 { api false; }"],
    ["0.0.0.0:80", "http 80 { api false; }"],
    ["127.0.0.1:80", "http 127.0.0.1:80 { api false; }"],
  ] as const) {
    const { config, problems } = load({ FLUSSONIC_HTTP: variable }, text);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      config?.listeners.http.map(({ api }) => api),
      [false],
    );
  }
});

test("the HTTP listener of the environment cannot take the port of another listener", () => {
  const { problems, sources } = load({ FLUSSONIC_HTTP: "1935" }, "rtmp 1935;");
  const expected = [
    "error: rtmp: port 1935 is already taken",
    "  --> t:1:6",
    "   |",
    " 1 | rtmp 1935;",
    "   |      ^^^^",
    "  ::: environment:1:16",
    "   |",
    " 1 | FLUSSONIC_HTTP=1935",
    "   |                ---- taken by http here",
    "",
  ];
  assert.equal(formatProblems(problems, sources), expected.join("\n"));
});

test("the default listener gives way to any other, and is told of when its port is taken", () => {
  const { problems, sources } = load({}, "rtmp 80;");
  const hint = "HTTP listens there, since no http directive names another port";
  const expected = [
    "error: rtmp: port 80 is already taken",
    "  --> t:1:6",
    "   |",
    " 1 | rtmp 80;",
    `   |      ^^ ${hint}`,
    "",
  ];
  assert.equal(formatProblems(problems, sources), expected.join("\n"));
});

const PROBLEMS: readonly [environment: Environment, codes: readonly string[]][] = [
  [{ LICENSE_KEY: "l4|a|b" }, ["note CONFIG_NOT_NEEDED"]],
  [{ FLUSSONIC_LICENSE_KEY: "l4|a|b" }, ["note CONFIG_NOT_NEEDED"]],
  [{ STREAMER_HTTPS: "443" }, []],
  [{ FLUSSONIC_HTTPS: "x" }, ["error CONFIG_BAD_VALUE"]],
  [{ STREAMER_HTTP: "443", STREAMER_HTTPS: "443" }, ["error CONFIG_ADDRESS_TAKEN"]],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://u:p@collector:4318/" }, []],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" }, ["error CONFIG_BAD_VALUE"]],
  [{ OTEL_TRACES_SAMPLER_ARG: "2" }, ["error CONFIG_BAD_VALUE"]],
  [{ OTEL_TRACES_SAMPLER_ARG: "", OTEL_SERVICE_NAME: "x" }, []],
  [{ STREAMER_CONFIG_EXTERNAL: "http://key@host/streamer/api/v3/streamers/x" }, ["error CONFIG_REFUSED"]],
  [{ FLUSSONIC_CONFIG_EXTERNAL: "http://key@host" }, ["error CONFIG_REFUSED"]],
  [{ FLUSSONIC_SECRETS_STORAGE: "k8s://license" }, []],
  [{ FLUSSONIC_SECRETS_STORAGE: "license" }, ["error CONFIG_BAD_VALUE"]],
  [{ FLUSSONIC_EDIT_AUTH_FILE: "/run/edit_auth" }, []],
  [{ FLUSSONIC_EDIT_AUTH_FILE: "edit_auth" }, ["error CONFIG_BAD_VALUE"]],
  [
    { FLUSSONIC_EDIT_AUTH_FILE: "/run/edit_auth", STREAMER_EDIT_AUTH: "a:b" },
    ["error CONFIG_DEFINED_TWICE"],
  ],
  [{ FLUSSONIC_EDIT_AUTH: "\uFEFFroot:password" }, ["error CONFIG_BAD_VALUE"]],
  [{ FLUSSONIC_EDIT_AUTH: "cm9vdDpwYXNzd29yZA==" }, ["error CONFIG_BAD_VALUE"]],
  [{ STREAMER_ADMIN_VIEW_DISABLED: "true" }, ["warning CONFIG_NO_EFFECT_YET"]],
  [{ STREAMER_WHATEVER: "x" }, ["warning CONFIG_UNKNOWN_VARIABLE"]],
  [{ STREAMER_: "x" }, ["warning CONFIG_UNKNOWN_VARIABLE"]],
  [{ STREAMER_HTTP: "eighty" }, ["error CONFIG_BAD_VALUE"]],
  [{ STREAMER_HTTP: "80,81" }, ["error CONFIG_BAD_VALUE"]],
  [{ STREAMER_HOSTNAME: "a b" }, ["error CONFIG_BAD_VALUE"]],
  [{ STREAMER_LOG_LEVEL: "loud" }, ["error CONFIG_BAD_VALUE"]],
  [{ STREAMER_HOSTNAME: "a".repeat(MAX_VARIABLE_LENGTH + 1) }, ["error CONFIG_BAD_VALUE"]],
  [{ FLUSSONIC_EDIT_AUTH: "a:".padEnd(MAX_VARIABLE_LENGTH + 1, "b") }, ["error CONFIG_BAD_VALUE"]],
  [{ FLUSSONIC_EDIT_AUTH: "root password" }, ["error CONFIG_BAD_VALUE"]],
  [{ FLUSSONIC_EDIT_AUTH: ":password" }, ["error CONFIG_BAD_VALUE"]],
  [{ FLUSSONIC_EDIT_AUTH: "root:" }, ["error CONFIG_BAD_VALUE"]],
  [{ FLUSSONIC_EDIT_AUTH: "root:a\tb" }, ["error CONFIG_BAD_VALUE"]],
  [{ DO_NOT_DO_NET_TUNING: "true" }, []],
  [{ HTTP: "x", PATH: "/bin", NODENAME: "x", streamer_http: "x" }, []],
  [{ STREAMER_HTTP: "", FLUSSONIC_EDIT_AUTH: " ", STREAMER_HTTPS: undefined, LICENSE_KEY: "" }, []],
];

for (const [environment, expected] of PROBLEMS) {
  test(`the environment ${JSON.stringify(environment).slice(0, 60)} gives ${expected.join(", ") || "no problem"}`, () => {
    assert.deepEqual(codes(environment), expected);
  });
}

test("variables that Kubernetes makes for a Service of our name are passed over", () => {
  const links = {
    STREAMER_SERVICE_HOST: "10.0.0.1",
    STREAMER_SERVICE_PORT: "80",
    STREAMER_SERVICE_PORT_HTTP: "80",
    STREAMER_PORT: "tcp://10.0.0.1:80",
    STREAMER_PORT_80_TCP: "tcp://10.0.0.1:80",
    STREAMER_PORT_80_TCP_PROTO: "tcp",
    STREAMER_PORT_80_TCP_PORT: "80",
    STREAMER_PORT_80_TCP_ADDR: "10.0.0.1",
    FLUSSONIC_MEDIA_SERVICE_HOST: "10.0.0.1",
  };
  assert.deepEqual(codes(links), []);
  assert.deepEqual(codes({ STREAMER_PORT: "80" }), ["warning CONFIG_UNKNOWN_VARIABLE"]);
});

test("a line end at the end of a value is dropped, as Secrets often have one", () => {
  const { config } = load({ FLUSSONIC_EDIT_AUTH: "root:secret\n", FLUSSONIC_HTTP: "8080\r\n" });
  assert.deepEqual(config?.editAuth, { login: "root", password: "secret" });
  assert.equal(config?.listeners.http[0]?.port, 8080);
});

test("no secret of the environment is in a message or in the text that is shown", () => {
  const { problems, sources } = load({
    FLUSSONIC_EDIT_AUTH: "hunter2",
    LICENSE_KEY: "hunter2",
    STREAMER_CONFIG_EXTERNAL: "http://hunter2@host",
    STREAMER_CLUSTER_KEY: "hunter2",
    STREAMER_HTTP: "hunter2",
    STREAMER_HTTPS: "[\u000b3\ny",
    STREAMER_LOG_LEVEL: "root:hunter2",
    STREAMER_HOSTNAME: "root:hunter2",
    STREAMER_SECRETS_STORAGE: "k8s://root:hunter2",
    STREAMER_EDIT_AUTH_FILE: "root:hunter2",
  });
  assert.doesNotMatch(JSON.stringify({ problems, sources }), /hunter/);
  assert.equal(
    sources.at(-1)?.text,
    [
      ...["FLUSSONIC_EDIT_AUTH", "LICENSE_KEY", "STREAMER_CLUSTER_KEY", "STREAMER_CONFIG_EXTERNAL"],
      ...["STREAMER_EDIT_AUTH_FILE", "STREAMER_HOSTNAME", "STREAMER_HTTP", "STREAMER_HTTPS"],
      ...["STREAMER_LOG_LEVEL", "STREAMER_SECRETS_STORAGE"],
    ]
      .map((name) => `${name}=***`)
      .join("\n"),
  );
});

test("a bad variable is shown like a line of a file", () => {
  const { problems, sources } = load({ LICENSE_KEY: "", STREAMER_HTTP: "808080" });
  const expected = [
    'error: STREAMER_HTTP: "808080" is not a port',
    "  --> environment:1:15",
    "   |",
    " 1 | STREAMER_HTTP=808080",
    "   |               ^^^^^^ a number up to 65535, or ADDRESS:PORT",
    "",
  ];
  assert.equal(formatProblems(problems, sources), expected.join("\n"));
});
