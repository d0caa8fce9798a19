/** A stream whose sound ends while it is played: who plays both goes on with the pictures. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { LiveSource } from "../../../test/support/live-source.ts";
import { audioTrack } from "../../../test/support/media.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import { parseHlsPath } from "./path.ts";
import { hlsReply } from "./reply.ts";
import { parseTsResource } from "./ts-path.ts";
import { tsReply } from "./ts-reply.ts";

const SEGMENTS = 4;

const request = { query: new URLSearchParams(), remoteAddress: "192.0.2.1" } as HttpRequest;

describe("where the sound has ended", () => {
  let window: LiveWindow;
  let source: LiveSource;

  beforeEach(() => {
    const clock = new FakeClock();
    const form = { segmentDurationUs: 2e6, segmentCount: SEGMENTS, chunkDurationUs: 200_000, clock };
    window = new LiveWindow(form);
    // There is no silence of it that could take its place.
    const audio = audioTrack({ codec: "ac3", config: Uint8Array.of(0x10, 0x3c, 0xc0) });
    source = new LiveSource(window, { audio });
    source.play({ seconds: 8.04 });
  });

  async function get(file: string): Promise<HttpReply> {
    const path = `/show/${file}`;
    const transport = parseTsResource(path);
    if (transport !== null) return tsReply(transport.resource, window, { request, carriedQuery: "" });
    return hlsReply(parseHlsPath(path)!.resource, window, "", request);
  }

  async function text(file: string): Promise<string> {
    const reply = await get(file);
    assert.equal(reply.status, 200, file);
    return new TextDecoder().decode(reply.body[0]);
  }

  const hasSound = (): boolean =>
    window.timeline().segments.some(({ tracks }) => tracks.tracks.some(({ id }) => id === "a1"));

  for (const playlist of ["mono.m3u8", "mono.ll.m3u8", "mono.ts.m3u8"]) {
    test(`${playlist} of both goes on, segment by segment, with the pictures`, async () => {
      const seen = new Map<string, number>();
      const look = async (): Promise<void> => {
        const lines = (await text(`tracks-v1a1/${playlist}`)).split("\n");
        const first = Number(
          lines.find((line) => line.startsWith("#EXT-X-MEDIA-SEQUENCE:"))!.split(":")[1],
        );
        const names = lines.filter((line) => line.startsWith("seg-"));
        for (const [index, name] of names.entries()) {
          assert.equal(seen.get(name) ?? first + index, first + index, `${name} keeps its number`);
          seen.set(name, first + index);
        }
        assert.ok(seen.has(names.at(-1)!));
      };
      await look();
      let hasAudio = hasSound();
      assert.ok(hasAudio);
      source.play({ seconds: 2, hasAudio: false, begins: "track-change" });
      for (let i = 0; i < SEGMENTS + 2; i++) {
        source.play({ seconds: 2, hasAudio: false });
        await look();
        hasAudio = hasSound();
      }
      assert.ok(!hasAudio, "no segment with sound is listed any more");
      const numbers = [...seen.values()];
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => numbers[0]! + index),
      );
      assert.equal((await get(`tracks-a1/${playlist}`)).status, 404, "none of its tracks is there");
    });
  }

  test("init segment, segment and parts under the address of both are those of the pictures", async () => {
    source.play({ seconds: 4 * SEGMENTS + 1, hasAudio: false, begins: "track-change" });
    assert.ok(!hasSound());
    const lines = (await text("tracks-v1a1/mono.ll.m3u8")).split("\n");
    const files = [/^#EXT-X-MAP:URI="([^"]+)"/, /^(seg-.+)$/, /^#EXT-X-PART:.*URI="([^"]+)"/].map(
      (form) => {
        const line = lines.findLast((one) => form.test(one));
        return form.exec(line ?? "")?.[1];
      },
    );
    for (const file of files) {
      const both = await get(`tracks-v1a1/${file}`);
      assert.equal(both.status, 200, file);
      const alone = await get(`tracks-v1/${file}`);
      assert.deepEqual(Buffer.concat(both.body), Buffer.concat(alone.body), file);
    }
  });
});
