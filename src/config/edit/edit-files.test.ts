import assert from "node:assert/strict";
import { test } from "node:test";
import { MediaError } from "../../base/errors.ts";
import { finish } from "../../base/steps.ts";
import { loadConfig } from "../load.ts";
import { editFiles, filesToEdit, objectOnDisk } from "./edit-files.ts";
import { ObjectsOnDisk } from "./objects-on-disk.ts";
import type { JsonObject } from "../json/shape.ts";
import type { ConfigEdit } from "./edit-files.ts";

function edited(text: string, edit: ConfigEdit): string {
  return editFiles([{ file: "a.conf", text }], edit, () => "a.conf").text;
}

function put(text: string, value: JsonObject, kind = "stream", name = "news"): string {
  return edited(text, { action: "put", kind, name, value });
}

function refusal(run: () => unknown): Record<string, unknown> {
  try {
    run();
  } catch (caught) {
    assert.ok(caught instanceof MediaError, String(caught));
    return { code: caught.code, ...caught.context };
  }
  throw new Error("nothing was refused");
}

/** What is changed, and what the text is then. */
const CASES: readonly { name: string; text: string; edit: JsonObject; becomes: string }[] = [
  {
    name: "a setting that is there is replaced where it stands",
    text: "# head\nstream news { # mine\n  input publish://; # from the studio\n  title Old; # shown\n}\n# tail\n",
    edit: { title: "New title" },
    becomes:
      '# head\nstream news { # mine\n  input publish://; # from the studio\n  title "New title"; # shown\n}\n# tail\n',
  },
  {
    name: "a setting that is not there comes behind the last one, on a line of its own",
    text: "stream news {\n\tinput publish://; # from the studio\n\n}\n",
    edit: { title: "A" },
    becomes: "stream news {\n\tinput publish://; # from the studio\n\ttitle A;\n\n}\n",
  },
  {
    name: "a block on one line stays on one line",
    text: "stream news { input publish://; } stream other { input publish://; }",
    edit: { title: "A", position: 3 },
    becomes: "stream news { input publish://; title A; position 3; } stream other { input publish://; }",
  },
  {
    name: "an empty block is filled",
    text: "stream news {}\n",
    edit: { inputs: [{ url: "publish://" }] },
    becomes: "stream news { input publish://; }\n",
  },
  {
    name: "an empty block with a comment is filled",
    text: "stream news {\n  # nothing yet\n}\n",
    edit: { inputs: [{ url: "publish://" }] },
    becomes: "stream news {\n  input publish://;\n  # nothing yet\n}\n",
  },
  {
    name: "null takes a setting away with its comment",
    text: "stream news {\n  input publish://;\n  title A; # gone too\n  # stays\n}\n",
    edit: { title: null },
    becomes: "stream news {\n  input publish://;\n  # stays\n}\n",
  },
  {
    name: "null takes a setting out of a line",
    text: "stream news { input publish://; title A; position 1; }\n",
    edit: { title: null },
    becomes: "stream news { input publish://; position 1; }\n",
  },
  {
    name: "an input that stays keeps its line, one more comes behind the last",
    text: "stream news {\n  input publish://; # first\n  title A;\n}\n",
    edit: { inputs: [{ url: "publish://" }, { url: "file:///a.mp4", priority: 2 }] },
    becomes:
      "stream news {\n  input publish://; # first\n  input file:///a.mp4 priority=2;\n  title A;\n}\n",
  },
  {
    name: "inputs that are not given any more go",
    text: "stream news {\n  input publish://; # first\n  input file:///a.mp4;\n  title A;\n}\n",
    edit: { inputs: [{ url: "file:///a.mp4" }] },
    becomes: "stream news {\n  input file:///a.mp4; # first\n  title A;\n}\n",
  },
  {
    name: "recording is merged into its line",
    text: "stream news {\n  input publish://;\n  dvr /rec 7d;\n}\n",
    edit: { dvr: { storage_limit: 1073741824 } },
    becomes: "stream news {\n  input publish://;\n  dvr /rec 7d 1G;\n}\n",
  },
  {
    name: "recording in a place that is named leaves the one before",
    text: "stream news {\n  input publish://;\n  dvr /rec 7d;\n}\n",
    edit: { dvr: { reference: "disk" } },
    becomes: "stream news {\n  input publish://;\n  dvr @disk 7d;\n}\n",
  },
  {
    name: "what only a block can say makes a block",
    text: "stream news {\n  dvr /rec 7d;\n}\n",
    edit: { dvr: { cache: { path: "/c", size: 1048576 } } },
    becomes: "stream news {\n  dvr /rec {\n    depth 7d;\n    cache /c 1M;\n  }\n}\n",
  },
  {
    name: "$reset takes away what is not given",
    text: "stream news {\n  input publish://;\n  title A;\n  # stays\n  position 2;\n}\n",
    edit: { $reset: true, title: "B" },
    becomes: "stream news {\n  title B;\n  # stays\n}\n",
  },
  {
    name: "what is the same is not touched, however it is written",
    text: 'stream news {\n  url   publish://;\n  segment_duration 4000ms;\n  title   "A";\n}\n',
    edit: { inputs: [{ url: "publish://" }], segment_duration: 4000, title: "A", stats: { bitrate: 1 } },
    becomes: 'stream news {\n  url   publish://;\n  segment_duration 4000ms;\n  title   "A";\n}\n',
  },
  {
    name: "labels are merged one by one",
    text: "stream news {\n  labels a=1 b=2;\n}\n",
    edit: { labels: { b: null, c: "x y" } },
    becomes: 'stream news {\n  labels a=1 c="x y";\n}\n',
  },
  {
    name: "words without effect are words",
    text: "stream news {\n  push rtmp://a/b retry_timeout=7;\n  transcoder vb=1000k hw=nvenc;\n}\n",
    edit: { transcoder: "vb=2000k ab=copy", clients_timeout: "60" },
    becomes:
      "stream news {\n  push rtmp://a/b retry_timeout=7;\n  transcoder vb=2000k ab=copy;\n  clients_timeout 60;\n}\n",
  },
  {
    name: "line ends stay as they are",
    text: "stream news {\r\n  title A;\r\n}\r\n",
    edit: { inputs: [{ url: "publish://" }] },
    becomes: "stream news {\r\n  title A;\r\n  input publish://;\r\n}\r\n",
  },
  {
    name: "a byte order mark stays",
    text: "\uFEFFstream news {\n  title A;\n}\n",
    edit: { title: "B" },
    becomes: "\uFEFFstream news {\n  title B;\n}\n",
  },
  {
    name: "the old spelling becomes a block",
    text: "# old\nondemand news publish://; # note\n",
    edit: { title: "A" },
    becomes: "# old\nstream news {\n  input publish://;\n  static false;\n  title A;\n} # note\n",
  },
  {
    name: "a new object comes at the end",
    text: "http 80;\n\n# the end",
    edit: { inputs: [{ url: "publish://" }] },
    becomes: "http 80;\n\n# the end\n\nstream news {\n  input publish://;\n}\n",
  },
];

for (const { name, text, edit, becomes } of CASES) {
  test(name, () => {
    assert.equal(put(text, edit), becomes);
    assert.equal(put(becomes, edit), becomes, "a second time changes nothing");
  });
}

test("a stream is taken away with its comment, and nothing else", () => {
  const text =
    "# a\nstream a { input publish://; }\n\n# b\nstream news {\n  input publish://;\n} # its own\n\nstream c {}\n";
  assert.equal(
    edited(text, { action: "delete", kind: "stream", name: "news" }),
    "# a\nstream a { input publish://; }\n\n# b\n\nstream c {}\n",
  );
});

test("what does not stand there cannot be taken away", () => {
  const gone = refusal(() => edited("stream a {}", { action: "delete", kind: "stream", name: "b" }));
  assert.equal(gone["code"], "EDIT_NOT_FOUND");
});

test("an object is changed in the file where it stands, a new one goes into the own file", () => {
  const files = [
    { file: "a.conf", text: "http 80;\n" },
    { file: "b.conf", text: "stream news { title A; }\n" },
  ];
  const change = (name: string): string =>
    editFiles(files, { action: "put", kind: "stream", name, value: { title: "B" } }, () => "own.conf").file;
  assert.deepEqual([change("news"), change("other")], ["b.conf", "own.conf"]);
});

test("what stands in the files of many objects is told one by one", () => {
  const files = [
    { file: "a.conf", text: "http 80;\nstream news { title A; }\nvod news { storage /a; }\n" },
    { file: "b.conf", text: "stream news { title B; }\n" },
  ];
  const objects = ObjectsOnDisk.of(files);
  assert.deepEqual(objects.get("stream", "news"), { name: "news", title: "A" });
  assert.deepEqual(objects.get("vod", "news"), { prefix: "news", storages: [{ url: "/a" }] });
  assert.equal(objects.get("stream", "other"), undefined);
  assert.deepEqual(objects.settings(), { listeners: { http: [{ port: 80 }] } });
});

test("only files that changed are read again, and the rest is told as before", () => {
  const first = { file: "a.conf", text: "\uFEFFhttp 80;\nstream news { title A; }\n" };
  const second = { file: "b.conf", text: "stream other { title B; }\n" };
  const before = ObjectsOnDisk.of([first, second]);
  const changed = { ...second, text: "# new\nstream other { title C; }\nloglevel debug;" };
  const after = finish(ObjectsOnDisk.steps([first, changed], before));
  assert.deepEqual(after.get("stream", "news"), { name: "news", title: "A" });
  assert.deepEqual(after.get("stream", "other"), { name: "other", title: "C" });
  assert.deepEqual(after.settings(), { listeners: { http: [{ port: 80 }] }, loglevel: "debug" });
});

test("files that were read in steps are changed in the same way", () => {
  const files = [
    { file: "a.conf", text: "\uFEFFhttp 80;\nstream news { title A; }\n" },
    { file: "b.conf", text: "stream other { title B; }\n" },
  ];
  const edits: ConfigEdit[] = [
    { action: "put", kind: "stream", name: "other", value: { title: "C" } },
    { action: "delete", kind: "stream", name: "news" },
    { action: "settings", value: { loglevel: "debug" } },
    { action: "replace", text: "http 81;" },
  ];
  for (const edit of edits) {
    const want = editFiles(files, edit, () => "a.conf");
    assert.deepEqual(
      editFiles(finish(filesToEdit(files, edit)), edit, () => "a.conf"),
      want,
    );
  }
});

test("settings are changed where they stand", () => {
  const text = "# ports\nhttp 80; # open\nloglevel info;\n\nstream a { input publish://; }\n";
  const settings = (value: JsonObject): string => edited(text, { action: "settings", value });
  assert.equal(settings({ loglevel: "debug" }), text.replace("info", "debug"));
  assert.equal(settings({ hostname: "x" }), text.replace("info;\n", "info;\nhostname x;\n"));
  assert.equal(
    settings({ listeners: { http: [{ port: 80 }, { port: 81, address: "127.0.0.1", api: false }] } }),
    text.replace("# open\n", "# open\nhttp 127.0.0.1:81 {\n  api false;\n}\n"),
  );
});

test("settings in two files are not changed by one request", () => {
  const files = [
    { file: "a.conf", text: "loglevel info;\n" },
    { file: "b.conf", text: "hostname x;\n" },
  ];
  const value = { loglevel: "debug", hostname: "y" };
  const refused = refusal(() => editFiles(files, { action: "settings", value }, () => "a.conf"));
  assert.equal(refused["code"], "EDIT_SEVERAL_FILES");
});

const BAD: readonly { name: string; edit: JsonObject; pointer: string; code?: string }[] = [
  { name: "an unknown property", edit: { titel: "x" }, pointer: "/titel" },
  {
    name: "an unknown property of an input",
    edit: { inputs: [{ url: "publish://", x: 1 }] },
    pointer: "/inputs/0/x",
  },
  { name: "a value of another kind", edit: { position: "much" }, pointer: "/position" },
  { name: "a value out of range", edit: { segment_duration: 5 }, pointer: "/segment_duration" },
  { name: "a list where there is none", edit: { title: ["a"] }, pointer: "/title" },
  { name: "no list where there is one", edit: { inputs: "publish://" }, pointer: "/inputs" },
  { name: "text that would be a statement", edit: { title: "a\n; disabled" }, pointer: "/title" },
  {
    name: "words that would be a statement",
    edit: { clients_timeout: "1; disabled" },
    pointer: "/clients_timeout",
  },
  { name: "a comment as words", edit: { clients_timeout: '"a' }, pointer: "/clients_timeout" },
  { name: "another name", edit: { name: "other" }, pointer: "/name" },
  { name: "an input without URL", edit: { inputs: [{}] }, pointer: "/inputs/0/url" },
  { name: "one property under two names", edit: { inputs: [], input: [] }, pointer: "/input" },
  {
    name: "a mask of nothing",
    edit: { inputs: [{ url: "rtmp://***@host/a" }] },
    pointer: "/inputs/0/url",
    code: "EDIT_NO_SECRET",
  },
];

for (const { name, edit, pointer, code = "EDIT_BAD_FIELD" } of BAD) {
  test(`${name} is refused`, () => {
    const refused = refusal(() => put("stream news {\n  title A;\n}\n", edit));
    assert.deepEqual([refused["code"], refused["pointer"]], [code, pointer]);
  });
}

test("a secret is shown as a mask, and the mask keeps it", () => {
  const text = "stream news {\n  input rtmp://user:secret@host/live/x headers=a:b;\n  title A;\n}\n";
  const shown = objectOnDisk([{ file: "a.conf", text }], { kind: "stream", name: "news" });
  assert.ok(shown !== undefined);
  assert.deepEqual(shown["inputs"], [{ url: "rtmp://***@host/live/x", headers: "***" }]);
  assert.equal(put(text, shown), text);
  const moved = put(text, {
    inputs: [{ url: "publish://" }, { url: "rtmp://***@host/live/x", headers: "***" }],
  });
  assert.match(moved, /input publish:\/\/;\n {2}input rtmp:\/\/user:secret@host\/live\/x headers=a:b;/);
});

test("the server's settings are shown without their secrets", () => {
  const text = "edit_auth root secret;\ncluster_key secret;\n";
  assert.equal(
    edited(text, { action: "settings", value: { edit_auth: { login: "root", password: "***" } } }),
    text,
  );
  assert.equal(
    edited(text, { action: "settings", value: { edit_auth: { login: "admin", password: "***" } } }),
    "edit_auth admin secret;\ncluster_key secret;\n",
  );
});

test("what is written loads", () => {
  const text = put("", {
    inputs: ["publish://"],
    dvr: { root: "/rec", expiration: 86400 },
    prepush: false,
  });
  assert.deepEqual(loadConfig([{ file: "a", text }]).problems, []);
});

test("a property that does not exist is refused of a new object, too, where it has nothing in it", () => {
  for (const value of [{ inputz: [] }, { inputz: null }, { inputz: {} }, { inputz: "a" }] as JsonObject[]) {
    for (const text of ["", "stream news { title A; }\n", "ondemand news fake://fake;\n"]) {
      const fault = refusal(() => put(text, value));
      assert.deepEqual([fault["code"], fault["pointer"]], ["EDIT_BAD_FIELD", "/inputz"], text);
      assert.match(String(fault["reason"]), /did you mean "inputs"/);
    }
  }
  assert.equal(put("", { title: null, labels: {}, stats: {}, config_on_disk: null }), "stream news {\n}\n");
  assert.equal(put("", { reference: null, root: "/a" }, "dvr", "d"), "dvr d {\n  root /a;\n}\n");
});
