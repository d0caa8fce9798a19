import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { AuthFile, FIRST_LOOK_LIMIT_MS, LOOK_INTERVAL_MS } from "./auth-file.ts";

type Setup = { directory: string; path: string; file: AuthFile; clock: FakeClock; log: RecordingLog };

async function setup(t: TestContext, text?: string): Promise<Setup> {
  const directory = await mkdtemp(join(tmpdir(), "weir-auth-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "edit_auth");
  if (text !== undefined) await writeFile(path, text);
  const clock = new FakeClock();
  const log = new RecordingLog();
  const file = new AuthFile(path, "edit_auth_file", { clock, log });
  await file.start();
  t.after(() => file.close());
  return { directory, path, file, clock, log };
}

/** Lets a second pass until something holds. */
async function looked(clock: FakeClock, holds: () => boolean): Promise<void> {
  await eventually(
    () => {
      clock.advance(LOOK_INTERVAL_MS);
      assert.ok(holds());
    },
    { intervalMs: 5 },
  );
}

describe("credentials in a file", () => {
  test("are there after the start, and new ones within a second of their writing", async (t) => {
    const { path, file, clock, log } = await setup(t, "root:secret\n");
    assert.deepEqual(file.credentials, { login: "root", password: "secret" });
    await writeFile(path, "root:other\r\n");
    clock.advance(LOOK_INTERVAL_MS);
    await eventually(() => assert.equal(file.credentials?.password, "other"), { intervalMs: 5 });
    assert.equal(log.of("info").length, 2);
    assert.doesNotMatch(log.text, /secret|other/);
  });

  test("follow the link that Kubernetes swaps when a Secret changes", async (t) => {
    const { directory, file, clock, log } = await setup(t);
    await mkdir(join(directory, "..1"));
    await writeFile(join(directory, "..1", "edit_auth"), "root:one");
    await symlink("..1", join(directory, "..data"));
    await symlink("..data/edit_auth", join(directory, "edit_auth"));
    await looked(clock, () => file.credentials?.password === "one");
    await mkdir(join(directory, "..2"));
    await writeFile(join(directory, "..2", "edit_auth"), "root:two");
    await symlink("..2", join(directory, "..data_tmp"));
    await rename(join(directory, "..data_tmp"), join(directory, "..data"));
    await rm(join(directory, "..1"), { recursive: true });
    await looked(clock, () => file.credentials?.password === "two");
    assert.equal(log.of("error").length, 1);
  });

  const BAD: readonly [
    name: string,
    text: string | Uint8Array,
    code: string,
    place: string,
    says: RegExp,
  ][] = [
    ["is empty", "", "CONFIG_BAD_VALUE", "1:1", /there is nothing in it$/],
    ["has no colon", "root secret\n", "CONFIG_BAD_VALUE", "1:1", /no ":" between login and password$/],
    ["has two lines", "root:a\nroot:b\n", "CONFIG_BAD_VALUE", "1:7", /more than one line in it$/],
    [
      "has Windows line ends within",
      "root\r\nhidden",
      "CONFIG_BAD_VALUE",
      "1:5",
      /more than one line in it$/,
    ],
    ["has a byte order mark", "\uFEFFroot:hidden", "CONFIG_BAD_VALUE", "1:1", /byte order mark/],
    [
      "is base64 twice",
      Buffer.from("root:hidden").toString("base64"),
      "CONFIG_BAD_VALUE",
      "1:1",
      /base64 twice/,
    ],
    ["has no password", "root:\n", "CONFIG_BAD_VALUE", "1:6", /the password is empty$/],
    ["is no text", new Uint8Array([0xff, 0xfe, 0x3a]), "CONFIG_FILE_NOT_TEXT", "0:0", /not UTF-8 text$/],
    ["is big", "root:".padEnd(20_000, "a"), "CONFIG_FILE_TOO_BIG", "0:0", /too big for credentials$/],
  ];
  for (const [name, text, code, place, says] of BAD) {
    test(`leave those before in force when the file ${name}, and the log says so once, with the place`, async (t) => {
      const { path, file, clock, log } = await setup(t, "root:before");
      await writeFile(path, text);
      await looked(clock, () => log.of("error").length > 0);
      for (let second = 0; second < 5; second++) {
        clock.advance(LOOK_INTERVAL_MS);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.equal(file.credentials?.password, "before");
      assert.equal(log.of("error").length, 1);
      const { message, fields } = log.of("error")[0]!;
      assert.match(message, /those before stay in force/);
      assert.match(message, says);
      assert.deepEqual([fields["code"], fields["file"]], [code, path]);
      assert.equal(`${String(fields["line"])}:${String(fields["column"])}`, place);
      assert.doesNotMatch(log.text, /hidden/);
      await writeFile(path, "root:mended");
      await looked(clock, () => file.credentials?.password === "mended");
    });
  }

  test("let nobody in while there is no file, and are taken when it comes", async (t) => {
    const { path, file, clock, log } = await setup(t);
    assert.equal(file.credentials, undefined);
    const { message, fields } = log.of("error")[0]!;
    assert.match(message, /nobody gets in with them: the file cannot be read: ENOENT/);
    assert.equal(fields["code"], "CONFIG_FILE_UNREADABLE");
    await writeFile(path, "root:secret");
    await looked(clock, () => file.credentials !== undefined);
  });

  test("stay when the file goes away, or becomes a directory", async (t) => {
    const { path, file, clock, log } = await setup(t, "root:secret");
    await rm(path);
    await looked(clock, () => log.of("error").length === 1);
    await mkdir(path);
    await looked(clock, () => log.of("error").length === 2);
    assert.match(log.of("error")[1]!.message, /this is not a file$/);
    assert.equal(file.credentials?.password, "secret");
  });

  test(
    "stay when the file may not be read any more",
    { skip: process.getuid?.() === 0 && "root reads every file" },
    async (t) => {
      const { path, file, clock, log } = await setup(t, "root:secret");
      await chmod(path, 0);
      await looked(clock, () => log.of("error").length === 1);
      assert.match(log.of("error")[0]!.message, /EACCES/);
      assert.equal(file.credentials?.password, "secret");
    },
  );

  test("are not looked at after it is closed", async (t) => {
    const { path, file, clock } = await setup(t, "root:secret");
    file.close();
    await writeFile(path, "root:other");
    clock.advance(LOOK_INTERVAL_MS * 5);
    assert.equal(clock.pendingTimers, 0);
    assert.equal(file.credentials?.password, "secret");
  });

  test("on a volume that hangs hold nobody for longer than 2 s, and are taken when it goes on", async (t) => {
    const { path } = await setup(t, "root:secret");
    const [clock, log] = [new FakeClock(), new RecordingLog()];
    const gate = Promise.withResolvers<void>();
    let looks = 0;
    const hanging = async (...given: Parameters<typeof stat>): Promise<unknown> => {
      looks++;
      await gate.promise;
      return stat(...given);
    };
    const file = new AuthFile(path, "edit_auth_file", { clock, log, stat: hanging as typeof stat });
    t.after(() => file.close());
    const start = file.start();
    clock.advance(FIRST_LOOK_LIMIT_MS);
    await start;
    assert.match(log.text, /nobody gets in with them: the file cannot be read: no answer in 2 s/);
    clock.advance(10 * LOOK_INTERVAL_MS);
    assert.equal(looks, 1);
    gate.resolve();
    await eventually(() => assert.equal(file.credentials?.password, "secret"), { intervalMs: 5 });
  });

  test("leave those before in force until they were read for the first time", async (t) => {
    const { directory, clock, log } = await setup(t);
    const path = join(directory, "later");
    const before = { login: "root", password: "before" };
    const file = new AuthFile(path, "edit_auth_file", { clock, log, before });
    t.after(() => file.close());
    await file.start();
    assert.equal(file.credentials, before);
    assert.match(log.text, /those before stay in force/);
    await writeFile(path, "root:later");
    await looked(clock, () => file.credentials?.password === "later");
  });
});
