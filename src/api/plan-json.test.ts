import assert from "node:assert/strict";
import { test } from "node:test";
import { editFiles } from "../config/edit/edit-files.ts";
import type { JsonObject } from "../config/json/shape.ts";
import { loadConfig } from "../config/load.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import {
  authBackendJson,
  configJson,
  dvrJson,
  eventSinkJson,
  liveJson,
  templateJson,
  vodJson,
} from "./plan-json.ts";

const FILE = "/etc/flussonic.conf";

/** Every property that can be told. */
const TEXT = `
edit_auth root secret;
view_auth looker secret2;
cluster_key key;
api_allowed_from 10.0.0.0/8 127.0.0.1;
trusted_proxies 10.0.0.0/8 fd00::/8;
allowed_hosts 192.0.2.1 *.example.org;
auth_token tok;
event_queue /var/lib/weir/queue;
stream_metrics true;
threads 2;
drain_timeout 90;
max_connections_per_address 77;
rtmp_handshake_timeout 7;
rtmp_idle_timeout 33;
http_idle_timeout 44;
max_message_size 2m;
hostname weir.example.org;
loglevel debug;
http 127.0.0.1:8080 { api false; }
http 8081;
rtmp 1935;
rtmps 1936 { proxy_protocol true; }
trusted_proxies 10.0.0.0/24;
dvr disk { root /var/lib/weir; depth 3d; size 7G; disk_usage_limit 80%; copy s3://KEY:SECRET@s3.example.org/bucket; }
auth_backend portal {
  allow token aaa bbb; deny token ccc; allow ip 10.0.0.0/8; deny ip 192.0.2.7; allow country FR; deny country XX;
  allow ua One; deny ua "Two Three"; backend http://u:p@192.0.2.1/a; backend http://192.0.2.1/b; allow default;
}
event_sink out {
  url http://user:pass@192.0.2.1/events; only event=play_*,stream_* media=news; except event=play_updated;
  throttle_delay 2; resend_limit 9; resend_timeout 40; max_size 3m; max_depth 2h; sign_key hidden;
}
event_sink line { url jsonlog:///var/log/weir/e.log; level warning; }
template base {
  prefix live; prefix more/of;
  input publish:// source_timeout=10;
  source_timeout 25; segment_duration 4; segment_count 6; chunk_duration 300; prepush 3;
  protocols hls dash; on_play http://192.0.2.1/check max_sessions=3 soft_limitation=30 session_keys=name,ip,proto,token;
}
template other { prefix other; input publish://; protocols -dash; source_timeout false; prepush false; dvr @disk 1d; }
stream news {
  title "The news"; comment c; provider p; labels a=b c=d; position 3; disabled true; static false;
  input publish://; input fake://fake priority=2 source_timeout=7;
  segment_duration 1500ms; segment_count 8; chunk_duration 250; add_audio_only; prepush true; send_window 2;
  protocols hls; second_publisher replace; dvr @disk 12h 5G;
  on_play securetoken://KEY domains=example.org; on_publish auth://portal; password hush;
}
stream plain { input publish://; template base; dvr /var/lib/other 2d; }
stream bare { input publish://; on_play false; dvr @disk; }
vod films {
  title F; comment G; storage /srv/films; download true; auto_mbr false; segment_duration 3; protocols hls;
  on_play auth://portal;
}
`;

function load(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: FILE, text }], {}, { folder: "/etc" });
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

type Told = { readonly kind: string; readonly name: string; readonly json: object };

function told(config: ResolvedConfig): Told[] {
  const of = <T>(
    kind: string,
    all: readonly T[],
    json: (one: T) => object,
    name: (one: T) => string,
  ): Told[] => all.map((one) => ({ kind, name: name(one), json: json(one) }));
  const byName = ({ name }: { readonly name: string }): string => name;
  return [
    ...of("stream", config.streams, (one) => ({ name: one.name, ...liveJson(one) }), byName),
    ...of("template", config.templates, templateJson, byName),
    ...of("vod", config.vods, vodJson, byName),
    ...of("dvr", config.dvrs, dvrJson, byName),
    ...of("auth_backend", config.authBackends, authBackendJson, byName),
    ...of("event_sink", config.eventSinks, eventSinkJson, byName),
  ];
}

test("an object is told by the names and in the units that a PUT takes it in", () => {
  const before = told(load(TEXT));
  assert.equal(before.length, 10);
  for (const { kind, name, json } of before) {
    const value = JSON.parse(JSON.stringify(json)) as JsonObject;
    const { text } = editFiles(
      [{ file: FILE, text: TEXT }],
      { action: "put", kind, name, value },
      () => FILE,
    );
    const after = told(load(text)).find((one) => one.kind === kind && one.name === name);
    assert.deepEqual(after?.json, json, `${kind} ${name}`);
  }
});

test("the settings of the server are told by the names and in the units that a PUT takes them in", () => {
  const json = configJson(load(TEXT));
  const value = JSON.parse(JSON.stringify(json)) as Record<string, never>;
  delete value["api_tokens"];
  const { text } = editFiles([{ file: FILE, text: TEXT }], { action: "settings", value }, () => FILE);
  assert.deepEqual(configJson(load(text)), json);
});
