import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { FakeKubernetes } from "../../test/support/fake-kubernetes.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { KubernetesApi } from "./api.ts";
import { kubernetesErrors } from "./errors.ts";
import type { CredentialsReader } from "./kept-values.ts";
import { SecretState, START_WAIT_MS } from "./secret-state.ts";
import type { StateSecret } from "./secret-state.ts";

const OWN_ID = "11111111-aaaa-4bbb-8ccc-000000000001";
const OTHER_ID = "22222222-aaaa-4bbb-8ccc-000000000002";
const HOUR_MS = 3_600_000;

const readCredentials: CredentialsReader = (text) => {
  const [login = "", password = ""] = text.trimEnd().split(":");
  return login === "" || password === ""
    ? { fault: "there is no colon" }
    : { credentials: { login, password } };
};

type Pod = { state: SecretState; clock: FakeClock; log: RecordingLog };

function pod(
  cluster: FakeKubernetes,
  more: { serverId?: string; serverIdKey?: string; wantsCredentials?: boolean; secret?: StateSecret } = {},
): Pod {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const state = new SecretState({
    api: new KubernetesApi(cluster.transport()),
    secret: { name: "state" },
    clock,
    log,
    serverId: OWN_ID,
    serverIdKey: "server_id",
    wantsCredentials: true,
    readCredentials,
    random: () => 0.5,
    ...more,
  });
  return { state, clock, log };
}

describe("the state in a Secret", () => {
  test("is made where there is no Secret, and found by the next pod", async () => {
    const cluster = new FakeKubernetes();
    const first = pod(cluster);
    await first.state.start();
    assert.equal(first.state.serverId, OWN_ID);
    assert.match(first.state.credentials!.password, /^[\w-]{24}$/);
    const next = pod(cluster, { serverId: OTHER_ID });
    await next.state.start();
    assert.deepEqual([next.state.serverId, next.state.credentials], [OWN_ID, first.state.credentials]);
    assert.deepEqual(cluster.requests, ["get secrets", "create secrets", "get secrets"]);
    assert.equal(first.clock.pendingTimers + next.clock.pendingTimers, 0);
  });

  test("has an id for each server of a name, and one administrator", async () => {
    const cluster = new FakeKubernetes();
    const pods = ["a", "b"].map((node, i) =>
      pod(cluster, { serverIdKey: `server_id.${node}`, serverId: [OWN_ID, OTHER_ID][i]! }),
    );
    await Promise.all(pods.map(({ state }) => state.start()));
    const { edit_auth: auth, ...ids } = cluster.values("state")!;
    assert.deepEqual(ids, { "server_id.a": OWN_ID, "server_id.b": OTHER_ID });
    for (const { state } of pods) assert.equal(`admin:${state.credentials!.password}`, auth);
    const again = pod(cluster, { serverIdKey: "server_id.b" });
    await again.state.start();
    assert.equal(again.state.serverId, OTHER_ID);
  });

  test("is added to a Secret that has other keys, and empty ones", async () => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("state", { placeholder: "x", edit_auth: "" });
    const { state } = pod(cluster);
    await state.start();
    const { login, password } = state.credentials!;
    assert.deepEqual(cluster.values("state"), {
      placeholder: "x",
      server_id: OWN_ID,
      edit_auth: `${login}:${password}`,
    });
  });

  test("is kept in the namespace that is named, and says when there is none of that name", async () => {
    const cluster = new FakeKubernetes();
    const { state, clock, log } = pod(cluster, { secret: { namespace: "shared", name: "state" } });
    await state.start();
    assert.deepEqual(
      log.of("warn").map(({ fields }) => [fields["code"], fields["reason"]]),
      [
        [
          "KUBERNETES_NOT_FOUND",
          'the Kubernetes API cannot create secrets "state" in namespace "shared": namespaces "shared" not found',
        ],
      ],
    );
    cluster.namespaces.add("shared");
    await clock.advanceSettling(2000);
    assert.deepEqual([...cluster.secrets.keys()], ["shared/state"]);
    assert.equal(state.credentials?.login, "admin");
  });

  test("has no credentials where the configuration gives them, and they stay out of the Secret", async () => {
    const cluster = new FakeKubernetes();
    const { state } = pod(cluster, { wantsCredentials: false });
    await state.start();
    assert.equal(state.credentials, undefined);
    assert.deepEqual(cluster.values("state"), { server_id: OWN_ID });
  });

  test("gets credentials when a new configuration gives none any more", async () => {
    const cluster = new FakeKubernetes();
    const { state, clock } = pod(cluster, { wantsCredentials: false });
    await state.start();
    state.wantCredentials(true);
    await clock.advanceSettling(1000);
    assert.equal(state.credentials?.login, "admin");
    state.wantCredentials(false);
    assert.equal(state.credentials, undefined);
    state.wantCredentials(true);
    const { edit_auth: text } = cluster.values("state")!;
    assert.deepEqual(text?.split(":"), Object.values(state.credentials ?? {}));
  });

  test("is the same for two pods that start at once, where there is no Secret", async () => {
    const cluster = new FakeKubernetes();
    const pods = [pod(cluster), pod(cluster, { serverId: OTHER_ID })];
    await Promise.all(pods.map(({ state }) => state.start()));
    const [one, other] = pods.map(({ state }) => [state.serverId, state.credentials?.password]);
    assert.deepEqual(one, other);
    assert.deepEqual(cluster.requests.slice(0, 4), [
      "get secrets",
      "get secrets",
      "create secrets",
      "create secrets",
    ]);
    assert.equal(cluster.values("state")?.["server_id"], one?.[0]);
  });

  test("is the same for two pods that start at once, where the Secret is empty", async () => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("state", {});
    const pods = [pod(cluster), pod(cluster, { serverId: OTHER_ID })];
    await Promise.all(pods.map(({ state }) => state.start()));
    const [one, other] = pods.map(({ state }) => [state.serverId, state.credentials?.password]);
    assert.deepEqual(one, other);
    assert.equal(cluster.requests.filter((asked) => asked === "patch secrets").length, 2);
  });

  test("is written to a Secret that is deleted between reading and writing", async () => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("state", {});
    cluster.before = (asked) => {
      if (asked === "patch secrets") cluster.secrets.clear();
    };
    const { state, log } = pod(cluster);
    await state.start();
    assert.equal(cluster.values("state")?.["server_id"], state.serverId);
    assert.deepEqual(log.of("warn"), []);
  });

  test("gives way to a Secret that always changes, says so once, and comes later", async () => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("state", {});
    cluster.before = (asked) => {
      if (asked === "patch secrets") cluster.putSecret("state", {});
    };
    const { state, clock, log } = pod(cluster);
    await state.start();
    assert.equal(cluster.requests.length, 12);
    assert.deepEqual(
      log.of("warn").map(({ fields }) => fields["code"]),
      ["KUBERNETES_CONFLICT"],
    );
    cluster.before = () => {};
    await clock.advanceSettling(2000);
    assert.equal(cluster.values("state")?.["server_id"], OWN_ID);
  });
});

describe("the log of the state in a Secret", () => {
  test("has how to read the password and never the password", async () => {
    const cluster = new FakeKubernetes();
    const { state, log } = pod(cluster);
    await state.start();
    const next = pod(cluster);
    await next.state.start();
    for (const lines of [log, next.log]) {
      assert.equal(lines.text.includes(state.credentials!.password), false);
      assert.deepEqual(
        lines.of("info").map(({ fields }) => fields),
        [
          { secret: "media/state", key: "server_id", serverId: OWN_ID },
          {
            secret: "media/state",
            read: "kubectl -n media get secret state -o jsonpath='{.data.edit_auth}' | base64 -d",
          },
        ],
      );
    }
  });
});

describe("without a permission or a Secret", () => {
  test("to have one more of them in the namespace the server says so, and names no rule", async () => {
    const message = 'secrets "state" is forbidden: exceeded quota: few, limited: count/secrets=5';
    const cluster = new FakeKubernetes();
    const answer = cluster.answer.bind(cluster);
    cluster.answer = (request, token) =>
      request.method === "GET"
        ? answer(request, token)
        : { status: 403, body: JSON.stringify({ message }) };
    const { state, log } = pod(cluster);
    await state.start();
    state.stop();
    const [line] = log.of("warn");
    assert.equal(line?.fields["code"], "KUBERNETES_DENIED");
    assert.match(String(line?.fields["reason"]), /exceeded quota: few, limited: count\/secrets=5$/);
  });

  const CASES: readonly {
    name: string;
    allowed: readonly string[];
    has?: boolean;
    code: string;
    says: RegExp;
  }[] = [
    {
      name: "to read it",
      allowed: [],
      code: "KUBERNETES_FORBIDDEN",
      says: /may not get secrets "state" .*verbs: \[get, patch\]/,
    },
    {
      name: "to create it",
      allowed: ["get secrets", "patch secrets"],
      code: "KUBERNETES_SECRET_MISSING",
      says: /no Secret "state" in namespace "media".*kubectl -n media create secret generic state;.*verbs: \[create\]/,
    },
    {
      name: "to write it",
      allowed: ["get secrets"],
      has: true,
      code: "KUBERNETES_FORBIDDEN",
      says: /may not patch secrets "state"/,
    },
  ];
  for (const { name, allowed, has, code, says } of CASES) {
    test(`${name} the server runs with an id of its own, says what is missing once, and takes it when it comes`, async () => {
      const cluster = new FakeKubernetes();
      if (has === true) cluster.putSecret("state", {});
      cluster.allowed = allowed;
      const { state, clock, log } = pod(cluster);
      await state.start();
      await clock.advanceSettling(600_000, 1000);
      assert.deepEqual([state.serverId, state.credentials], [OWN_ID, undefined]);
      const warnings = log.of("warn");
      assert.equal(warnings.length, 1);
      assert.equal(warnings[0]?.fields["code"], code);
      assert.match(String(warnings[0]?.fields["reason"]), says);
      cluster.allowed = null;
      await clock.advanceSettling(80_000, 1000);
      assert.equal(cluster.values("state")?.["edit_auth"], `admin:${state.credentials?.password}`);
      assert.equal(clock.pendingTimers, 0);
    });
  }

  test("what the Secret already has is taken, though nothing may be added", async () => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("state", { server_id: OTHER_ID });
    cluster.allowed = ["get secrets"];
    const { state } = pod(cluster);
    await state.start();
    assert.equal(state.serverId, OTHER_ID);
  });

  test("a Secret that may not be changed is told of with the reason of the API server", async () => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("state", {});
    cluster.secrets.get("media/state")!.immutable = true;
    const { state, log } = pod(cluster);
    await state.start();
    assert.equal(log.of("warn")[0]?.fields["code"], "KUBERNETES_REFUSED");
    assert.match(String(log.of("warn")[0]?.fields["reason"]), /with 422: .*field is immutable$/);
  });

  test("a pod without a service account is told of, and not asked for again", async () => {
    const cluster = new FakeKubernetes();
    const transport = cluster.transport();
    const log = new RecordingLog();
    const clock = new FakeClock();
    const state = new SecretState({
      api: new KubernetesApi({
        ...transport,
        namespace: () =>
          Promise.reject(
            kubernetesErrors.error("KUBERNETES_NO_TOKEN", { path: "/x/namespace", reason: "ENOENT" }),
          ),
      }),
      secret: { name: "state" },
      clock,
      log,
      serverId: OWN_ID,
      serverIdKey: "server_id",
      wantsCredentials: true,
      readCredentials,
    });
    await state.start();
    assert.deepEqual(log.of("warn")[0]?.fields, {
      reason: "the pod has no service account: /x/namespace cannot be read (ENOENT)",
      code: "KUBERNETES_NO_TOKEN",
      secret: "state",
      isTriedAgain: false,
    });
    assert.equal(clock.pendingTimers, 0);
  });
});

describe("a value of the Secret that is of no use", () => {
  const CASES: readonly [name: string, key: string, stored: string, says: RegExp][] = [
    ["that is not base64", "edit_auth", "root:password", /key "edit_auth" .*: it is not base64$/],
    ["that is not text", "edit_auth", "/////w==", /it is not UTF-8 text$/],
    ["that the reader of credentials refuses", "edit_auth", "YWJj", /there is no colon$/],
    ["that is base64 twice", "server_id", base64(base64(OTHER_ID)), /base64 twice: encode it once$/],
    ["with a byte order mark", "server_id", base64(`\uFEFF${OTHER_ID}`), /byte order mark/],
    ["with two lines", "server_id", base64(`${OTHER_ID}\r\n${OTHER_ID}`), /letters, digits and hyphens/],
  ];
  for (const [name, key, stored, says] of CASES) {
    test(`${name} is left as it is and told of, and the rest is kept`, async () => {
      const cluster = new FakeKubernetes();
      cluster.putRawSecret("state", { [key]: stored });
      const { state, clock, log } = pod(cluster);
      await state.start();
      await clock.advanceSettling(300_000, 1000);
      const data = cluster.secrets.get("media/state")!.data;
      assert.equal(data[key], stored);
      assert.deepEqual(Object.keys(data).toSorted(), ["edit_auth", "server_id"]);
      assert.equal(log.of("warn").length, 1);
      assert.equal(log.of("warn")[0]?.fields["code"], "KUBERNETES_BAD_SECRET");
      assert.match(String(log.of("warn")[0]?.fields["reason"]), says);
      assert.deepEqual([state.serverId, state.credentials === undefined], [OWN_ID, key === "edit_auth"]);
      cluster.putSecret("state", { server_id: OTHER_ID, edit_auth: "root:mended" });
      await clock.advanceSettling(80_000, 1000);
      assert.equal(state.serverId, OTHER_ID);
      if (key === "edit_auth") assert.equal(state.credentials?.password, "mended");
      assert.equal(clock.pendingTimers, 0);
    });
  }

  test("is none when line ends stand behind it, of either kind", async () => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("state", { server_id: `${OTHER_ID}\r\n`, edit_auth: "root:secret\n" });
    const { state, log } = pod(cluster);
    await state.start();
    assert.deepEqual(
      [state.serverId, state.credentials],
      [OTHER_ID, { login: "root", password: "secret" }],
    );
    assert.deepEqual(log.of("warn"), []);
  });
});

describe("an API server that is away", () => {
  test("holds the start up for 2 s and no longer", async () => {
    const cluster = new FakeKubernetes();
    cluster.fault = "hang";
    const { state, clock } = pod(cluster);
    let isStarted = false;
    const started = state.start().then(() => (isStarted = true));
    await clock.advanceSettling(START_WAIT_MS - 1);
    assert.equal(isStarted, false);
    await clock.advanceSettling(1);
    await started;
    assert.equal(state.serverId, OWN_ID);
    state.stop();
  });

  test("for an hour is asked with growing pauses and one line in the log, and then gives what it has", async () => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("state", { server_id: OTHER_ID, edit_auth: "root:secret" });
    cluster.fault = "close";
    const { state, clock, log } = pod(cluster);
    await state.start();
    const pauses: number[] = [];
    let askedAtUs = clock.nowUs();
    let said = log.lines.length;
    for (let elapsedMs = 0; elapsedMs < HOUR_MS; elapsedMs += 100) {
      await clock.advanceSettling(100);
      if (log.lines.length === said) continue;
      said = log.lines.length;
      pauses.push(Math.round((clock.nowUs() - askedAtUs) / 1e6));
      askedAtUs = clock.nowUs();
    }
    // With `random` at a half each pause is a tenth longer than its step.
    assert.deepEqual(pauses.slice(0, 8), [1, 2, 4, 9, 18, 35, 66, 66]);
    assert.ok(pauses.length > 50 && pauses.length < 65, `${pauses.length} times in an hour`);
    assert.deepEqual([state.serverId, state.credentials], [OWN_ID, undefined]);
    assert.deepEqual(
      log.of("warn").map(({ fields }) => fields["reason"]),
      ["the Kubernetes API at 10.96.0.1:443 cannot be reached: connect ECONNREFUSED"],
    );
    cluster.fault = "none";
    await clock.advanceSettling(70_000);
    assert.deepEqual(
      [state.serverId, state.credentials],
      [OTHER_ID, { login: "root", password: "secret" }],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  test("and then refuses is told of again, since it is another reason", async () => {
    const cluster = new FakeKubernetes();
    cluster.fault = "garbage";
    const { state, clock, log } = pod(cluster);
    await state.start();
    cluster.fault = "overloaded";
    await clock.advanceSettling(5000);
    assert.deepEqual(
      log.of("warn").map(({ fields }) => fields["code"]),
      ["KUBERNETES_BAD_REPLY", "KUBERNETES_UNAVAILABLE"],
    );
    state.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  test("is not asked after the server stops, and nothing that comes late is taken", async () => {
    const cluster = new FakeKubernetes();
    const { state, clock, log } = pod(cluster);
    cluster.before = () => state.stop();
    await state.start();
    assert.deepEqual([cluster.requests, cluster.values("state")], [["get secrets"], undefined]);
    assert.deepEqual([state.serverId, log.lines], [OWN_ID, []]);
    state.stop();
    state.wantCredentials(true);
    await clock.advanceSettling(HOUR_MS, 60_000);
    assert.equal(cluster.requests.length, 1);
  });
});

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
