/** The examples of docs/access.md make tokens that are taken. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { SessionClaim } from "../claim.ts";
import { createTokenCheck } from "./check-token.ts";
import type { TokenAuthorizer } from "./token-result.ts";

const page = readFileSync(new URL("../../../docs/access.md", import.meta.url), "utf8");
// Of what stands before it nothing makes a token.
const tokens = page.slice(page.indexOf("\n## Tokens"));
const examples = [...tokens.matchAll(/```(sh|js|python)\n([^]*?)```/g)].map(([, language, code]) => ({
  language: language!,
  code: code!,
}));

const commands: Record<string, (code: string) => readonly [string, string[]]> = {
  sh: (code) => ["bash", ["-c", code]],
  js: (code) => [process.execPath, ["--input-type=module", "-e", `${code}\nconsole.log(token);`]],
  python: (code) => ["python3", ["-c", `${code}\nprint(token)`]],
};

function authorizerOf(token: string): TokenAuthorizer {
  if (token.startsWith("v1.")) return { kind: "signed", key: "s3cret" };
  if (!token.startsWith("ey")) return { kind: "securetoken", key: "s3cret", checksAddress: true };
  return { kind: "jwt", rules: { name: "portal", algorithms: ["HS256"], secret: "s3cret" } };
}

test("the page has examples", () => assert.equal(examples.length, 5));

for (const [i, { language, code }] of examples.entries())
  test(`example ${i + 1} of the page, in ${language}, makes a token that is taken`, async (t) => {
    const [program, args] = commands[language]!(code);
    const { stdout, error } = spawnSync(program, args, { encoding: "utf8", timeout: 20_000 });
    if (error !== undefined) return t.skip(`${program} does not run here`);
    const token = stdout.trim().split("token=").at(-1)!;
    const nothing = (): Promise<string> => Promise.reject(new Error("nothing is outside"));
    const check = createTokenCheck({ clock: new FakeClock(), fetchText: nothing, readText: nothing });
    const claim: SessionClaim = {
      ...{ kind: "play", name: "live/news", proto: "hls", ip: "192.0.2.10" },
      ...{ extraKeys: "", isTls: false, isDvr: false, token },
    };
    const result = await check(authorizerOf(token), claim, Date.now());
    assert.deepEqual({ ...result, expiresMs: 0, userId: "" }, { allowed: true, expiresMs: 0, userId: "" });
  });
