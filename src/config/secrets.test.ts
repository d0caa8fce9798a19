import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DIRECTIVES } from "./directives.ts";
import { formatProblems } from "./format.ts";
import { loadConfig } from "./load.ts";
import { SourceText } from "./place.ts";
import { DVR_OPTIONS } from "./schema-dvr.ts";
import { INPUT_OPTIONS } from "./schema-input.ts";
import { shownName, shownWord } from "./secret-words.ts";
import { hideSecrets } from "./secrets.ts";

/** In every case, what must not be seen. */
const SECRET = "hunter2";

function hidden(text: string): string {
  return hideSecrets(new SourceText({ file: "a.conf", text }));
}

/** Each with what is shown of it; where people write a secret that the language does not have there, too. */
const CASES: readonly [text: string, shown: string][] = [
  // Where it belongs: what is wrong can still be read.
  ["edit_auth root hunter2;", "edit_auth root *******;"],
  ["edit_auth root hunter2 { }", "edit_auth root ******* { }"],
  ["edit_auht root hunter2;", "edit_auht root *******;"],
  ["stream a { password hunter2; input publish://; }", "stream a { password *******; input publish://; }"],
  ["edit_auth_file /run/auth;", "edit_auth_file /run/auth;"],
  ['edit_auth_file "/run/a b";', 'edit_auth_file "/run/a b";'],
  // The form of the environment, and the wrong number of words.
  ["edit_auth root:hunter2;", "edit_auth ************;"],
  ["edit_auth root:hunter2 x;", "edit_auth root:******* *;"],
  ["edit_auth hunter2;", "edit_auth *******;"],
  ["edit_auth root x hunter2;", "edit_auth **** * *******;"],
  ["edit_auth=root hunter2;", "edit_auth=**** *******;"],
  ["edit_auth: root hunter2;", "edit_auth: root *******;"],
  ["edit_auth root=hunter2 password=hunter2;", "edit_auth root=******* ****************;"],
  ["EDIT_AUTH hunter2;", "EDIT_AUTH *******;"],
  [
    "edit_auth {\n root hunter2;\n x hunter2;\n}\nhttp 80;",
    "edit_auth {\n root *******;\n x *******;\n}\nhttp 80;",
  ],
  ["edit_auth\nroot hunter2;", "edit_auth\nroot *******;"],
  ["view_auth\n root\n hunter2;", "view_auth\n root\n *******;"],
  ["edit_auth {\n root hunter2;\nhttp 80;", "edit_auth {\n root *******;\nhttp 80;"],
  ["http 80\nedit_auht root hunter2;", "http 80\nedit_auht root *******;"],
  // Where a path should be.
  ["edit_auth_file hunter2:x;", "edit_auth_file *********;"],
  ["edit_auth_file root:hunter2;", "edit_auth_file ************;"],
  // Names that nobody knows.
  ["license hunter2;", "license *******;"],
  ["api_token hunter2;", "api_token *******;"],
  ["FLUSSONIC_EDIT_AUTH=root:hunter2", "FLUSSONIC_EDIT_AUTH=************"],
  ["FLUSSONIC_HTTP=8080", "FLUSSONIC_HTTP=8080"],
  ["FLUSSONIC_HTTP=[fe80::1]:80", "FLUSSONIC_HTTP=[fe80::1]:80"],
  ["FLUSSONIC_HTTP=hunter2", "FLUSSONIC_HTTP=*******"],
  ['FLUSSONIC_EDIT_AUTH: "root:hunter2"', "FLUSSONIC_EDIT_AUTH: **************"],
  ["root:hunter2", "root:*******"],
  ["rtmp://root:hunter2@host/live;", "rtmp://************@host/live;"],
  ["publish://;", "publish://;"],
  // URLs and options.
  ["input rtmp://h/x?token=hunter2;", "input rtmp://h/x?*************;"],
  ["input srt://h:1?passphrase=hunter2;", "input srt://h:1?******************;"],
  ["input rtsp://u:hunter2@h:554/x?a=hunter2;", "input rtsp://*********@h:554/x?*********;"],
  ["input rtmp://h/x?token=hunter2@y;", "input rtmp://*******************;"],
  ["input rtmp://u:hunter2/x;", "input rtmp://u:*********;"],
  ["input rtmp://[::1]:80/x;", "input rtmp://[::1]:80/x;"],
  ["input x token=hunter2;", "input x token=*******;"],
  ["input a@b;", "input a@b;"],
  [
    "storage s3://b/x access_key=hunter2 secret_key=hunter2;",
    "storage s3://b/x access_key=******* secret_key=*******;",
  ],
  ["backend http://h/?key=hunter2;", "backend http://h/?***********;"],
  ["on_play /x?auth-token=hunter2;", "on_play /x?auth-token=*******;"],
  // Buckets of recordings.
  [
    "dvr disk1 { root /s; copy s3://k:hunter2@h/buc; }",
    "dvr disk1 { root /s; copy s3://*********@h/buc; }",
  ],
  ["dvr disk1 { copy s3://k:a/hunter2=@h/buc; }", "dvr disk1 { copy s3://************@h/buc; }"],
  ["dvr disk1 {\n root /s\n copy k:hunter2/x;\n}", "dvr disk1 {\n root /s\n copy ***********;\n}"],
  ["dvr disk1 { copy k:hunter2@h/buc; }", "dvr disk1 { copy ***************; }"],
  ["dvr disk1 { copy s3:/k:hunter2@h/buc; }", "dvr disk1 { copy *******************; }"],
  ["dvr disk1 { copy s3://h/buc k hunter2; }", "dvr disk1 { copy s3://h/buc * *******; }"],
  [
    "stream a { dvr /s copy=s3://k:hunter2@h/buc 7d; }",
    "stream a { dvr /s copy=s3://*********@h/buc 7d; }",
  ],
  ['stream a { dvr /s copy="s3://k:hunter2@h/buc"; }', 'stream a { dvr /s copy="s3://*********@h/buc"; }'],
  ["stream a { dvr /s copy=k:hunter2/h; }", "stream a { dvr /s copy=***********; }"],
  ["stream a { dvr /s copy=hunter2; }", "stream a { dvr /s copy=*******; }"],
  ["stream a { dvr s3://k:hunter2@h/buc 7d; }", "stream a { dvr s3://*********@h/buc 7d; }"],
  ["stream a { dvr /s s3://k:hunter2=@h/buc; }", "stream a { dvr /s s3://**********@h/buc; }"],
  [
    "stream a { dvr /s replicate=http://u:hunter2@p; }",
    "stream a { dvr /s replicate=http://*********@p; }",
  ],
  // Who may play and publish.
  ["stream a { on_play signed://hunter2; }", "stream a { on_play signed://*******; }"],
  ["stream a { on_publish SIGNED://hunter2; }", "stream a { on_publish SIGNED://*******; }"],
  [
    "stream a { auth securetoken://hunter2?no_check_ip=true; }",
    "stream a { auth securetoken://************************; }",
  ],
  [
    "stream a { on_play http://u:hunter2@h/x max_sessions=2; }",
    "stream a { on_play http://*********@h/x max_sessions=2; }",
  ],
  [
    "stream a { on_play true session_keys=ip,token=hunter2; }",
    "stream a { on_play true session_keys=ip,token=*******; }",
  ],
  ["stream a { securetoken hunter2; }", "stream a { securetoken *******; }"],
  ["stream a { password hunter2; }", "stream a { password *******; }"],
  ["auth_backend b { allow token hunter2 hunter2; }", "auth_backend b { allow token ******* *******; }"],
  ["auth_backend b { deny token hunter2 }", "auth_backend b { deny token ******* }"],
  ["auth_backend b { alow token hunter2; }", "auth_backend b { alow ***** *******; }"],
  ["auth_backend b { allow tokens hunter2; }", "auth_backend b { allow ****** *******; }"],
  ["auth_backend b { allow=token hunter2; }", "auth_backend b { allow=***** *******; }"],
  [
    "auth_backend b { allow ip 10/8; deny country XX; }",
    "auth_backend b { allow ip 10/8; deny country XX; }",
  ],
  [
    "auth_backend b { backend http://h/x?key=hunter2; }",
    "auth_backend b { backend http://h/x?***********; }",
  ],
  ["jwt j { secret hunter2; issuer me; }", "jwt j { secret *******; issuer me; }"],
  ["jwt j { key_file /keys/a.pem; }", "jwt j { key_file /keys/a.pem; }"],
  ["jwt j { key_file hunter2; }", "jwt j { key_file *******; }"],
  ["api_token t { token hunter2; scope view; }", "api_token t { token *******; scope view; }"],
  ["event_sink s { url https://u:hunter2@h; }", "event_sink s { url https://*********@h; }"],
  ["event_sink s { sign_key hunter2; }", "event_sink s { sign_key *******; }"],
  ["event_sink s { only token=hunter2; }", "event_sink s { only token=*******; }"],
  ["https 443 { passphrase hunter2; }", "https 443 { passphrase *******; }"],
  ["https 443 { certificate_key hunter2; }", "https 443 { certificate_key *******; }"],
  ["traces http://u:hunter2@h share=0.1;", "traces http://*********@h share=0.1;"],
  // Comments.
  ["edit_auth root #hunter2;", "edit_auth **** #********"],
  ["edit_auth root x; # was hunter2", "edit_auth root *; # *** *******"],
  ["edit_auth root\n# hunter2\nx;", "edit_auth root\n# *******\n*;"],
  ["# edit_auth root hunter2", "# ********* **** *******"],
  ["# rtmp://u:hunter2@h", "# ******************"],
  ["http 80; # the web", "http 80; # the web"],
  ["edit_auth root x;\nhttp 80; # the web", "edit_auth root *;\nhttp 80; # the web"],
];

describe("in a text that is shown", () => {
  for (const [text, shown] of CASES) {
    test(`${JSON.stringify(text.replaceAll(SECRET, "SECRET"))} has its secrets hidden`, () => {
      assert.equal(hidden(text), shown);
    });

    test(`${JSON.stringify(text.replaceAll(SECRET, "SECRET"))} tells nothing when it is cut`, () => {
      for (let cut = 0; cut <= text.length; cut++) {
        assert.doesNotMatch(hidden(text.slice(0, cut)), new RegExp(SECRET));
        assert.equal(hidden(text.slice(0, cut)).length, cut);
      }
    });

    test(`${JSON.stringify(text.replaceAll(SECRET, "SECRET"))} is refused without a word of them`, () => {
      const { problems, sources } = loadConfig([{ file: "a.conf", text }], {});
      assert.doesNotMatch(JSON.stringify(problems) + formatProblems(problems, sources), new RegExp(SECRET));
    });
  }
});

test("what is left over of a text with too many words is hidden", () => {
  const text = `${"a ".repeat(1_000_000)}edit_auth root hunter2;`;
  assert.match(hidden(text), /a a \*+ \*+ \*+$/);
});

test("a text of one long line with many secrets and comments takes no longer than its length", () => {
  const text = `${"x token=hunter2; ".repeat(50_000)}\n${"# token\n".repeat(50_000)}`;
  const shown = hidden(text);
  assert.equal(shown.length, text.length);
  assert.doesNotMatch(shown, /hunter2/);
});

for (const word of ["key", "=", "key=", "a", ":", "@", "?", "://", "u:p@", "#", "-key-"]) {
  test(`a word of a megabyte of ${JSON.stringify(word)} takes no longer than its length`, () => {
    const text = `input ${word.repeat(1_000_000 / word.length)};\nx=${word.repeat(1_000_000 / word.length)};`;
    assert.equal(hidden(text).length, text.length);
  });
}

test("a word in a message is without what is secret in it", () => {
  for (const [word, shown] of [
    ["80a", "80a"],
    ["a=b", "a=b"],
    ["http://host:80/x", "http://host:80/x"],
    ["access_key=hunter2", "access_key=***"],
    ["a=b&token=hunter2", "a=b&token=***"],
    ["x password=hunter2", "x password=***"],
    ["s3://key:hunter2@b/x?a=hunter2&key=hunter2", "s3://***@b/x?***"],
    ["u:hunter2@h", "***@h"],
    ["http://u:hunter2@h/x?token=hunter2@y", "http://***"],
  ] as const) {
    assert.equal(shownWord(word), shown);
  }
});

test("no message or excerpt shows a secret, whatever directive it is given to", () => {
  const words = [
    `rtmp://u:${SECRET}@h/x`,
    `rtmp://h/x?token=${SECRET}`,
    `token=${SECRET}`,
    `x access_key=${SECRET}`,
    `u:${SECRET}@h`,
  ].flatMap((word) => [word, JSON.stringify(word)]);
  for (const { name } of DIRECTIVES) {
    for (const word of words) {
      const statements = [
        `${name} ${word};`,
        `${name} a ${word};`,
        `${name}=${word};`,
        `${name} ${word} { x; }`,
      ];
      const text = statements
        .flatMap((one) => [
          one,
          `stream a { ${one} }`,
          `vod v { ${one} }`,
          `http 80 { ${one} }`,
          `dvr d { ${one} }`,
          `https 443 { ${one} }`,
          `api_token t { ${one} }`,
          `auth_backend b { ${one} }`,
          `jwt j { ${one} }`,
          `event_sink s { ${one} }`,
        ])
        .join("\n");
      const { problems, sources } = loadConfig([{ file: "a.conf", text }], {});
      assert.ok(problems.length > 0);
      const told = JSON.stringify(problems) + formatProblems(problems, sources);
      assert.doesNotMatch(told, new RegExp(SECRET), `${name} ${word}`);
    }
  }
});

test("a word in a message is without the value of any option that its spec calls secret", () => {
  const secret = [...INPUT_OPTIONS, ...DVR_OPTIONS]
    .filter((option) => option.secret === true)
    .map(({ name }) => name);
  assert.deepEqual(
    secret.map((name) => shownWord(`${name}=${SECRET}`)),
    secret.map((name) => `${name}=***`),
  );
});

test("a name in a message ends where something else begins", () => {
  for (const [name, shown] of [
    ["htpt", "htpt"],
    ["FLUSSONIC_EDIT_AUTH=root:hunter2", "FLUSSONIC_EDIT_AUTH=***"],
    ["root:hunter2", "root:***"],
    ["root:", "root:"],
    ["publish://", "publish://"],
    ["rtmp://u:hunter2@h/x?token=hunter2", "rtmp://***@h/x?***"],
  ] as const) {
    assert.equal(shownName(name), shown);
  }
});
