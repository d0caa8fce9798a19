import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readBucketUrl, showBucketUrl } from "./bucket-url.ts";
import { checkBucketUrl } from "./recording-words.fuzz.ts";
import type { BucketPlan } from "./bucket-url.ts";

const KEYS = { accessKey: "AKIA1", secretKey: "hunter2" };

/** Each with its own spelling, where that is another one. */
const GOOD: readonly [text: string, bucket: BucketPlan, shown?: string][] = [
  ["s3://h/buc", { endpoint: "https://h", bucket: "buc", prefix: "" }],
  [
    "s3://H.Example.org/buc/",
    { endpoint: "https://h.example.org", bucket: "buc", prefix: "" },
    "s3://h.example.org/buc",
  ],
  ["S3://h/buc", { endpoint: "https://h", bucket: "buc", prefix: "" }, "s3://h/buc"],
  ["s3://AKIA1:hunter2@h/buc/a/b", { endpoint: "https://h", bucket: "buc", prefix: "a/b", ...KEYS }],
  // A port tells what is spoken, unless the scheme does.
  ["s3://h:9000/buc", { endpoint: "http://h:9000", bucket: "buc", prefix: "" }],
  ["s3://h:80/buc", { endpoint: "http://h:80", bucket: "buc", prefix: "" }],
  ["s3://h:443/buc", { endpoint: "https://h", bucket: "buc", prefix: "" }, "s3://h/buc"],
  ["s3s://h:9000/buc", { endpoint: "https://h:9000", bucket: "buc", prefix: "" }],
  ["s3s://h/buc", { endpoint: "https://h", bucket: "buc", prefix: "" }, "s3://h/buc"],
  ["s3://[::1]:9000/buc", { endpoint: "http://[::1]:9000", bucket: "buc", prefix: "" }],
  ["s3://[2001:db8::1]/buc", { endpoint: "https://[2001:db8::1]", bucket: "buc", prefix: "" }],
  [
    "s3://127.0.0.1:9000/My_Bucket.2",
    { endpoint: "http://127.0.0.1:9000", bucket: "My_Bucket.2", prefix: "" },
  ],
  // Secrets of Amazon have "/", "+" and "=" in them.
  [
    "s3://AKIA1:se/c+r=t:@h/buc",
    { endpoint: "https://h", bucket: "buc", prefix: "", accessKey: "AKIA1", secretKey: "se/c+r=t:" },
    "s3://AKIA1:se%2Fc%2Br%3Dt%3A@h/buc",
  ],
  [
    "s3://AKIA1:a@b%25?c@h/buc",
    { endpoint: "https://h", bucket: "buc", prefix: "", accessKey: "AKIA1", secretKey: "a@b%?c" },
    "s3://AKIA1:a%40b%25%3Fc@h/buc",
  ],
  [
    "s3://h/buc/a%40b/caf%C3%A9%20%3f",
    { endpoint: "https://h", bucket: "buc", prefix: "a@b/caf\u00e9 ?" },
    "s3://h/buc/a%40b/caf%C3%A9%20%3F",
  ],
  // Regions.
  [
    "s3://h/buc?region=eu-west-1",
    { endpoint: "https://h", bucket: "buc", prefix: "", region: "eu-west-1" },
  ],
  [
    "s3://s3.eu-central-1.amazonaws.com/buc/p",
    {
      endpoint: "https://s3.eu-central-1.amazonaws.com",
      bucket: "buc",
      prefix: "p",
      region: "eu-central-1",
    },
  ],
  [
    "s3s://s3-us-west-004.example.org:8443/buc",
    {
      endpoint: "https://s3-us-west-004.example.org:8443",
      bucket: "buc",
      prefix: "",
      region: "us-west-004",
    },
  ],
  [
    "s3://s3.dualstack.us-gov-west-1.amazonaws.com/buc",
    {
      endpoint: "https://s3.dualstack.us-gov-west-1.amazonaws.com",
      bucket: "buc",
      prefix: "",
      region: "us-gov-west-1",
    },
  ],
  [
    "s3://s3.eu-central-1.amazonaws.com/buc?region=eu-west-1",
    { endpoint: "https://s3.eu-central-1.amazonaws.com", bucket: "buc", prefix: "", region: "eu-west-1" },
  ],
  ["s3://s3.amazonaws.com/buc", { endpoint: "https://s3.amazonaws.com", bucket: "buc", prefix: "" }],
  ["s3://s3.my-company.co.uk/buc", { endpoint: "https://s3.my-company.co.uk", bucket: "buc", prefix: "" }],
];

for (const [text, bucket, shown = text] of GOOD) {
  test(`${text} is a bucket`, () => {
    assert.deepEqual(readBucketUrl(text), { bucket });
    assert.equal(showBucketUrl(bucket, { secrets: true }), shown);
    const { accessKey: _key, secretKey: _secret, ...open } = bucket;
    assert.deepEqual(readBucketUrl(showBucketUrl(bucket, { secrets: false })), { bucket: open });
  });
}

/** What is wrong with a text must be said without the text. */
const BAD: readonly [text: string, fault: RegExp][] = [
  ["", /no URL of a bucket/],
  ["hunter2", /no URL of a bucket/],
  ["s3:/h/buc", /no URL of a bucket/],
  ["http://h/buc", /no URL of a bucket/],
  ["swift://k:hunter2@h/buc", /no URL of a bucket/],
  ["s3://", /no host/],
  ["s3:///buc", /no host/],
  ["s3://:9000/buc", /no host/],
  ["s3://h:0/buc", /no host/],
  ["s3://h:65536/buc", /no host/],
  ["s3://h:hunter2/buc", /no host/],
  ["s3://k:hunter2/h/buc", /no host/],
  ["s3://-h/buc", /no host/],
  ["s3://a b/buc", /no host/],
  ["s3://[::g]/buc", /no host/],
  ["s3://[::1/buc", /no host/],
  [`s3://${"h".repeat(254)}/buc`, /no host/],
  ["s3://h", /no bucket/],
  ["s3://h/", /no bucket/],
  ["s3://h//buc", /no bucket/],
  ["s3://k:hunter2@h", /no bucket/],
  ["s3://h/ab", /no good name/],
  ["s3://h/-abc", /no good name/],
  ["s3://h/caf%C3%A9", /no good name/],
  ["s3://h/buc%2Fket", /no good name/],
  [`s3://h/${"a".repeat(64)}`, /no good name/],
  ["s3://h/buc/a//b", /empty/],
  ["s3://h/buc//", /empty/],
  ["s3://h/buc/../b", /"\.\."/],
  ["s3://h/buc/%2e%2E", /"\.\."/],
  ["s3://h/buc/.", /"\."/],
  ["s3://h/buc/a%2Fb", /has a \/ in it/],
  ["s3://h/buc/a%0Ab", /control character/],
  ["s3://h/buc/\uD800", /control character/],
  ["s3://h/buc/%", /escape/],
  ["s3://h/buc/%C3", /escape/],
  [`s3://h/buc/${"\u00e9".repeat(257)}`, /longer than 512 bytes/],
  ["s3://k:hunter2%@h/buc", /escape/],
  ["s3://@h/buc", /not KEY:SECRET/],
  ["s3://hunter2@h/buc", /not KEY:SECRET/],
  ["s3://:hunter2@h/buc", /not KEY:SECRET/],
  ["s3://hunter2:@h/buc", /not KEY:SECRET/],
  ["s3://k:hunter2%20@h/buc", /odd character/],
  ["s3://k:hunter2\u00e9@h/buc", /odd character/],
  [`s3://${"k".repeat(129)}:hunter2@h/buc`, /too long/],
  [`s3://k:${"hunter2".repeat(37)}@h/buc`, /too long/],
  ["s3://h/buc?", /no region/],
  ["s3://h/buc?region=", /no region/],
  ["s3://h/buc?region=EU", /no region/],
  ["s3://h/buc?secret=hunter2", /no region/],
  ["s3://h/buc?region=a&secret=hunter2", /no region/],
];

for (const [text, fault] of BAD) {
  test(`${JSON.stringify(text.slice(0, 60))} is no bucket`, () => {
    const read = readBucketUrl(text);
    assert.ok("fault" in read);
    assert.match(read.fault, fault);
    assert.doesNotMatch(JSON.stringify(read), /hunter2/);
  });
}

test("a URL of a bucket that is cut anywhere is a bucket or a fault that tells no secret", () => {
  for (const [text] of GOOD)
    for (let cut = 0; cut <= text.length; cut++) checkBucketUrl(text.slice(0, cut));
});

test("whatever is in a bucket's plan, it is written so that it reads back the same", () => {
  const key = fc.stringMatching(/^[\x21-\x7E]{1,40}$/);
  const part = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 3 })
    .filter((text) => !/[\p{Cc}\p{Cs}/]/u.test(text) && text !== "." && text !== "..");
  const buckets = fc.record(
    {
      endpoint: fc.constantFrom(
        "https://h",
        "http://h:1",
        "https://h:8443",
        "http://[::1]:80",
        "https://[::1]",
      ),
      bucket: fc.stringMatching(/^[A-Za-z0-9][\w.-]{2,20}$/),
      prefix: fc.array(part, { maxLength: 3 }).map((parts) => parts.join("/")),
      keys: fc.tuple(key, key),
      region: fc.constantFrom("eu-west-1", "x"),
    },
    { requiredKeys: ["endpoint", "bucket", "prefix"] },
  );
  fc.assert(
    fc.property(buckets, ({ keys, ...open }) => {
      const bucket = keys === undefined ? open : { ...open, accessKey: keys[0], secretKey: keys[1] };
      const shown = showBucketUrl(bucket, { secrets: true });
      assert.match(shown, /^[\x21-\x7E]{1,4096}$/);
      assert.deepEqual(readBucketUrl(shown), { bucket });
    }),
  );
});
