import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { finish } from "../base/steps.ts";
import type { StreamTexts } from "./known-streams.ts";
import { loadConfig, loadSteps } from "./load.ts";
import type { LoadedConfig } from "./load.ts";
import type { SourceFile } from "./place.ts";
import { keepSteps, isSamePlan } from "./same-plans.ts";

/** Readings of one text after the other, each with what the one before left. */
class Readings {
  #before: StreamTexts | null = null;
  #last: LoadedConfig | null = null;

  read(...texts: readonly string[]): LoadedConfig {
    const files = filesOf(texts);
    const { loaded, streams } = finish(loadSteps(files, {}, { before: this.#before }));
    const { config } = loaded;
    if (config === undefined) return loaded;
    const was = this.#last?.config;
    const kept = was === undefined ? config : finish(keepSteps(was, config));
    this.#before = streams.texts(config.streams, kept.streams);
    this.#last = { ...loaded, config: kept };
    return this.#last;
  }
}

function filesOf(texts: readonly string[]): SourceFile[] {
  return texts.map((text, i) => ({ file: `${i}.conf`, text }));
}

test("streams that are written as they were are the same objects, wherever they stand", () => {
  const readings = new Readings();
  const before = readings.read("stream a { title A; }\nstream b { title B; }").config!;
  const after = readings.read(
    "\n# more\nstream c { title C; }\nstream b { title B; }",
    "stream a { title X; }",
  );
  const [c, b, a] = after.config!.streams;
  assert.deepEqual([c?.name, b?.name, a?.title], ["c", "b", "X"]);
  assert.equal(b, before.streams[1]);
});

test("what streams name is looked up anew", () => {
  const readings = new Readings();
  const stream = "stream a { template t; input publish://; }";
  readings.read(`template t { title One; } ${stream}`);
  assert.equal(readings.read(`template t { title Two; } ${stream}`).config!.streams[0]!.title, "Two");
  const codes = readings.read(stream).problems.map(({ code }) => code);
  assert.deepEqual(codes, ["CONFIG_UNKNOWN_TEMPLATE"]);
});

test("problems stand where they are now, of streams that are known too", () => {
  const readings = new Readings();
  const known = "stream a { input file://films/x.mp4; dvr /s/pub; }";
  const cases = [
    known,
    // Moved: no vod has its file.
    `\n\n${known}`,
    // Twice, in another file.
    `stream b { }\n${known}\n${known}`,
    `\nstream pub { input publish://; dvr /s; }\n${known}`,
    `${known}\nstream c { allowed_countries DE; input publish://; }`,
    `\n${known}\nstream c { allowed_countries DE; input publish://; }`,
    `vod films { storage /f; }\n${known}`,
    `vod films { storage /f; }\n\n${known}`,
    `vod films { storage /f; }\n${known}\nstream pub { input publish://; dvr /s; }`,
    `${known} stream d { input publish://; `,
    `${known} stream d { titel X; }`,
  ];
  for (const text of cases) {
    for (const texts of [[text], ["# head", text]]) {
      assert.deepEqual(readings.read(...texts).problems, loadConfig(filesOf(texts)).problems, text);
    }
  }
});

test("whatever was read before, a configuration says the same", () => {
  const line = fc.constantFrom(
    "stream a { title A; }",
    "stream a { template t; dvr @d; }",
    "stream b { on_play auth://x; input publish://; }",
    "stream b { on_play auth://x; input publish://; } stream e { static; }",
    "stream c { password y; input publish://;",
    "stream c { }",
    "}",
    "title;",
    'stream "d { ',
    "ondemand o file://films/a.mp4;",
    "template t { title One; prefix p; }",
    "template t { title Two; on_play http://h/a; }",
    "dvr d { root /s; }",
    "auth_backend x { allow ip 10.0.0.0/8; }",
    "auth_backend x { allow country DE; }",
    "vod films { storage /f; }",
    "geoip /g.mmdb;",
    "# note",
  );
  const text = fc.array(line, { maxLength: 8 }).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { minLength: 2, maxLength: 4 }), (all) => {
      const readings = new Readings();
      for (const texts of all) {
        const [read, whole] = [readings.read(...texts), loadConfig(filesOf(texts))];
        assert.deepEqual(read.problems, whole.problems);
        assert.ok(isSamePlan(read.config, whole.config));
      }
    }),
  );
});
