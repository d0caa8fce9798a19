import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { MediaError } from "../../base/errors.ts";
import type { ConfigEdit } from "../../config/edit/edit-files.ts";
import { ConfigEdits, MAX_WAITING_EDITS } from "./edits.ts";
import type { ReloadResult } from "./edits.ts";
import { MAX_CONFIG_FILE_BYTES, readConfigFiles } from "./files.ts";
import { rememberingLoad } from "./memo.ts";
import type { LoadConfig } from "./memo.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { loadSteps } from "../../config/load.ts";
import { ownFileOf } from "./own-file.ts";

const TAKEN: ReloadResult = { kind: "taken" };

function makeLoad(): LoadConfig {
  return rememberingLoad({ folder: "/", clock: new FakeClock() });
}

/** A folder of a configuration, and what changes it. */
class World {
  readonly folder: string;
  /** What the next reloads come to. */
  readonly results: ReloadResult[] = [];
  /** What the file had in it when it was read anew. */
  readonly reloaded: string[] = [];
  allowed: readonly string[] = [];
  env: Record<string, string> = {};

  constructor(folder: string) {
    this.folder = folder;
  }

  static async make(t: TestContext, files: Readonly<Record<string, string>>): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "weir-edits-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const world = new World(folder);
    for (const [name, text] of Object.entries(files)) await world.write(name, text);
    return world;
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, name)), { recursive: true });
    await writeFile(join(this.folder, name), text);
  }

  text(name = "flussonic.conf"): Promise<string> {
    return readFile(join(this.folder, name), "utf8");
  }

  edits(load: LoadConfig = makeLoad()): ConfigEdits {
    return new ConfigEdits({
      path: this.folder,
      env: this.env,
      clock: new FakeClock(),
      load,
      read: () => readConfigFiles(this.folder),
      reload: async () => {
        this.reloaded.push(await this.text().catch(() => "none"));
        return this.results.shift() ?? TAKEN;
      },
      allowedHosts: () => this.allowed,
    });
  }
}

function put(name: string, value: Record<string, string> = { title: name }): ConfigEdit {
  return { action: "put", kind: "stream", name, value };
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  const caught: unknown = await run.then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(caught instanceof MediaError, String(caught));
  return caught.code;
}

test("a change is in the file before it is read anew, and nothing else is left in the folder", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "stream a { title A; }\n" });
  await chmod(join(world.folder, "flussonic.conf"), 0o640);
  const result = await world.edits().edit(put("a", { title: "B" }));
  assert.equal(result.kind, "changed");
  assert.deepEqual(world.reloaded, ["stream a { title B; }\n"]);
  assert.deepEqual(await readdir(world.folder), ["flussonic.conf"]);
  assert.equal((await stat(join(world.folder, "flussonic.conf"))).mode & 0o777, 0o640);
});

test("what changes nothing is neither written nor read anew", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "stream a { title A; }\n" });
  await world.edits().edit(put("a", { title: "A" }));
  assert.deepEqual(world.reloaded, []);
});

test("a change that cannot be put in force is taken back, and the one before is read again", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "stream a { title A; }\n" });
  world.results.push({ kind: "refused", problems: [], reason: "a port is in use" });
  assert.equal(await codeOf(world.edits().edit(put("b"))), "EDIT_NOT_IN_FORCE");
  assert.equal(await world.text(), "stream a { title A; }\n");
  assert.equal(world.reloaded.length, 2);
});

test("a file that was not there before goes again", async (t) => {
  const world = await World.make(t, { "flussonic.conf.d/a.conf": "stream a { title A; }\n" });
  world.results.push({ kind: "refused", problems: [], reason: "a port is in use" });
  assert.equal(await codeOf(world.edits().edit(put("b"))), "EDIT_NOT_IN_FORCE");
  assert.deepEqual(await readdir(world.folder), ["flussonic.conf.d"]);
});

test("what somebody else writes meanwhile is kept, and the change is made anew", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "stream a { title A; }\n" });
  const theirs = "stream a { title A; }\nstream c { title C; }\n";
  const load = makeLoad();
  let loads = 0;
  const edits = world.edits((files, env) => {
    loads++;
    // Between the reading and the writing.
    if (loads === 1) writeFileSync(join(world.folder, "flussonic.conf"), theirs);
    return load(files, env);
  });
  await edits.edit(put("b"));
  assert.equal(await world.text(), `${theirs}\nstream b {\n  title b;\n}\n`);
  assert.equal(loads, 2);
});

test("who always comes too late is told so", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "stream a { title A; }\n" });
  const edits = new ConfigEdits({
    path: world.folder,
    env: {},
    clock: new FakeClock(),
    load: makeLoad(),
    // Never what is in the file.
    read: async () => {
      const read = await readConfigFiles(world.folder);
      return {
        ...read,
        files: read.files.map(({ file }) => ({ file, text: "stream a { title Old; }\n" })),
      };
    },
    reload: () => Promise.resolve(TAKEN),
    allowedHosts: () => [],
  });
  assert.equal(await codeOf(edits.edit(put("b"))), "EDIT_OVERTAKEN");
  assert.equal(await world.text(), "stream a { title A; }\n");
});

test("more changes than may wait are refused, and those that wait are made in order", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "# head\n" });
  const edits = world.edits();
  const names = Array.from({ length: MAX_WAITING_EDITS }, (_, index) => `s${index}`);
  const waiting = names.map((name) => edits.edit(put(name)));
  assert.equal(await codeOf(edits.edit(put("more"))), "EDIT_BUSY");
  await Promise.all(waiting);
  assert.deepEqual((await world.text()).match(/(?<=stream )\w+/g), names);
});

test("changes that wait are put in force together, but for one that changes something else than objects", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "# head\n" });
  const edits = world.edits();
  const made = [
    edits.edit(put("first")),
    ...["a", "b"].map((name) => edits.edit(put(name))),
    edits.edit({ action: "delete", kind: "stream", name: "a" }),
    edits.edit({ action: "settings", value: { hostname: "h" } }),
    edits.edit(put("b", { comment: "c" })),
    edits.edit(put("last")),
  ];
  const results = await Promise.all(made);
  const stands = world.reloaded.map((text) =>
    [...text.matchAll(/stream (\w+)|hostname/g)].map(([all]) => all),
  );
  const both = ["stream first", "stream b"];
  assert.deepEqual(stands.slice(0, 2), [["stream first"], both], "the first one waits for nobody");
  assert.deepEqual(stands[2]!.toSorted(), ["hostname", ...both].toSorted());
  assert.deepEqual(stands[3]!.toSorted(), ["hostname", ...both, "stream last"].toSorted());
  assert.equal(stands.length, 4);
  const seen = results.map((result) => (result.kind === "changed" ? result.files[0]!.text : ""));
  assert.match(seen[1]!, /stream a \{/, "each is told the files as they were behind its own change");
  assert.doesNotMatch(seen[3]!, /stream a \{/);
  assert.match(await world.text(), /stream b \{\n {2}title b;\n {2}comment c;\n\}/);
});

test("of changes that wait, one that is wrong is refused alone, whatever is wrong with it", async (t) => {
  const bad: readonly [edit: ConfigEdit, code: string][] = [
    [put("x", { template: "gone" }), "bad"],
    [put("x", { titel: "a" }), "EDIT_BAD_FIELD"],
    [{ action: "delete", kind: "stream", name: "x" }, "EDIT_NOT_FOUND"],
  ];
  for (const [edit, code] of bad) {
    const world = await World.make(t, { "flussonic.conf": "# head\n" });
    const edits = world.edits();
    const before = ["a", "b"].map((name) => edits.edit(put(name)));
    const wrong = edits.edit(edit);
    const after = ["c", "d"].map((name) => edits.edit(put(name)));
    const result = await wrong.catch((error: unknown) => error);
    assert.equal(result instanceof MediaError ? result.code : (result as { kind: string }).kind, code);
    assert.deepEqual(
      [...new Set((await Promise.all([...before, ...after])).map(({ kind }) => kind))],
      ["changed"],
    );
    assert.deepEqual((await world.text()).match(/(?<=stream )\w+/g), ["a", "b", "c", "d"], code);
  }
});

test("of changes that wait, those that can be put in force are, where all together cannot", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "" });
  const edits = world.edits();
  const refused: ReloadResult = { kind: "refused", problems: [], reason: "no" };
  // The first; all others, and what was before them; then one by one: b, c, what was before it, d.
  world.results.push(TAKEN, refused, TAKEN, TAKEN, refused, TAKEN, TAKEN);
  const made = ["a", "b", "c", "d"].map((name) => edits.edit(put(name)));
  const results = await Promise.allSettled(made);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected", "fulfilled"],
  );
  assert.equal(await codeOf(made[2]!), "EDIT_NOT_IN_FORCE");
  assert.deepEqual((await world.text()).match(/(?<=stream )\w+/g), ["a", "b", "d"]);
});

test("changes that wait and stand in several files are made one by one", async (t) => {
  const parts = {
    "flussonic.conf.d/a.conf": "stream a { }\n",
    "flussonic.conf.d/b.conf": "stream b { }\n",
  };
  const world = await World.make(t, { "flussonic.conf": "# head\n", ...parts });
  const edits = world.edits();
  await Promise.all([put("first"), put("a"), put("b"), put("new")].map((edit) => edits.edit(edit)));
  assert.match(await world.text("flussonic.conf.d/a.conf"), /title a;/);
  assert.match(await world.text("flussonic.conf.d/b.conf"), /title b;/);
  assert.match(await world.text(), /stream first[^]*stream new/);
});

test("a configuration that would not check is not written", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "stream a { title A; }\n" });
  const result = await world.edits().edit(put("a", { template: "gone" }));
  assert.ok(result.kind === "bad");
  assert.equal(result.status.error, "config_unknown_template");
  assert.equal(await world.text(), "stream a { title A; }\n");
  assert.deepEqual(world.reloaded, []);
});

test("a file does not grow beyond what is read", async (t) => {
  const head = `#${"x".repeat(MAX_CONFIG_FILE_BYTES - 10)}\n`;
  const world = await World.make(t, { "flussonic.conf": head });
  assert.equal(await codeOf(world.edits().edit(put("a"))), "EDIT_FILE_TOO_BIG");
});

test("settings that a variable says are refused, unless they stay as they are", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "loglevel info;\nhostname x;\n" });
  world.env = { FLUSSONIC_LOG_LEVEL: "debug" };
  const edits = world.edits();
  const settings = (value: Record<string, string>): Promise<unknown> =>
    edits.edit({ action: "settings", value });
  assert.equal(await codeOf(settings({ loglevel: "error" })), "EDIT_FROM_ENVIRONMENT");
  await settings({ loglevel: "info", hostname: "y" });
  assert.equal(await world.text(), "loglevel info;\nhostname y;\n");
});

test("URLs lead to hosts that are allowed", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "" });
  const edit: ConfigEdit = {
    ...put("a"),
    action: "put",
    kind: "stream",
    name: "a",
    value: { inputs: [{ url: "rtmp://169.254.169.254/x" }] },
  };
  assert.equal(await codeOf(world.edits().edit(edit)), "EDIT_HOST_NOT_ALLOWED");
  world.allowed = ["169.254.169.254"];
  assert.equal((await world.edits().edit(edit)).kind, "changed");
});

test("the list of hosts that are allowed is made no longer by those whom it binds", async (t) => {
  const text = "allowed_hosts a.example b.example;\n";
  const world = await World.make(t, { "flussonic.conf": text });
  world.allowed = ["a.example", "b.example"];
  const settings = (hosts: string[] | null): ConfigEdit => ({
    action: "settings",
    value: { allowed_hosts: hosts },
  });
  for (const edit of [
    settings(["a.example", "b.example", "c.example"]),
    settings(null),
    { action: "replace", text: "stream a { title A; }\n" } as const,
  ]) {
    assert.equal(await codeOf(world.edits().edit(edit)), "EDIT_HOSTS_WIDENED");
    assert.equal(await world.text(), text);
  }
  assert.equal((await world.edits().edit(settings(["a.example"]))).kind, "changed");
});

test("a file that cannot be written anew says why", async (t) => {
  const world = await World.make(t, { "..1/a.conf": "stream a { title A; }\n" });
  await symlink("..1", join(world.folder, "..data"));
  await symlink("..data/a.conf", join(world.folder, "a.conf"));
  const refused = world.edits().edit(put("a", { title: "B" }));
  await assert.rejects(
    refused,
    /a\.conf\) cannot be changed by API: it is the key "a\.conf" of a ConfigMap/,
  );
  assert.equal(await codeOf(world.edits().edit(put("b"))), "EDIT_READ_ONLY");
});

test("what a server left that was killed while it wrote goes with the next change, and nothing else", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "stream a { title A; }\n" });
  const [old, fresh, other] = [
    ".flussonic.conf.0123456789ab",
    ".flussonic.conf.ba9876543210",
    ".flussonic.conf.swp",
  ];
  for (const name of [old, fresh, other]) await world.write(name, "x");
  const hourAgo = new Date((await stat(join(world.folder, fresh))).mtimeMs - 3_600_000);
  for (const name of [old, other]) await utimes(join(world.folder, name), hourAgo, hourAgo);
  await world.edits().edit(put("a"));
  assert.deepEqual((await readdir(world.folder)).toSorted(), [fresh, other, "flussonic.conf"].toSorted());
});

test("a disk that fails leaves the file as it was", async (t) => {
  const world = await World.make(t, { "flussonic.conf": "stream a { title A; }\n" });
  const edits = new ConfigEdits({
    path: world.folder,
    env: {},
    clock: new FakeClock(),
    load: makeLoad(),
    read: async () => {
      const read = await readConfigFiles(world.folder);
      // The name of the temporary file beside this one is longer than names may be.
      const file = join(world.folder, `${"x".repeat(245)}.conf`);
      await writeFile(file, "stream long { title L; }\n");
      return { ...read, files: [{ file, text: "stream long { title L; }\n" }] };
    },
    reload: () => Promise.resolve(TAKEN),
    allowedHosts: () => [],
  });
  assert.equal(await codeOf(edits.edit(put("long"))), "EDIT_NOT_WRITTEN");
});

test("the server's own file is the first that it may write", async (t) => {
  const own = async (files: Readonly<Record<string, string>>, path = ""): Promise<string> => {
    const world = await World.make(t, files);
    const { file, reason } = await ownFileOf(join(world.folder, path));
    assert.equal(reason, null);
    return file.slice(world.folder.length + 1);
  };
  assert.equal(await own({ "flussonic.conf": "" }), "flussonic.conf");
  assert.equal(await own({ "flussonic.conf.d/a.conf": "" }), "flussonic.conf");
  assert.equal(await own({ "a.conf": "" }), "weir.conf");
  assert.equal(await own({ "my.conf": "" }, "my.conf"), "my.conf");
  const world = await World.make(t, { "..1/flussonic.conf": "", "flussonic.conf.d/a.conf": "" });
  await symlink("..1", join(world.folder, "..data"));
  await symlink("..data/flussonic.conf", join(world.folder, "flussonic.conf"));
  assert.equal((await ownFileOf(world.folder)).file, join(world.folder, "flussonic.conf.d/weir.conf"));
  assert.match((await ownFileOf(join(world.folder, "gone"))).reason ?? "", /no such folder/);
});

test("a byte order mark stays, and links are followed", async (t) => {
  const world = await World.make(t, { "elsewhere/real.conf": "\uFEFFstream a { title A; }\n" });
  await symlink("elsewhere/real.conf", join(world.folder, "flussonic.conf"));
  await world.edits().edit(put("a", { title: "B" }));
  assert.equal(await world.text("elsewhere/real.conf"), "\uFEFFstream a { title B; }\n");
});

test("what was checked is not read twice, and readings come one after the other", async () => {
  const read: string[] = [];
  const load = rememberingLoad({
    folder: "/",
    clock: new FakeClock(),
    load: function* (files, env, options) {
      read.push(files[0]!.text);
      return yield* loadSteps(files, env, options);
    },
  });
  const env = {};
  const texts = ["http 1;", "http 1;", "http 2;", "http 2;"];
  const loaded = await Promise.all(texts.map((text) => load([{ file: "a", text }], env)));
  assert.deepEqual(read, ["http 1;", "http 2;"]);
  assert.equal(loaded[0], loaded[1]);
  assert.equal(loaded[3]!.config!.listeners.http[0]!.port, 2);
});

test("a big configuration is read in slices: others have turns, and who asks last is answered last", async () => {
  // Each look at the clock is a millisecond.
  let nowUs = 0;
  const load = rememberingLoad({ folder: "/", clock: { nowUs: () => (nowUs += 1000) } });
  const text = Array.from({ length: 500 }, (_, i) => `stream s${i} { input publish://; }`).join("\n");
  const order: string[] = [];
  let turns = 0;
  const tick = (): void => void (++turns < 1000 && order.length < 2 && setImmediate(tick));
  setImmediate(tick);
  const env = {};
  await Promise.all([
    load([{ file: "a", text }], env).then(() => order.push("first")),
    load([{ file: "a", text: `${text}\nstream more { input publish://; }` }], env).then(({ config }) =>
      order.push(`second, ${config!.streams.length}`),
    ),
  ]);
  assert.deepEqual(order, ["first", "second, 501"]);
  assert.ok(turns > 100, `${turns} turns`);
});
