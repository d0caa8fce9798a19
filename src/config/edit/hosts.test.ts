import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MediaError } from "../../base/errors.ts";
import { readTokens } from "../lexer.ts";
import { SourceText } from "../place.ts";
import { ProblemList } from "../problem.ts";
import { checkHosts, hostFault, hostsOf } from "./hosts.ts";

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

const FAULTS: readonly [host: string, allowed: readonly string[], isAllowed: boolean][] = [
  ["example.com", [], true],
  ["169.254.169.254", [], false],
  ["metadata.google.internal", [], false],
  ["fd00:ec2::254", [], false],
  ["169.254.169.254", ["169.254.0.0/16"], true],
  ["example.com", ["example.org"], false],
  ["example.org", ["example.org"], true],
  ["a.example.org", ["*.example.org"], true],
  ["example.org", ["*.example.org"], false],
  ["badexample.org", ["*.example.org"], false],
  ["10.1.2.3", ["10.0.0.0/8"], true],
  ["11.1.2.3", ["10.0.0.0/8"], false],
  ["2001:db8::1", ["2001:db8::/32"], true],
  ["2001:db9::1", ["2001:db8::/32"], false],
];

for (const [host, allowed, isAllowed] of FAULTS) {
  test(`${host} is ${isAllowed ? "asked" : "not asked"} where ${allowed.join(" ") || "nothing"} is listed`, () => {
    assert.equal(hostFault(host, allowed) === undefined, isAllowed);
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
