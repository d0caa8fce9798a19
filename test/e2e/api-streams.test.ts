/** A stream that somebody publishes, as the API tells it, and its end by the API. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { apiClient } from "../../ui/api/client.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { startProgram } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

test(
  "a published stream is told with what it is, and its publisher is closed by a stop",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    const root = await mkdtemp(join(tmpdir(), "weir-api-streams-"));
    t.after(() => rm(root, { recursive: true, force: true }));
    const config = `threads 2; edit_auth root secret; total_bandwidth 1G;
      template live { prefix live; input publish://; dvr ${root} 1d; }`;
    const weir = await startWeir(t, { config });
    const authorization = `Basic ${Buffer.from("root:secret").toString("base64")}`;
    const api = apiClient({ base: weir.url("/streamer/api/v3"), authorization });
    await assert.rejects(api("streamGet", { path: { name: "live/one" } }), { code: "stream_not_found" });
    const clip = await makeClip({ durationS: 10 });
    const events = await api("eventsFollow", { query: { event: "source_*" } });
    publish(t, weir.rtmpUrl("live/one"), clip, { loop: true });
    for await (const { event, media } of events) {
      assert.deepEqual([event, media], ["source_opened", "live/one"]);
      break;
    }
    await eventually(async () => {
      const { streams } = await api("streamsList", { query: { "stats.status": "running" } });
      const [one] = streams;
      assert.deepEqual([one?.name, one?.named_by, one?.template], ["live/one", "user", "live"]);
      assert.ok(one!.stats.bitrate > 0 && one!.stats.bytes_in > 0);
      assert.equal(one!.stats.source?.proto, "rtmp");
      assert.ok(one!.stats.media_info?.tracks.some(({ content }) => content === "video"));
    });
    await eventually(async () => {
      const { inputs, stats } = await api("streamGet", { path: { name: "live/one" } });
      assert.ok(
        stats.dvr_info!.depth > 0 && stats.dvr_info!.bytes > 0 && stats.dvr_info!.ranges.length > 0,
      );
      const [input] = inputs;
      assert.deepEqual([input?.stats?.active, input?.stats?.ip], [true, "127.0.0.1"]);
      assert.equal(input!.stats!.bytes, stats.bytes_in);
      assert.ok(Math.abs(stats.last_dts! - Date.now()) < 30_000 && stats.ts_delay! < 30_000);
    });
    const player = startProgram(t, "ffmpeg", [
      ...["-nostdin", "-v", "error", "-i", weir.rtmpUrl("live/one"), "-c", "copy", "-f", "null", "-"],
    ]);
    await eventually(async () => {
      const { stats } = await api("streamGet", { path: { name: "live/one" } });
      assert.ok(stats.out_bandwidth! > 0, "what went out since somebody looked before");
      const server = await api("configStats", {});
      assert.ok(server.total_clients === 1 && server.output_kbit! > 0);
    });
    await api("streamStop", { path: { name: "live/one" } });
    await eventually(async () => {
      const { stats } = await api("streamGet", { path: { name: "live/one" } });
      assert.deepEqual([stats.status, stats.alive, stats.source], ["waiting", false, undefined]);
    });
    const figures = await api("configStats", {});
    assert.equal(figures.total_streams, 1);
    assert.equal(figures.partitions[0]?.path, root);
    await player.stop();
  },
);

test(
  "choosing a file takes the publisher off and keeps others out, while viewers stay; choosing publish:// lets one in again",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    const config = "threads 2; edit_auth root secret; stream pick { input publish://; input fake://fake; }";
    const weir = await startWeir(t, { config });
    const authorization = `Basic ${Buffer.from("root:secret").toString("base64")}`;
    const api = apiClient({ base: weir.url("/streamer/api/v3"), authorization });
    const proto = async (): Promise<string | undefined> =>
      (await api("streamGet", { path: { name: "pick" } })).stats.source?.proto;
    const clip = await makeClip({ durationS: 10 });
    const first = publish(t, weir.rtmpUrl("pick"), clip, { loop: true });
    await weir.onAir("pick");
    const player = startProgram(t, "ffmpeg", [
      ...["-nostdin", "-v", "error", "-i", weir.rtmpUrl("pick"), "-c", "copy", "-f", "null", "-"],
    ]);
    await eventually(async () => assert.equal((await api("configStats", {})).total_clients, 1));
    await api("streamInputSelect", { path: { name: "pick", i: 1 } });
    await first.ended;
    await eventually(async () => assert.equal(await proto(), "fake"));
    const refused = publish(t, weir.rtmpUrl("pick"), clip, { loop: true });
    await refused.ended;
    assert.equal(await proto(), "fake");
    assert.equal((await api("configStats", {})).total_clients, 1, "the viewer is the same");
    assert.ok(player.isRunning);
    await api("streamInputSelect", { path: { name: "pick", i: 0 } });
    await eventually(async () => assert.equal(await proto(), undefined));
    publish(t, weir.rtmpUrl("pick"), clip, { loop: true });
    await eventually(async () => assert.equal(await proto(), "rtmp"));
    await player.stop();
  },
);
