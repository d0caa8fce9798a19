import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { defaultOf, DIRECTIVES, directiveNames, findDirective, SCOPES, scopesOf } from "./directives.ts";
import { ACCESS_SETTINGS, PLAY_OPTIONS } from "./schema-access.ts";
import { TRACES_OPTIONS } from "./schema-events.ts";
import { STANDARD_VARIABLES, VARIABLES } from "./schema-environment.ts";
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
  for (const spec of [
    ...DIRECTIVES,
    ...INPUT_OPTIONS,
    ...DVR_OPTIONS,
    ...PLAY_OPTIONS,
    ...TRACES_OPTIONS,
    ...VARIABLES,
    ...STANDARD_VARIABLES,
  ]) {
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
      "geoip allowed_hosts api_token jwt event_queue stream_metrics traces production max_sessions aliaser init_script wwwroot stream template vod file dvr source peer balancer auth_backend " +
      "event_sink notify cache transponder dvb_card decklink iptv rproxy vsaas vision file_processor http_proxy " +
      "web_script ondemand",
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
  [
    ["stream", "template", "vod"],
    "on_play auth securetoken max_sessions max_stream_sessions soft_limitation session_keys domains " +
      "allowed_countries disallowed_countries",
  ],
  [["http-listener", "https-listener"], "api send_window"],
  [
    ["https-listener", "rtmps-listener"],
    "ssl_protocols certificate certificate_key certificate_ca passphrase send_window",
  ],
  [["rtmp-listener", "stream", "template"], "send_window"],
  [["api-token"], "token scope expires"],
  [["auth-backend"], "allow deny backend"],
  [["jwt"], "algorithms secret key_file jwks issuer audience"],
  [
    ["event-sink"],
    "url sink only except throttle_delay resend_limit resend_timeout max_size max_depth level verbose sign_key",
  ],
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

test("what restricts, protects or encrypts works, or is refused, wherever it can stand", () => {
  for (const word of "rtsps config_external aliaser drm".split(" ")) {
    const scopes = scopesOf(word);
    assert.ok(scopes.length > 0, word);
    for (const scope of scopes)
      assert.equal(findDirective(scope, word)?.status, "refused-until-it-works", word);
  }
  assert.equal(findDirective("server", "max_sessions")?.status, "refused-until-it-works");
  const working =
    "https rtmps api_allowed_from auth_backend allow deny on_play auth on_publish password soft_limitation session_keys " +
    "domains allowed_countries disallowed_countries securetoken";
  for (const word of working.split(" "))
    for (const scope of scopesOf(word)) assert.equal(findDirective(scope, word)?.status, "works", word);
});

test("whatever can be said of viewers in the line of on_play can be said beside it", () => {
  assert.deepEqual(
    PLAY_OPTIONS.map(({ name }) => name),
    ACCESS_SETTINGS,
  );
  for (const name of ACCESS_SETTINGS)
    for (const scope of ["stream", "template", "vod"] as const)
      assert.equal(findDirective(scope, name)?.status, "works", name);
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
  assert.equal(findDirective("event-sink", "verbose"), findDirective("event-sink", "level"));
  assert.equal(findDirective("event-sink", "sink"), findDirective("event-sink", "url"));
  assert.equal(findDirective("vod", "path"), findDirective("vod", "storage"));
});

test("nothing in this folder but its tests needs Node, so that a browser can check a config", () => {
  const folder = new URL(".", import.meta.url);
  const sources = readdirSync(folder).filter((name) => name.endsWith(".ts") && !/test|fuzz/.test(name));
  assert.ok(sources.length > 20);
  const others = [
    "../auth/rules.ts",
    "../auth/credentials/well-known.ts",
    "../base/steps.ts",
    "../base/without-undefined.ts",
  ];
  for (const name of [...sources, ...others]) {
    const text = readFileSync(new URL(name, folder), "utf8");
    assert.doesNotMatch(text, /from "node:|\bprocess\.|\bBuffer\b|require\(/, name);
    for (const [, from] of text.matchAll(/from "([^"]+)"/g))
      assert.match(
        from!,
        /^\.\/[a-z-]+\.ts$|^\.\.\/(auth\/(rules|credentials\/well-known)|base\/(steps|without-undefined))\.ts$/,
        name,
      );
  }
});
