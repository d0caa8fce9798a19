/** Who asks, when the configuration does not say: the environment, a web identity as Kubernetes gives it, or nobody. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { inspect } from "node:util";
import { selfSigned } from "../../../test/support/certificate.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeS3 } from "../../../test/support/fake-s3.ts";
import { asMediaError } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { S3Store } from "./s3-store.ts";

/** The environment without anybody's credentials, and with these; it is put back behind the test. */
function environment(context: TestContext, given: Readonly<Record<string, string>>): void {
  const before = { ...process.env };
  context.after(() => {
    process.env = before;
  });
  const others = Object.entries(before).filter(([name]) => !name.startsWith("AWS_"));
  // Neither a file of whoever runs this nor the machine that it runs on.
  const nowhere = { AWS_SHARED_CREDENTIALS_FILE: "/nonexistent", AWS_CONFIG_FILE: "/nonexistent" };
  process.env = { ...Object.fromEntries(others), ...nowhere, AWS_EC2_METADATA_DISABLED: "true", ...given };
}

async function room(context: TestContext, endpoint?: string) {
  const s3 = await FakeS3.start();
  const place = { endpoint: endpoint ?? s3.endpoint, bucket: s3.bucket, prefix: "" };
  const store = new S3Store(place, { clock: new FakeClock(), attempts: 1 });
  context.after(async () => {
    store.close();
    await s3.close();
  });
  const credential = (): string =>
    /Credential=([^/]+)\//.exec(String(s3.requests.at(-1)?.headers["authorization"]))?.[1] ?? "none";
  return { s3, store, credential };
}

async function listen(context: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(async () => await new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function errorOf(attempt: Promise<unknown>): Promise<MediaError> {
  const caught = await attempt.then(
    () => null,
    (error: unknown) => error,
  );
  const error = asMediaError(caught);
  assert.ok(error !== null, `it should have failed with an error of ours: ${inspect(caught)}`);
  return error;
}

test("keys of the environment sign", async (context) => {
  environment(context, { AWS_ACCESS_KEY_ID: "AKIDFROMENV", AWS_SECRET_ACCESS_KEY: "secret-of-env" });
  const { store, credential } = await room(context);
  assert.equal(await store.head("a"), null);
  assert.equal(credential(), "AKIDFROMENV");
});

test("without any credentials, the error says where they are looked for", async (context) => {
  environment(context, {});
  const { s3, store } = await room(context);
  const error = await errorOf(store.head("a"));
  assert.equal(error.code, "OBJECT_NO_CREDENTIALS");
  assert.match(error.message, /there are no credentials for http:\/\/127/);
  assert.equal(s3.requests.length, 0);
});

test("a token that Kubernetes mounts is exchanged for keys, and nothing of either is told", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "weir-token-"));
  context.after(async () => await rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "token"), "token-of-the-pod");
  let isRefused = false;
  const asked: string[] = [];
  const exchange = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      asked.push(body);
      response
        .writeHead(isRefused ? 403 : 200, { "content-type": "text/xml" })
        .end(isRefused ? DENIED : GRANTED);
    });
  });
  const port = await listen(context, exchange);
  environment(context, {
    AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/archive",
    AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "token"),
    AWS_REGION: "eu-west-1",
    AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${port}`,
  });
  const { s3, store, credential } = await room(context);
  assert.equal(await store.head("a"), null);
  assert.match(asked[0] ?? "", /Action=AssumeRoleWithWebIdentity/);
  assert.match(asked[0] ?? "", /WebIdentityToken=token-of-the-pod/);
  assert.equal(credential(), "AKIDOFTHEROLE");
  assert.equal(s3.requests.at(-1)?.headers["x-amz-security-token"], "session-of-the-role");

  isRefused = true;
  const { store: other } = await room(context);
  const error = await errorOf(other.head("a"));
  assert.ok(["OBJECT_NO_CREDENTIALS", "OBJECT_ACCESS_DENIED"].includes(error.code), error.code);
  assert.match(error.message, /Not authorized to perform sts:AssumeRoleWithWebIdentity/);
  assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /token-of-the-pod/);
});

const GRANTED = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>AKIDOFTHEROLE</AccessKeyId><SecretAccessKey>secret-of-the-role</SecretAccessKey>
    <SessionToken>session-of-the-role</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
  </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
const DENIED = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
  <Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message>
  </Error></ErrorResponse>`;

test("a host whose certificate is not believed is OBJECT_UNREACHABLE, and the error says why", async (context) => {
  environment(context, { AWS_ACCESS_KEY_ID: "AKIDFROMENV", AWS_SECRET_ACCESS_KEY: "secret-of-env" });
  const port = await listen(
    context,
    createTlsServer(selfSigned(), (_, response) => response.end()),
  );
  // A host without a scheme is one of https.
  const { store } = await room(context, `127.0.0.1:${port}`);
  const error = await errorOf(store.head("a"));
  assert.equal(error.code, "OBJECT_UNREACHABLE");
  assert.match(error.message, /DEPTH_ZERO_SELF_SIGNED_CERT/);
});
