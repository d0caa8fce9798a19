import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { copyRules } from "./copies.ts";

function configOf(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "flussonic.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

test("what the configuration in force says of copies", () => {
  let config = configOf(`
    dvr kept { root /kept; copy s3://KEY:SECRET@minio:9000/archive/site; cache /cache 10G; }
    template rec { prefix rec; input publish://; dvr @kept; }
    template plain { prefix plain; input publish://; dvr /kept 7d; }
    stream far { input publish://; dvr /far copy=s3://s3.eu-central-1.amazonaws.com/bucket; }
    stream off { input publish://; }
  `);
  const rules = copyRules(() => config);
  assert.deepEqual([...rules.roots()], ["/far", "/kept"]);
  assert.equal(rules.roots(), rules.roots(), "it is found out once");
  assert.deepEqual(rules.of("/kept", "rec/cam/1"), {
    place: {
      ...{ endpoint: "http://minio:9000", bucket: "archive", prefix: "site", region: undefined },
      ...{ accessKey: "KEY", secretKey: "SECRET" },
    },
    cache: { path: "/cache", sizeBytes: 10 * 2 ** 30 },
  });
  const { place, cache } = rules.of("/far", "far")!;
  assert.deepEqual([place.region, place.accessKey, cache], ["eu-central-1", undefined, null]);
  for (const [root, stream] of [
    ["/far", "rec/cam"],
    ["/kept", "far"],
    ["/kept", "plain/cam"],
    ["/kept", "off"],
    ["/kept", "nobody"],
    ["/kept", "not a name"],
    ["/kept", ""],
  ] as const)
    assert.equal(rules.of(root, stream), null, `${root} ${stream}`);
  config = configOf("stream off { input publish://; }");
  assert.equal(rules.roots().size, 0);
  assert.equal(rules.of("/far", "far"), null);
});
