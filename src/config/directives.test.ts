import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { defaultOf, DIRECTIVES, directiveNames, findDirective, SCOPES, scopesOf } from "./directives.ts";
import { VARIABLES } from "./schema-environment.ts";
import { DVR_OPTIONS, DVR_SETTINGS } from "./schema-dvr.ts";
import { INPUT_OPTIONS } from "./schema-input.ts";
import { usageOf } from "./schema.ts";
import type { Scope } from "./schema.ts";

test("no two directives of a scope have one name", () => {
  for (const scope of SCOPES) {
    const specs = DIRECTIVES.filter((spec) => spec.scopes.includes(scope));
    const names = specs.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])]);
    assert.deepEqual(names, [...new Set(names)], scope);
    assert.deepEqual([...directiveNames(scope)], names);
  }
});

test("every default is a good value of its directive", () => {
  const withDefault = DIRECTIVES.filter((spec) => spec.default !== undefined);
  assert.ok(withDefault.length > 10);
  for (const spec of withDefault) for (const scope of spec.scopes) assert.ok(defaultOf(scope, spec.name));
  assert.throws(() => defaultOf("server", "stream"), TypeError);
  assert.throws(() => defaultOf("server", "nothing"), TypeError);
});

test("every directive says what it does, and every refused one why", () => {
  for (const spec of [...DIRECTIVES, ...INPUT_OPTIONS, ...DVR_OPTIONS, ...VARIABLES]) {
    assert.match(spec.doc, /^[A-Z`"].*\.$/s, spec.name);
    if (spec.status === "refused-until-it-works")
      assert.match(spec.reason, /^(without it|it is|it says|without TLS)/);
  }
  for (const spec of DIRECTIVES) {
    assert.match(usageOf(spec), new RegExp(`^${spec.name}\\b.*[;}]$`));
    if (spec.status !== "works") assert.ok(spec.usage !== undefined, spec.name);
  }
});

test("only the last argument of a directive may be optional or given often", () => {
  for (const spec of DIRECTIVES) {
    if (spec.arguments === "unchecked") continue;
    for (const argument of spec.arguments.slice(0, -1)) {
      assert.ok(argument.optional === undefined && argument.many === undefined, spec.name);
    }
  }
});

/** The words of the dialect's description, by where they stand. */
const KNOWN: readonly [scopes: readonly Scope[], words: string][] = [
  [
    ["server"],
    "http https rtmp rtmps rtsp rtsps turn snmp sip srt srt_play srt_publish edit_auth view_auth api_allowed_from " +
      "cluster_key config_external auth_token loglevel log_requests session_log pulsedb total_bandwidth url_prefix " +
      "geoip max_sessions aliaser init_script wwwroot stream template vod file dvr source peer balancer auth_backend " +
      "event_sink notify cache transponder dvb_card decklink iptv rproxy vsaas vision file_processor http_proxy " +
      "web_script ondemand allow deny",
  ],
  [
    ["stream", "template"],
    "input url static disabled title comment provider position labels source_timeout clients_timeout retry_limit " +
      "backup segment_duration segment_count chunk_duration prepush protocols push dvr on_play auth max_sessions " +
      "soft_limitation session_keys domains allowed_countries disallowed_countries on_publish password transcoder " +
      "thumbnails logo srt srt_play srt_publish drm hls_scte35 add_audio_only mpegts_pids mpegts_ac3 epg_enabled " +
      "webrtc_abr playback_headers url_prefix cluster_ingest cache publish_enabled securetoken",
  ],
  [["stream"], "template"],
  [["template"], "prefix"],
  [
    ["vod"],
    "storage path cache auto_mbr download read_queue timeout segment_duration protocols url_prefix thumbnails " +
      "on_play auth drm logo disabled",
  ],
  [["http-listener"], "api ssl_protocols send_window"],
  [["rtmp-listener", "stream", "template"], "send_window"],
  [
    ["dvr"],
    "root depth expiration size storage_limit disk_usage_limit disk raid active index copy local schedule replicate " +
      "replication_port replication_speed fsync cache episodes_url episodes_expiration dvr_offline locked_write keep_locks",
  ],
];

test("every word of the dialect is known where it stands", () => {
  for (const [scopes, words] of KNOWN) {
    for (const word of words.split(" ")) {
      for (const scope of scopes)
        assert.ok(findDirective(scope, word) !== undefined, `${word} in ${scope}`);
    }
  }
});

test("what restricts, protects or encrypts is refused wherever it can stand", () => {
  const words =
    "https rtmps rtsps api_allowed_from config_external auth_backend max_sessions aliaser allow deny on_play auth " +
    "on_publish password soft_limitation session_keys domains allowed_countries disallowed_countries drm securetoken";
  for (const word of words.split(" ")) {
    const scopes = scopesOf(word);
    assert.ok(scopes.length > 0, word);
    for (const scope of scopes)
      assert.equal(findDirective(scope, word)?.status, "refused-until-it-works", word);
  }
});

test("whatever can be said of a recording in a line can be said in a block", () => {
  for (const name of DVR_SETTINGS) {
    assert.ok(
      DVR_OPTIONS.some((option) => option.name === name),
      name,
    );
    assert.equal(findDirective("dvr", name)?.status, "works", name);
  }
});

test("old spellings are the same directives as the new ones", () => {
  assert.equal(findDirective("server", "file"), findDirective("server", "vod"));
  assert.equal(findDirective("server", "notify"), findDirective("server", "event_sink"));
  assert.equal(findDirective("stream", "url"), findDirective("stream", "input"));
  assert.equal(findDirective("template", "auth"), findDirective("template", "on_play"));
  assert.equal(findDirective("vod", "path"), findDirective("vod", "storage"));
});

test("nothing in this folder but its tests needs Node, so that a browser can check a config", () => {
  const folder = new URL(".", import.meta.url);
  const sources = readdirSync(folder).filter((name) => name.endsWith(".ts") && !/test|fuzz/.test(name));
  assert.ok(sources.length > 20);
  for (const name of sources) {
    const text = readFileSync(new URL(name, folder), "utf8");
    assert.doesNotMatch(text, /from "node:|\bprocess\.|\bBuffer\b|require\(/, name);
    for (const [, from] of text.matchAll(/from "([^"]+)"/g)) assert.match(from!, /^\.\/[a-z-]+\.ts$/, name);
  }
});
