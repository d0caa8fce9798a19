import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseHash } from "../auth/credentials/hash-format.ts";
import type { HashAlgorithm } from "../auth/credentials/hash-format.ts";
import { isPasswordOf } from "../auth/credentials/password-hash.ts";
import { hashPasswordCommand } from "./hash-password.ts";
import { readSecret } from "./read-secret.ts";
import type { SecretInput } from "./read-secret.ts";

function inputOf(chunks: readonly string[], isTTY = false): SecretInput & { raw: boolean[] } {
  const raw: boolean[] = [];
  return {
    raw,
    isTTY,
    setRawMode: (isRaw) => raw.push(isRaw),
    async *[Symbol.asyncIterator]() {
      for (const chunk of chunks) yield await Promise.resolve(chunk);
    },
  };
}

async function run(
  input: SecretInput,
  algorithm: HashAlgorithm = "scrypt",
): Promise<[number, string, string]> {
  let [out, err] = ["", ""];
  const io = {
    stdout: (text: string) => void (out += text),
    stderr: (text: string) => void (err += text),
    env: {},
    isTty: false,
  };
  const code = await hashPasswordCommand({ algorithm }, io, () => readSecret(io, input));
  return [code, out, err];
}

describe("weir hash-password", () => {
  test("prints the hash of standard input, without the line end behind it", async () => {
    const [code, out, err] = await run(inputOf(["sec", "ret\r\n"]));
    assert.deepEqual([code, err], [0, ""]);
    const hash = parseHash(out.trimEnd());
    assert.ok(!("fault" in hash));
    assert.equal(await isPasswordOf("secret", hash), true);
  });

  test("asks a terminal twice, shows nothing of it, and leaves the terminal as it was", async () => {
    const input = inputOf(["secx\u007F", "ret\r", "secret", "\r"], true);
    const [code, out, err] = await run(input, "argon2id");
    assert.equal(code, 0);
    assert.match(out, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}\n$/);
    assert.equal(err, "Password: \nAgain: \n");
    assert.deepEqual(input.raw, [true, false]);
  });

  const refused: readonly [what: string, input: SecretInput, algorithm: HashAlgorithm, err: RegExp][] = [
    ["nothing", inputOf(["\n"]), "scrypt", /there is no password/],
    ["Ctrl-C", inputOf(["abc\u0003"], true), "scrypt", /there is no password/],
    ["two passwords", inputOf(["a\rb\r"], true), "scrypt", /not the same/],
    ["something short for sha256", inputOf(["abc"]), "sha256", /random tokens/],
    ["something endless", inputOf(Array.from({ length: 100 }, () => "x".repeat(1000))), "scrypt", /4096/],
  ];
  for (const [what, input, algorithm, message] of refused)
    test(`says why it does not take ${what}`, async () => {
      const [code, out, err] = await run(input, algorithm);
      assert.deepEqual([code, out], [1, ""]);
      assert.match(err, message);
    });

  test("names its errors as others do", async () => {
    await assert.rejects(readSecret({ stderr() {} }, inputOf(["a\rb\r"], true)), {
      code: "AUTH_SECRETS_DIFFER",
    });
  });
});
