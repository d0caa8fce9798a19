import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MediaError } from "../../base/errors.ts";
import { readTokens } from "../lexer.ts";
import { SourceText } from "../place.ts";
import { ProblemList } from "../problem.ts";
import { checkAllowedHosts, checkHosts, hostsOf } from "./hosts.ts";

const HOSTS: readonly [url: string, hosts: readonly string[]][] = [
  ["http://Example.COM:8080/a", ["example.com"]],
  ["m4f://user:pass@origin.svc/cam", ["origin.svc"]],
  ["rtmp://2852039166/x", ["169.254.169.254"]],
  ["tshttp://0xa9fea9fe/x", ["169.254.169.254"]],
  ["http://[::ffff:169.254.169.254]/", ["169.254.169.254"]],
  ["http://169.254.169.254./", ["169.254.169.254"]],
  ["http://169.254.169.254/x@good.example", ["169.254.169.254", "good.example"]],
  ["http://a@169.254.169.254#@good.example", ["169.254.169.254", "good.example"]],
  ["http://169.254.169.254\\@good.example/", ["169.254.169.254", "good.example"]],
  ["s3://key:se/cret@minio.example:9000/bucket", ["minio.example"]],
  ["publish://", []],
  ["file:///etc/passwd", []],
  ["fake://fake", []],
  ["auth://portal", []],
];

for (const [url, hosts] of HOSTS) {
  test(`${url} leads to ${hosts.join(" or ") || "no host"}`, () => {
    assert.deepEqual(hostsOf(url), hosts);
  });
}

test("only URLs that were not there before are checked, also behind options", () => {
  const before = "stream a { input rtmp://old.example/x; }\n";
  const check = (after: string): void => checkHosts(before, after, ["new.example"]);
  check(`${before}stream b { input rtmp://new.example/x; title "see http://other.example"; }\n`);
  for (const more of ["input http://evil.example;", "dvr /r copy=s3://evil.example/bucket;"]) {
    assert.throws(
      () => check(`${before}stream b { ${more} }\n`),
      (caught: unknown) => caught instanceof MediaError && caught.code === "EDIT_HOST_NOT_ALLOWED",
    );
  }
});

/** A list, the one that the API puts in its place, and the host that is refused. */
const LISTS: readonly [before: string, after: string, host: string | null][] = [
  ["", "portal.example", null],
  ["", "10.0.0.0/8", null],
  ["", "169.254.169.254", "169.254.169.254"],
  ["", "portal.example 0.0.0.0/0", "0.0.0.0/0"],
  ["", "fd00::/8", "fd00::/8"],
  ["", "metadata.google.internal", "metadata.google.internal"],
  ["a.example b.example", "b.example", null],
  ["a.example b.example", "b.example a.example", null],
  ["a.example", "a.example b.example", "b.example"],
  ["a.example", "", "any host"],
  ["169.254.169.254", "169.254.169.254", null],
];

for (const [before, after, host] of LISTS) {
  test(`the API ${host === null ? "may" : "may not"} make "${before}" of allowed_hosts "${after}"`, () => {
    const [old, next] = [before, after].map((text) => text.split(" ").filter((word) => word !== ""));
    const change = (): void => checkAllowedHosts(old!, next!);
    if (host === null) change();
    else assert.throws(change, { code: "EDIT_HOSTS_WIDENED", context: { host } });
  });
}

test("a new URL is found wherever lines are put in, taken out or changed", () => {
  const piece = fc.constantFrom(
    "input http://evil.example;",
    "# http://evil.example",
    '"http://evil.example"',
    "copy=http://evil.example",
    "http://good.example",
    "#",
    '"',
    " ",
    "\n",
    "x",
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  const isRefused = (before: string, after: string): boolean => {
    try {
      checkHosts(before, after, ["good.example"]);
      return false;
    } catch {
      return true;
    }
  };
  fc.assert(
    fc.property(text, text, text, text, (head, was, is, tail) => {
      const [before, after] = [head + was + tail, head + is + tail];
      // A text whose quotes are wrong is never taken.
      const problems = new ProblemList();
      readTokens(new SourceText({ file: "a", text: after }), problems);
      fc.pre(!problems.hasErrors);
      // Against a text without any of its lines all URLs are new.
      const isNew = isRefused("", after) && !isRefused("", before);
      if (isNew) assert.ok(isRefused(before, after));
      assert.ok(!isRefused(before, after) || isRefused("", after));
    }),
  );
});
