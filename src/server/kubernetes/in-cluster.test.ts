import assert from "node:assert/strict";
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { selfSigned } from "../../../test/support/certificate.ts";
import { serveKubernetes } from "../../../test/support/fake-kubernetes.ts";
import { freePort } from "../../../test/support/free-port.ts";
import { systemClock } from "../../base/clock.ts";
import { KubernetesApi } from "../../kubernetes/api.ts";
import { connectInCluster } from "./in-cluster.ts";
import type { ServedKubernetes } from "../../../test/support/fake-kubernetes.ts";

const STATE = { namespace: "media", name: "state" };

function connect(served: ServedKubernetes, timeoutMs = 5000): KubernetesApi {
  const { env, directory } = served;
  return new KubernetesApi(
    connectInCluster({ env, clock: systemClock, serviceAccount: directory }),
    timeoutMs,
  );
}

describe("the way to the API server from within a pod", () => {
  test("speaks TLS, and shows the token that lies there at that moment", async (t) => {
    const served = await serveKubernetes(t);
    const api = connect(served);
    assert.equal(await api.namespace(), "media");
    assert.equal(await api.readSecret(STATE), null);
    served.cluster.token = "token-2";
    await assert.rejects(api.readSecret(STATE), { code: "KUBERNETES_UNAUTHORIZED" });
    await writeFile(join(served.directory, "token"), "token-2\n");
    await api.createSecret(STATE, { server_id: "\u00e4\u4e2d" });
    const secret = await api.readSecret(STATE);
    await api.patchSecret(STATE, { more: "x" }, secret!.resourceVersion);
    assert.deepEqual(served.cluster.values("state"), { server_id: "\u00e4\u4e2d", more: "x" });
  });

  for (const name of ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"]) {
    test(`is not there without ${name}`, () => {
      const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443", [name]: " " };
      assert.throws(() => connectInCluster({ env, clock: systemClock }), {
        code: "KUBERNETES_NOT_IN_CLUSTER",
        message: `this is not a pod of a cluster: ${name} is not set`,
      });
    });
  }

  for (const port of ["abc", "0", "65536", "99999", "443x", "-1", "4 43", "1e3"]) {
    test(`is not there at port ${port}`, () => {
      const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: port };
      assert.throws(() => connectInCluster({ env, clock: systemClock }), {
        code: "KUBERNETES_BAD_ADDRESS",
        message: `KUBERNETES_SERVICE_PORT is not what Kubernetes sets it to: "${port}"`,
      });
    });
  }

  test("is not there at a host that is no name", () => {
    const env = { KUBERNETES_SERVICE_HOST: "a\r\nb", KUBERNETES_SERVICE_PORT: "443" };
    assert.throws(() => connectInCluster({ env, clock: systemClock }), {
      code: "KUBERNETES_BAD_ADDRESS",
      message: 'KUBERNETES_SERVICE_HOST is not what Kubernetes sets it to: "a\\r\\nb"',
    });
  });

  for (const name of ["token", "ca.crt", "namespace"]) {
    test(`is not there without the file ${name}`, async (t) => {
      const served = await serveKubernetes(t);
      await rm(join(served.directory, name));
      const api = connect(served);
      await assert.rejects(
        name === "namespace" ? api.namespace() : api.readSecret(STATE),
        (error: Error) => {
          assert.match(
            error.message,
            new RegExp(`^the pod has no service account: \\S+/${name} cannot be read`),
          );
          return "code" in error && error.code === "KUBERNETES_NO_TOKEN";
        },
      );
    });
  }

  test("says that nobody listens there", async (t) => {
    const served = await serveKubernetes(t);
    const port = await freePort();
    const env = { ...served.env, KUBERNETES_SERVICE_PORT: String(port) };
    await assert.rejects(connect({ ...served, env }).readSecret(STATE), {
      code: "KUBERNETES_UNREACHABLE",
      message: `the Kubernetes API at 127.0.0.1:${port} cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });

  for (const fault of ["close", "half"] as const) {
    test(`says that the connection broke (${fault})`, async (t) => {
      const served = await serveKubernetes(t);
      served.cluster.fault = fault;
      await assert.rejects(connect(served).readSecret(STATE), { code: "KUBERNETES_UNREACHABLE" });
    });
  }

  for (const fault of ["garbage", "huge"] as const) {
    test(`says that the reply is none (${fault})`, async (t) => {
      const served = await serveKubernetes(t);
      served.cluster.fault = fault;
      await assert.rejects(connect(served).readSecret(STATE), { code: "KUBERNETES_BAD_REPLY" });
    });
  }

  test("waits no longer than it should for a reply", async (t) => {
    const served = await serveKubernetes(t);
    served.cluster.fault = "hang";
    await assert.rejects(connect(served, 50).readSecret(STATE), {
      code: "KUBERNETES_TIMEOUT",
      message: `the Kubernetes API at 127.0.0.1:${served.env["KUBERNETES_SERVICE_PORT"]} did not answer within 50 ms`,
    });
  });

  test("ends what is under way when it is closed, and begins nothing more", async (t) => {
    const served = await serveKubernetes(t);
    served.cluster.fault = "hang";
    const { env, directory } = served;
    const transport = connectInCluster({ env, clock: systemClock, serviceAccount: directory });
    const request = {
      method: "GET",
      path: "/api/v1/namespaces/media/secrets/state",
      timeoutMs: 60_000,
    } as const;
    const waiting = assert.rejects(transport.send(request), { code: "KUBERNETES_UNREACHABLE" });
    setTimeout(() => transport.close(), 50);
    await waiting;
    await assert.rejects(transport.send(request), { code: "KUBERNETES_UNREACHABLE" });
  });
});

describe("an API server that cannot prove who it is", () => {
  const rejection = (says: RegExp) => (error: Error) => {
    assert.match(
      error.message,
      /^the Kubernetes API at 127\.0\.0\.1:\d+ cannot prove who it is against \S+ca\.crt: /,
    );
    assert.match(error.message, says);
    return "code" in error && error.code === "KUBERNETES_TLS";
  };

  test("since its certificate is of another authority", async (t) => {
    const served = await serveKubernetes(t);
    await writeFile(join(served.directory, "ca.crt"), selfSigned().cert);
    await assert.rejects(connect(served).readSecret(STATE), rejection(/self-signed|unable to|signature/i));
    assert.deepEqual(served.cluster.requests, []);
  });

  test("since its certificate is for another address", async (t) => {
    const served = await serveKubernetes(t, { certificate: { address: "127.0.0.2" } });
    await assert.rejects(connect(served).readSecret(STATE), rejection(/127\.0\.0\.1/));
    assert.deepEqual(served.cluster.requests, []);
  });

  test("since its certificate is out of date", async (t) => {
    const served = await serveKubernetes(t, { certificate: { isExpired: true } });
    await assert.rejects(connect(served).readSecret(STATE), rejection(/expired/));
  });

  test("since it speaks no TLS", async (t) => {
    const server = createServer((socket) =>
      socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const served = await serveKubernetes(t);
    const env = { ...served.env, KUBERNETES_SERVICE_PORT: String((server.address() as AddressInfo).port) };
    await assert.rejects(
      connect({ ...served, env }).readSecret(STATE),
      rejection(/wrong version|packet length/i),
    );
  });
});

describe("a service account that is of no use", () => {
  const CASES: readonly [what: string, file: string, text: string, says: RegExp][] = [
    ["no authority", "ca.crt", "", /ca\.crt is empty$/],
    ["garbage for an authority", "ca.crt", "nothing\n", /ca\.crt has no certificate in it$/],
    [
      "a certificate of garbage for an authority",
      "ca.crt",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      /ca\.crt has a certificate in it that cannot be read \(.+\)$/,
    ],
    ["no token", "token", "\n", /token is empty$/],
    ["a token on two lines", "token", "one\ntwo", /token has characters in it that no token has$/],
    ["a token with a byte order mark inside", "token", "one\uFEFFtwo", /that no token has$/],
    ["a token that is not ASCII", "token", "t\u00f6ken", /that no token has$/],
    ["no namespace", "namespace", "", /namespace is empty$/],
    ["a path for a namespace", "namespace", "../kube-system", /no name of a namespace in it$/],
  ];
  for (const [what, file, text, says] of CASES) {
    test(`with ${what} asks nobody, and says which file it is`, async (t) => {
      const served = await serveKubernetes(t);
      await writeFile(join(served.directory, file), text);
      const api = connect(served);
      const asked = file === "namespace" ? api.namespace() : api.readSecret(STATE);
      await assert.rejects(asked, (error: Error) => {
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /one|two|kube-system/);
        return "code" in error && error.code === "KUBERNETES_BAD_TOKEN";
      });
      assert.deepEqual(served.cluster.requests, []);
    });
  }

  test("with a file of fifty megabytes is not read", async (t) => {
    const served = await serveKubernetes(t);
    await truncate(join(served.directory, "ca.crt"), 50_000_000);
    await assert.rejects(connect(served).readSecret(STATE), {
      code: "KUBERNETES_NO_TOKEN",
      message: /ca\.crt cannot be read \(it has over 1048576 bytes\)$/,
    });
  });

  test("is none when ca.crt has its authority twice, with text around, as clusters that renew it have", async (t) => {
    const served = await serveKubernetes(t);
    const own = await readFile(join(served.directory, "ca.crt"), "utf8");
    await writeFile(join(served.directory, "ca.crt"), `# old\n${own}# new\n${own}\n`);
    assert.equal(await connect(served).readSecret(STATE), null);
  });
});
