import assert from "node:assert/strict";
import { test } from "node:test";
import { diffConfigs } from "./diff.ts";
import { loadConfig } from "./load.ts";
import type { ConfigChange } from "./diff.ts";
import type { ResolvedConfig } from "./plan.ts";

function load(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "t", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

/** One line a change: what, its name, what happened, which directives, what restarts. */
function show(change: ConfigChange): string {
  if (change.kind === "template-order")
    return `order ${change.before.join(",")} -> ${change.after.join(",")}`;
  if (change.kind === "setting") return `setting ${change.name} (${change.restarts})`;
  const fields = change.change === "changed" ? ` ${change.fields.join(",")} (${change.restarts})` : "";
  return `${change.kind} ${change.name} ${change.change}${fields}`;
}

const BASE = `
  http 80; http 81 { api false; }
  rtmp 1935;
  edit_auth root a;
  template one { prefix one; input publish://; }
  template two { prefix two; input publish://; }
  stream a { input publish://; title A; labels place=x; }
  stream b { template two; }
  stream c { input publish://; dvr @disk 2d; }
  dvr disk { root /disk; replicate; }
  vod v { storage /a; }
`;

const CASES: readonly {
  name: string;
  from?: string;
  replace: readonly [string, string][];
  expected: readonly string[];
}[] = [
  {
    name: "nothing when only places and order of streams change",
    replace: [["stream a", "\n\n\nstream a"]],
    expected: [],
  },
  {
    name: "a setting",
    replace: [["edit_auth root a;", "edit_auth root b;"]],
    expected: ["setting edit_auth (nothing)"],
  },
  {
    name: "a setting that is gone",
    replace: [["edit_auth root a;", ""]],
    expected: ["setting edit_auth (nothing)"],
  },
  {
    name: "credentials that go into files",
    replace: [["edit_auth root a;", "edit_auth_file /a; view_auth_file /b;"]],
    expected: [
      "setting edit_auth (nothing)",
      "setting edit_auth_file (nothing)",
      "setting view_auth_file (nothing)",
    ],
  },
  {
    name: "a setting that needs a restart",
    replace: [["rtmp 1935;", "rtmp 1935; hostname x;"]],
    expected: ["setting hostname (process)"],
  },
  {
    name: "a limit",
    replace: [["rtmp 1935;", "rtmp 1935; max_message_size 1M; drain_timeout 5;"]],
    expected: ["setting drain_timeout (nothing)", "setting max_message_size (nothing)"],
  },
  {
    name: "who may play, of a stream, a template and those that name it, and a vod",
    replace: [
      ["title A;", "title A; on_play true; max_sessions 2; password x;"],
      ["prefix two;", "prefix two; on_publish http://a/; domains a.com;"],
      ["storage /a;", "storage /a; session_keys token query.a; allowed_countries DE;"],
    ],
    expected: [
      "template two changed domains,on_publish (nothing)",
      "stream a changed on_play,max_sessions,password (nothing)",
      "stream b changed domains,on_publish (nothing)",
      "vod v changed session_keys,allowed_countries (nothing)",
    ],
  },
  {
    name: "rules that a stream names",
    from: "auth_backend x { allow ip 10/8; } jwt y { secret a; } stream a { input publish://; on_play auth://x; on_publish jwt://y; }",
    replace: [
      ["10/8", "10/8 11/8"],
      ["secret a;", "secret b;"],
    ],
    expected: [
      "setting auth_backend (nothing)",
      "setting jwt (nothing)",
      "stream a changed on_play,on_publish (nothing)",
    ],
  },
  {
    name: "rules that are written elsewhere, in the same words",
    from: "auth_backend x { allow ip 10/8; } event_sink s { url http://a/; only place=x; }",
    replace: [["auth_backend", "\n\nauth_backend"]],
    expected: [],
  },
  {
    name: "tokens, sinks, networks and what else one value has",
    replace: [
      [
        "rtmp 1935;",
        "rtmp 1935; api_token t { token 12345678; scope view; } api_allowed_from 10/8; trusted_proxies ::1; allowed_hosts a.com; " +
          "auth_token key; geoip /g; event_sink s { url http://a/; } event_queue /q; stream_metrics; total_bandwidth 1G; traces http://a/x;",
      ],
    ],
    expected: [
      "setting api_token (nothing)",
      "setting api_allowed_from (nothing)",
      "setting trusted_proxies (nothing)",
      "setting allowed_hosts (nothing)",
      "setting auth_token (nothing)",
      "setting geoip (nothing)",
      "setting event_sink (nothing)",
      "setting event_queue (nothing)",
      "setting stream_metrics (nothing)",
      "setting total_bandwidth (nothing)",
      "setting traces (nothing)",
    ],
  },
  {
    name: "a filter that has a key called place",
    from: "event_sink s { url http://a/; only place=x; }",
    replace: [["place=x", "place=y"]],
    expected: ["setting event_sink (nothing)"],
  },
  {
    name: "a listener that gets TLS, and one that gets another certificate",
    from: "http 80; http 81; https 443 { ssl_protocols tlsv1.2; } rtmp 1935;",
    replace: [
      ["http 81;", "https 81;"],
      ["ssl_protocols tlsv1.2;", "certificate /a; certificate_key /b; passphrase x;"],
      ["rtmp 1935;", "rtmps 1935;"],
    ],
    expected: [
      "http-listener *:81 changed https,ssl_protocols,certificate,certificate_key,certificate_ca,passphrase (listener)",
      "http-listener *:443 changed ssl_protocols,certificate,certificate_key,certificate_ca,passphrase (listener)",
      "rtmp-listener *:1935 changed rtmps,ssl_protocols,certificate,certificate_key,certificate_ca,passphrase (listener)",
    ],
  },
  {
    name: "a listener that moves",
    replace: [["http 80;", "http 8080;"]],
    expected: ["http-listener *:80 removed", "http-listener *:8080 added"],
  },
  {
    name: "a listener that loses the API",
    replace: [["http 80;", "http 80 { api false; }"]],
    expected: ["http-listener *:80 changed api (listener)"],
  },
  {
    name: "a listener's window changes",
    replace: [
      ["http 80;", "http 80 { send_window 100; }"],
      ["rtmp 1935;", "rtmp 1935 { send_window 0; }"],
    ],
    expected: [
      "http-listener *:80 changed send_window (listener)",
      "rtmp-listener *:1935 changed send_window (listener)",
    ],
  },
  {
    name: "a proxy says whose connections are a listener's",
    replace: [
      ["http 80;", "trusted_proxies 10.0.0.1; http 80 { proxy_protocol true; }"],
      ["rtmp 1935;", "rtmp 1935 { proxy_protocol true; }"],
    ],
    expected: [
      "setting trusted_proxies (nothing)",
      "http-listener *:80 changed proxy_protocol (listener)",
      "rtmp-listener *:1935 changed proxy_protocol (listener)",
    ],
  },
  {
    name: "an RTMP listener on one address",
    replace: [["rtmp 1935;", "rtmp 127.0.0.1:1935;"]],
    expected: ["rtmp-listener *:1935 removed", "rtmp-listener 127.0.0.1:1935 added"],
  },
  {
    name: "a stream that is gone, one that came, one that changed",
    replace: [
      ["stream b { template two; }", "stream d { input fake://x; }"],
      ["title A;", "title B; segment_duration 2;"],
    ],
    expected: ["stream b removed", "stream a changed title,segment_duration (stream)", "stream d added"],
  },
  {
    name: "a stream's title alone, which restarts nothing",
    replace: [["title A;", ""]],
    expected: ["stream a changed title (nothing)"],
  },
  {
    name: "a label called like a field of plans",
    replace: [["place=x", "place=y"]],
    expected: ["stream a changed labels (nothing)"],
  },
  {
    name: "a stream whose template changed",
    replace: [["prefix two; input publish://;", "prefix two; input publish://; segment_count 9;"]],
    expected: ["template two changed segment_count (stream)", "stream b changed segment_count (stream)"],
  },
  {
    name: "a template's prefix",
    replace: [["prefix one;", "prefix one uno;"]],
    expected: ["template one changed prefix (stream)"],
  },
  {
    name: "an input's option",
    replace: [["stream a { input publish://;", "stream a { input publish:// source_timeout=5;"]],
    expected: ["stream a changed input (stream)"],
  },
  {
    name: "a vod's storage",
    replace: [["storage /a;", "storage /a; storage /b;"]],
    expected: ["vod v changed storage (nothing)"],
  },
  {
    name: "a place for recordings, and the streams that name it, which are not restarted",
    replace: [
      ["root /disk; replicate;", "root /other; disk_usage_limit 90%; replicate; replication_port 81;"],
    ],
    expected: [
      "dvr disk changed root,disk_usage_limit,replication_port (nothing)",
      "stream c changed dvr (nothing)",
    ],
  },
  {
    name: "a recording that is changed",
    replace: [["dvr @disk 2d;", "dvr @disk 3d;"]],
    expected: ["stream c changed dvr (nothing)"],
  },
  {
    name: "a recording that is gone, and one that is turned off",
    replace: [
      ["dvr @disk 2d;", ""],
      ["title A;", "title A; dvr false;"],
    ],
    expected: ["stream a changed dvr (nothing)", "stream c changed dvr (nothing)"],
  },
  {
    name: "a place for recordings by another name",
    replace: [
      ["dvr disk {", "dvr disk2 {"],
      ["@disk ", "@disk2 "],
    ],
    expected: ["dvr disk removed", "dvr disk2 added"],
  },
  { name: "a vod that is gone", replace: [["vod v { storage /a; }", ""]], expected: ["vod v removed"] },
];

for (const { name, from: before = BASE, replace, expected } of CASES) {
  test(`the difference tells ${name}`, () => {
    let text = before;
    for (const [from, to] of replace) {
      assert.ok(text.includes(from), from);
      text = text.replace(from, to);
    }
    assert.deepEqual(diffConfigs(load(before), load(text)).map(show), expected);
  });
}

test("templates that change places are told, since the first that matches wins", () => {
  const text = "template a { prefix x; } template b { prefix y; } template c { prefix z; }";
  const turned = "template c { prefix z; } template a { prefix x; } template d { prefix w; }";
  assert.deepEqual(diffConfigs(load(text), load(turned)).map(show), [
    "template b removed",
    "template d added",
    "order a,c -> c,a",
  ]);
});

test("a change has the plans from before and after", () => {
  const before = load("stream a { input publish://; title A; }");
  const after = load("stream a { input publish://; title B; }");
  const [change] = diffConfigs(before, after);
  assert.ok(change?.kind === "stream" && change.change === "changed");
  assert.equal(change.before, before.streams[0]);
  assert.equal(change.after, after.streams[0]);
});

test("listeners on any free port are told apart by their rank", () => {
  const changes = diffConfigs(load("http 0; http 0;"), load("http 0; http 0; http 0; rtmp 0;"));
  assert.deepEqual(changes.map(show), ["http-listener *:0#3 added", "rtmp-listener *:0 added"]);
});

test("every directive of the plan is told of when it changes", () => {
  const streams: readonly [string, string][] = [
    ["comment", "comment x;"],
    ["provider", "provider x;"],
    ["position", "position 1;"],
    ["disabled", "disabled;"],
    ["static", "static false;"],
    ["source_timeout", "source_timeout 1;"],
    ["add_audio_only", "add_audio_only;"],
    ["prepush", "prepush 1;"],
    ["send_window", "send_window 100;"],
    ["protocols", "protocols hls;"],
    ["second_publisher", "second_publisher replace;"],
  ];
  const before = load("stream a { input publish://; } vod v { storage /a; }");
  for (const [field, line] of streams) {
    const [change] = diffConfigs(
      before,
      load(`stream a { input publish://; ${line} } vod v { storage /a; }`),
    );
    assert.ok(change?.kind === "stream" && change.change === "changed");
    assert.deepEqual(change.fields, [field]);
  }
  for (const [field, line] of [
    ["depth", "depth 1d;"],
    ["size", "size 1G;"],
    ["disk_usage_limit", "disk_usage_limit 95%;"],
    ["copy", "copy s3://h/buc;"],
    ["local", "local 1d;"],
    ["cache", "cache /c 1G;"],
    ["replicate", "replicate http://other;"],
    ["replication_port", "replication_port 81;"],
    ["replication_speed", "replication_speed 8k;"],
    ["schedule", "schedule 0800-1800;"],
    ["fsync", "fsync none;"],
    ["episodes_url", "episodes_url http://e;"],
    ["episodes_expiration", "episodes_expiration 1d;"],
    ["dvr_offline", "dvr_offline;"],
  ]) {
    const was = field === "replicate" ? "replicate http://peer;" : "replicate;";
    const now = field === "replicate" ? "" : "replicate;";
    const [change] = diffConfigs(
      load(`dvr d { root /d; ${was} }`),
      load(`dvr d { root /d; ${now} ${line} }`),
    );
    assert.ok(change?.kind === "dvr" && change.change === "changed");
    assert.deepEqual(change.fields, [field]);
  }
  for (const [field, line] of [
    ["title", "title x;"],
    ["comment", "comment x;"],
    ["disabled", "disabled;"],
    ["download", "download;"],
    ["auto_mbr", "auto_mbr;"],
    ["segment_duration", "segment_duration 2;"],
    ["add_audio_only", "add_audio_only;"],
    ["protocols", "protocols -hls;"],
  ]) {
    const [change] = diffConfigs(
      before,
      load(`stream a { input publish://; } vod v { storage /a; ${line} }`),
    );
    assert.ok(change?.kind === "vod" && change.change === "changed");
    assert.deepEqual(change.fields, [field]);
  }
});
