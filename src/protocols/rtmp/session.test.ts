import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { MediaError } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { RtmpTarget } from "./names.ts";
import { RtmpSession } from "./session.ts";
import type { RtmpPlayback, RtmpPublication } from "./net-stream.ts";
import type { RtmpSessionHost, RtmpSessionOptions } from "./session.ts";
import {
  SERVER_HANDSHAKE_BYTES,
  clientCommand,
  clientConnect,
  clientHandshake,
  clientMessage,
  joined,
  serverCommands,
  serverMessages,
  statusCodes,
} from "./test-client.ts";
import { amfField, amfObject } from "./wire/amf-value.ts";
import { DEFAULT_CHUNK_LIMITS } from "./wire/chunk-reader.ts";
import {
  MESSAGE,
  buildCommand,
  buildControlNumber,
  buildUserControl,
  parseCommand,
} from "./wire/messages.ts";
import { concatBytes, readU32 } from "../../base/bytes.ts";

const OPTIONS: RtmpSessionOptions = {
  chunkLimits: DEFAULT_CHUNK_LIMITS,
  handshakeTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  publishTimeoutMs: 30_000,
  pauseTimeoutMs: 600_000,
};
const SECOND_US = 1_000_000;

class FakeHost implements RtmpSessionHost {
  readonly written: Uint8Array[] = [];
  readonly log: string[] = [];
  readonly messages: number[] = [];
  refusal: Error | null = null;
  onPlay: () => void = () => {};
  lastTarget: RtmpTarget | null = null;

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
  }
  /** The answer of a core that has to ask elsewhere first. */
  answer: Promise<RtmpPublication> | null = null;

  publish(target: RtmpTarget): RtmpPublication | Promise<RtmpPublication> {
    if (this.refusal !== null) throw this.refusal;
    this.lastTarget = target;
    this.log.push(`publish ${target.name}`);
    return this.answer ?? this.publication();
  }
  /** The answer of who decides whether the peer may. */
  leave: Promise<void> | undefined = undefined;

  admit(kind: "publish" | "play", target: RtmpTarget): Promise<void> | undefined {
    if (this.leave !== undefined) this.log.push(`admit ${kind} ${target.name}`);
    return this.leave;
  }
  moved(): void {}
  publication(): RtmpPublication {
    return {
      message: (message) => void this.messages.push(message.typeId),
      patienceMs: () => 0,
      close: (reason) => void this.log.push(`unpublish: ${reason}`),
    };
  }
  holdReading(isHeld: boolean): void {
    this.log.push(isHeld ? "hold" : "read on");
  }
  play(target: RtmpTarget): RtmpPlayback {
    if (this.refusal !== null) throw this.refusal;
    this.lastTarget = target;
    this.log.push(`play ${target.name}`);
    this.onPlay();
    return { close: () => void this.log.push("stop playing") };
  }
  closed(reason: string, error: Error | null): void {
    const code = error !== null && "code" in error ? ` ${String(error.code)}` : "";
    this.log.push(`closed ${reason}${code}`);
  }
  sent(): Uint8Array {
    return joined(this.written);
  }
  codes(): string[] {
    return statusCodes(this.sent());
  }
}

const createStream = clientCommand("createStream", 4, null);
const publish = (name = "camera"): Uint8Array => clientCommand("publish", 5, null, name, "live");
const play = (name = "camera"): Uint8Array => clientCommand("play", 5, null, name, -2000);
const video = clientMessage(MESSAGE.video, Uint8Array.of(0x17, 0, 0, 0, 0), 0, 6);

function open(...bytes: readonly Uint8Array[]): { host: FakeHost; session: RtmpSession } {
  const host = new FakeHost();
  const session = new RtmpSession(host, OPTIONS, silentLogger, 0);
  for (const piece of bytes) session.feed(piece, 0);
  return { host, session };
}

const connected = (...bytes: readonly Uint8Array[]): ReturnType<typeof open> =>
  open(clientHandshake(), clientConnect(), ...bytes);

test("connect is answered with window, bandwidth, chunk size and success", () => {
  const { host, session } = connected();
  const types = serverMessages(host.sent()).map((message) => message.typeId);
  assert.deepEqual(types, [
    MESSAGE.windowAckSize,
    MESSAGE.setPeerBandwidth,
    MESSAGE.setChunkSize,
    MESSAGE.commandAmf0,
  ]);
  assert.deepEqual(host.codes(), ["NetConnection.Connect.Success"]);
  assert.equal(session.facts().state, "idle");
});

test("the object encoding that the client asks for is confirmed", () => {
  for (const objectEncoding of [0, 3]) {
    const { host } = open(clientHandshake(), clientConnect("pub", { objectEncoding }));
    const [reply] = serverCommands(host.sent());
    assert.equal(amfField(reply!.args[0], "objectEncoding"), objectEncoding);
  }
});

test("Enhanced RTMP is announced to a client that announces it, and to no other", () => {
  const enhanced = open(clientHandshake(), clientConnect("pub", { fourCcList: ["hvc1"] }));
  const [reply] = serverCommands(enhanced.host.sent());
  assert.equal(amfField(reply!.object, "capsEx"), 15);
  assert.equal(amfField(amfField(reply!.object, "videoFourCcInfoMap"), "hvc1"), 4);
  const [plain] = serverCommands(connected().host.sent());
  assert.equal(amfField(plain!.object, "capsEx"), undefined);
});

for (const [who, capsEx, wants] of [
  ["announces reconnecting", 0x01, true],
  ["announces it among others", 0x0f, true],
  ["announces other things", 0x0e, false],
  ["announces nothing", undefined, false],
  ["announces nonsense", "yes", false],
] as const) {
  test(`a publisher that ${who} is ${wants ? "" : "not "}asked to reconnect`, () => {
    const more = capsEx === undefined ? {} : { capsEx };
    const { host, session } = open(clientHandshake(), clientConnect("pub", more), createStream);
    assert.equal(session.askToReconnect(), false, "it does not publish yet");
    session.feed(publish(), 0);
    assert.equal(session.askToReconnect(), wants);
    const asked = serverMessages(host.sent())
      .filter(({ typeId }) => typeId === MESSAGE.commandAmf0)
      .map((message) => ({ ...parseCommand(message), messageStreamId: message.messageStreamId }))
      .filter(({ args }) => amfField(args[0], "code") === "NetConnection.Connect.ReconnectRequest");
    assert.deepEqual(
      asked.map(({ name, transactionId, object, messageStreamId, args }) => [
        name,
        transactionId,
        object,
        messageStreamId,
        amfField(args[0], "level"),
        amfField(args[0], "tcUrl"),
      ]),
      wants ? [["onStatus", 0, null, 0, "status", undefined]] : [],
    );
    assert.equal(session.facts().state, "publishing", "it goes on until it has another connection");
  });
}

test("a publisher starts, sends media and stops", () => {
  const { host, session } = connected(createStream, publish("camera?token=x"), video);
  assert.deepEqual(host.log, ["publish pub/camera"]);
  assert.equal(host.lastTarget?.query, "token=x");
  assert.deepEqual(host.messages, [MESSAGE.video]);
  assert.equal(session.facts().state, "publishing");
  session.feed(clientCommand("FCUnpublish", 6, null, "camera"), 0);
  session.feed(clientCommand("deleteStream", 7, null, 1), 0);
  assert.deepEqual(host.log, ["publish pub/camera", "unpublish: the publisher stopped"]);
  assert.equal(session.facts().state, "idle");
  const codes = host.codes();
  assert.ok(codes.includes("NetStream.Publish.Start"));
  assert.ok(codes.includes("NetStream.Unpublish.Success"));
});

describe("a publisher whose name has to be claimed elsewhere", () => {
  type Claim = ReturnType<typeof open> & {
    readonly grant: () => Promise<void>;
    readonly refuse: (error: Error) => Promise<void>;
  };

  /** `more`: what comes in one piece with the command. */
  function claiming(...more: readonly Uint8Array[]): Claim {
    const { promise, resolve, reject } = Promise.withResolvers<RtmpPublication>();
    const host = new FakeHost();
    host.answer = promise;
    const session = new RtmpSession(host, OPTIONS, silentLogger, 0);
    for (const piece of [clientHandshake(), clientConnect(), createStream]) session.feed(piece, 0);
    const shared = concatBytes([publish(), ...more]);
    session.feed(shared, 0);
    shared.fill(0xff);
    return {
      host,
      session,
      grant: async () => {
        resolve(host.publication());
        await turn();
      },
      refuse: async (error) => {
        reject(error);
        await turn();
      },
    };
  }

  test("is told nothing and not read before the answer", () => {
    const { host, session } = claiming(video);
    assert.deepEqual([session.facts().state, host.log.at(-1), host.messages], ["claiming", "hold", []]);
    assert.ok(!host.codes().includes("NetStream.Publish.Start"));
  });

  test("starts with the answer, and loses nothing that came before it", async () => {
    const { host, session, grant } = claiming(video, video.subarray(0, 7));
    const [middle, end] = [video.slice(7, 9), video.slice(9)];
    session.feed(middle, 0);
    middle.fill(0xff);
    await grant();
    session.feed(end, 0);
    assert.deepEqual(host.messages, [MESSAGE.video, MESSAGE.video]);
    assert.deepEqual([session.facts().state, host.log.at(-1)], ["publishing", "read on"]);
    assert.ok(host.codes().includes("NetStream.Publish.Start"));
  });

  test("is refused in words when the answer is no", async () => {
    const { host, session, refuse } = claiming(video);
    await refuse(streamErrors.error("STREAM_BUSY", { name: "pub/camera", owner: "192.0.2.1" }));
    assert.equal(session.facts().state, "closed");
    assert.ok(host.codes().includes("NetStream.Publish.BadName"));
    assert.ok(host.log.includes("closed refused STREAM_BUSY"));
  });

  test("gives the name back when it left before the answer", async () => {
    const { host, session, grant } = claiming();
    session.close("peer-closed");
    await grant();
    assert.equal(host.log.at(-1), "unpublish: the publisher left");
  });

  test("is told when the name is taken away with the answer", async () => {
    const { host, session, grant } = claiming(video);
    session.stream.revoke("replaced by another publisher");
    await grant();
    assert.equal(session.facts().state, "closed");
    assert.deepEqual(host.messages, []);
    assert.ok(host.codes().includes("NetStream.Publish.BadName"));
  });

  test("may not send more than fits while it waits", () => {
    const { host, session } = claiming();
    for (let i = 0; i < 100 && session.facts().state === "claiming"; i++)
      session.feed(new Uint8Array(DEFAULT_CHUNK_LIMITS.partialBytes / 50), 0);
    assert.ok(host.log.includes("closed protocol-error RTMP_PARTIAL_LIMIT"));
  });

  test("fails as a fault of the server when the answer is one", async () => {
    const { host, refuse } = claiming();
    await refuse(new TypeError("broken"));
    assert.ok(host.log.includes("closed internal-error"));
  });
});

describe("a peer that has to be asked about", () => {
  const PLAY = clientCommand("play", 3, null, "camera?token=1");
  const denied = new MediaError(
    "ACCESS_DENIED",
    { disposition: "reject", message: "not for you", doc: "" },
    {},
  );

  function asking(command: Uint8Array): {
    host: FakeHost;
    session: RtmpSession;
    allow: () => Promise<void>;
    deny: (error: Error) => Promise<void>;
  } {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const host = new FakeHost();
    host.leave = promise;
    const session = new RtmpSession(host, OPTIONS, silentLogger, 0);
    for (const piece of [clientHandshake(), clientConnect(), createStream, command]) session.feed(piece, 0);
    return {
      ...{ host, session },
      allow: async () => {
        resolve();
        await turn();
      },
      deny: async (error) => {
        reject(error);
        await turn();
      },
    };
  }

  for (const [role, command, begin] of [
    ["play", PLAY, "NetStream.Play.Start"],
    ["publish", publish(), "NetStream.Publish.Start"],
  ] as const) {
    test(`may ${role} when it is said so, and not before`, async () => {
      const { host, session, allow } = asking(command);
      assert.deepEqual(host.log, [`admit ${role} pub/camera`, "hold"]);
      session.feed(clientCommand("createStream", 4, null), 0);
      await allow();
      assert.deepEqual(host.log.slice(-2), [`${role} pub/camera`, "read on"]);
      assert.ok(host.codes().includes(begin));
    });

    test(`is told in words that it may not ${role}`, async () => {
      const { host, session, deny } = asking(command);
      await deny(denied);
      assert.equal(session.facts().state, "closed");
      const word = role === "play" ? "NetStream.Play.Failed" : "NetStream.Publish.Denied";
      assert.equal(host.codes().at(-1), word);
      assert.ok(host.log.includes("closed refused ACCESS_DENIED"));
      assert.ok(!host.log.includes(`${role} pub/camera`));
    });

    test(`leaves before it may ${role}: nothing comes of it`, async () => {
      const { host, session, allow } = asking(command);
      session.close("peer-closed");
      await allow();
      assert.ok(!host.codes().includes(begin));
      assert.equal(session.facts().state, "closed");
    });

    test(`fails as a fault of the server when asking whether it may ${role} is one`, async () => {
      const { host, deny } = asking(command);
      await deny(new TypeError("broken"));
      assert.ok(host.log.includes("closed internal-error"));
    });

    test(`is told when it may not ${role} any more`, async () => {
      const { host, session, allow } = asking(command);
      await allow();
      session.stream.dismiss("kicked");
      const word = role === "play" ? "NetStream.Play.Failed" : "NetStream.Publish.Denied";
      assert.equal(host.codes().at(-1), word);
      assert.ok(host.log.includes("closed dismissed"));
      session.stream.dismiss("again");
      assert.equal(host.log.filter((line) => line.startsWith("closed")).length, 1);
    });
  }

  test("says in connect what it is known by", () => {
    const connect = clientConnect("pub", {
      tcUrl: "rtmp://u:secret@host/pub?token=2",
      pageUrl: "http://site/",
    });
    const { host, session } = open(concatBytes([clientHandshake(), connect, createStream, PLAY]));
    assert.equal(host.lastTarget?.query, "token=1&token=2");
    assert.deepEqual(session.facts().caller, { password: "secret", pageUrl: "http://site/" });
  });
});

test("the whole opening in one piece, and cut at every byte, gives the same", () => {
  const all = concatBytes([
    clientHandshake(),
    clientConnect(),
    clientCommand("releaseStream", 2, null, "camera"),
    clientCommand("FCPublish", 3, null, "camera"),
    createStream,
    publish(),
    video,
  ]);
  const whole = open(all).host;
  for (let cut = SERVER_HANDSHAKE_BYTES - 2; cut <= all.byteLength; cut++) {
    const { host } = open(all.subarray(0, cut), all.subarray(cut));
    assert.deepEqual(host.log, whole.log, `cut at ${cut}`);
    assert.deepEqual(host.messages, [MESSAGE.video], `cut at ${cut}`);
    assert.deepEqual(host.codes(), whole.codes(), `cut at ${cut}`);
  }
});

test("createStream always gives 1, and the calls around it are answered", () => {
  const { host } = connected(
    clientCommand("releaseStream", 2, null, "camera"),
    clientCommand("FCPublish", 3, null, "camera"),
    createStream,
    clientCommand("getStreamLength", 5, null, "camera"),
    clientCommand("_checkbw", 6, null),
    clientCommand("FCSubscribe", 7, null, "camera"),
  );
  const replies = serverCommands(host.sent()).map(({ name, transactionId, args }) => [
    name,
    transactionId,
    args[0],
  ]);
  assert.deepEqual(
    replies.slice(1).filter(([name]) => name === "_result"),
    [
      ["_result", 2, undefined],
      ["_result", 3, undefined],
      ["_result", 4, 1],
      ["_result", 5, 0],
      ["_result", 6, undefined],
      ["_result", 7, undefined],
    ],
  );
});

test("an unknown call fails, an unknown call without a reply is nothing", () => {
  const { host } = connected(clientCommand("teapot", 9, null), clientCommand("teapot", 0, null));
  const replies = serverCommands(host.sent()).slice(1);
  assert.deepEqual(
    replies.map(({ name, transactionId }) => [name, transactionId]),
    [["_error", 9]],
  );
});

test("AMF3 commands are understood", () => {
  const body = concatBytes([
    Uint8Array.of(0),
    buildCommand({ name: "createStream", transactionId: 4, object: null, args: [] }),
  ]);
  const { host } = connected(clientMessage(MESSAGE.commandAmf3, body));
  assert.deepEqual(serverCommands(host.sent()).at(-1)?.args, [1]);
});

test("media that a player gets at once comes after the words that announce it", () => {
  const { host, session } = open(clientHandshake(), clientConnect(), createStream);
  const media = clientMessage(MESSAGE.video, Uint8Array.of(1), 0, 6);
  host.onPlay = () => session.stream.media(media);
  session.feed(play(), 0);
  assert.equal(host.written.at(-1), media);
  assert.deepEqual(host.codes().slice(1), ["NetStream.Play.Reset", "NetStream.Play.Start"]);
  assert.equal(session.facts().state, "playing");
});

test("a stream that ends inside subscribe ends after it was announced", () => {
  const { host, session } = connected(createStream);
  host.onPlay = () => session.stream.mediaEnd("stream-ended");
  session.feed(play(), 0);
  assert.deepEqual(host.codes().slice(2), [
    "NetStream.Play.Start",
    "NetStream.Play.UnpublishNotify",
    "NetStream.Play.Stop",
  ]);
  assert.equal(session.facts().state, "idle");
});

test("a player is told how its subscription ended", () => {
  const ends = [
    ["stream-ended", "NetStream.Play.Stop", "idle"],
    ["not-on-air", "NetStream.Play.StreamNotFound", "closed"],
    ["too-slow", "NetStream.Play.InsufficientBW", "closed"],
    ["server-stopping", "NetConnection.Connect.AppShutdown", "closed"],
  ] as const;
  for (const [reason, code, state] of ends) {
    const { host, session } = connected(createStream, play());
    session.stream.mediaEnd(reason);
    assert.equal(host.codes().at(-1), code);
    assert.equal(session.facts().state, state);
    session.stream.media(Uint8Array.of(1));
    assert.notDeepEqual(host.written.at(-1), Uint8Array.of(1), "nothing follows");
  }
});

test("a pause ends the subscription, going on makes a new one", () => {
  const { host, session } = connected(createStream, play());
  session.feed(clientCommand("pause", 0, null, true, 0), 0);
  assert.equal(session.facts().state, "paused");
  session.feed(clientCommand("pause", 0, null, false, 0), 0);
  assert.equal(session.facts().state, "playing");
  assert.deepEqual(host.log, ["play pub/camera", "stop playing", "play pub/camera"]);
  assert.deepEqual(host.codes().slice(3), ["NetStream.Pause.Notify", "NetStream.Unpause.Notify"]);
});

test("going on after a pause is refused when the stream is gone", () => {
  const { host, session } = connected(createStream, play(), clientCommand("pause", 0, null, true, 0));
  host.refusal = streamErrors.error("STREAM_NOT_FOUND", { name: "pub/camera" });
  session.feed(clientCommand("pause", 0, null, false, 0), 0);
  assert.equal(host.codes().at(-1), "NetStream.Play.StreamNotFound");
  assert.equal(session.facts().state, "closed");
});

test("playing another stream ends the first", () => {
  const { host } = connected(createStream, play("one"), play("two"));
  assert.deepEqual(host.log, ["play pub/one", "stop playing", "play pub/two"]);
});

test("a player that asks for five seconds gets five and is told that it stopped", () => {
  const duration = clientCommand("play", 5, null, "camera", -1000, 5000);
  const { host, session } = connected(createStream, duration);
  const at = (timestampMs: number): Uint8Array =>
    clientMessage(MESSAGE.video, Uint8Array.of(1), timestampMs, 6);
  session.stream.media(concatBytes([at(7000), at(9000)]));
  session.stream.media(concatBytes([at(11_999), at(12_000), at(12_040)]));
  assert.deepEqual(host.codes().slice(3), ["NetStream.Play.Stop"]);
  const sent = serverMessages(host.sent()).slice(-5);
  assert.deepEqual(
    sent.map(({ typeId, timestampMs }) => [typeId, timestampMs]),
    [
      [MESSAGE.video, 7000],
      [MESSAGE.video, 9000],
      [MESSAGE.video, 11_999],
      [MESSAGE.userControl, 0],
      [MESSAGE.commandAmf0, 0],
    ],
  );
  assert.deepEqual(host.log, ["play pub/camera", "stop playing"]);
  assert.equal(session.facts().state, "idle");
  session.stream.media(at(13_000));
  session.stream.mediaEnd("stream-ended");
  assert.equal(serverMessages(host.sent()).at(-1)?.typeId, MESSAGE.commandAmf0, "nothing follows");
});

test("a duration that ends within what a player gets at once ends after it was announced", () => {
  const { host, session } = connected(createStream);
  const frames = [0, 40, 80].map((ms) => clientMessage(MESSAGE.video, Uint8Array.of(1), ms, 6));
  host.onPlay = () => {
    session.stream.media(concatBytes(frames));
    session.stream.media(frames[2]!);
  };
  session.feed(clientCommand("play", 5, null, "camera", -1000, 50), 0);
  const videos = serverMessages(host.sent()).filter(({ typeId }) => typeId === MESSAGE.video);
  assert.deepEqual(videos.length, 2);
  assert.deepEqual(host.codes().slice(2), ["NetStream.Play.Start", "NetStream.Play.Stop"]);
  assert.deepEqual(host.log, ["play pub/camera", "stop playing"]);
});

test("the next play of a connection forgets the duration of the one before", () => {
  const { host, session } = connected(createStream, clientCommand("play", 5, null, "one", -1000, 50));
  session.feed(play("two"), 0);
  for (const ms of [0, 5000]) {
    session.stream.media(clientMessage(MESSAGE.video, Uint8Array.of(1), ms, 6));
  }
  assert.equal(session.facts().state, "playing");
  assert.deepEqual(host.log, ["play pub/one", "stop playing", "play pub/two"]);
});

test("seek, play2 and receiveAudio change nothing", () => {
  const names = ["seek", "play2", "receiveAudio", "receiveVideo"];
  const { session } = connected(
    createStream,
    play(),
    ...names.map((name) => clientCommand(name, 0, null, 1)),
  );
  assert.equal(session.facts().state, "playing");
});

test("refusals of the core become statuses with its words, and end the connection", () => {
  const refusals = [
    [publish(), "STREAM_BUSY", "NetStream.Publish.BadName"],
    [publish(), "STREAM_NOT_FOUND", "NetStream.Publish.BadName"],
    [publish(), "STREAM_NOT_PUBLISHABLE", "NetStream.Publish.Denied"],
    [play(), "STREAM_NOT_FOUND", "NetStream.Play.StreamNotFound"],
    [play(), "STREAM_PROTOCOL_OFF", "NetStream.Play.Failed"],
  ] as const;
  for (const [command, code, status] of refusals) {
    const { host, session } = connected(createStream);
    host.refusal = streamErrors.error(code, { name: "pub/camera" });
    session.feed(command, 0);
    const info = serverCommands(host.sent()).at(-1)!.args[0];
    assert.equal(amfField(info, "code"), status);
    assert.equal(amfField(info, "description"), host.refusal.message);
    assert.deepEqual(host.log, [`closed refused ${code}`]);
  }
});

test("a name that is none is refused before the core is asked", () => {
  for (const command of [publish("../etc"), play("a//b"), publish("a b")]) {
    const { host } = connected(createStream, command);
    assert.deepEqual(host.log, ["closed refused STREAM_BAD_NAME"]);
  }
});

test("a revoked publisher is told and closed", () => {
  const { host, session } = connected(createStream, publish());
  session.stream.revoke("replaced by another publisher");
  assert.equal(host.codes().at(-1), "NetStream.Publish.BadName");
  assert.deepEqual(host.log, ["publish pub/camera", "closed revoked"]);
});

test("pings are answered with their time", () => {
  const { host } = connected(clientMessage(MESSAGE.userControl, buildUserControl(6, 77)));
  const reply = serverMessages(host.sent()).at(-1)!;
  assert.deepEqual([...reply.body], [0, 7, 0, 0, 0, 77]);
});

test("bytes are acknowledged once the peer's window is full", () => {
  const { host, session } = connected(clientMessage(MESSAGE.windowAckSize, buildControlNumber(5000)));
  const acks = (): number[] =>
    serverMessages(host.sent())
      .filter((message) => message.typeId === MESSAGE.acknowledgement)
      .map((message) => readU32(message.body, 0));
  assert.deepEqual(acks(), []);
  session.feed(
    concatBytes([createStream, publish(), clientMessage(MESSAGE.video, new Uint8Array(6000), 0, 6)]),
    0,
  );
  assert.equal(acks().length, 1);
  assert.ok(acks()[0]! > 6000 + SERVER_HANDSHAKE_BYTES);
});

test("another peer bandwidth is answered with our window", () => {
  const body = concatBytes([buildControlNumber(1000), Uint8Array.of(2)]);
  const { host } = connected(clientMessage(MESSAGE.setPeerBandwidth, body));
  assert.equal(serverMessages(host.sent()).at(-1)?.typeId, MESSAGE.windowAckSize);
});

const violations = [
  {
    name: "a command before connect",
    bytes: [clientHandshake(), createStream],
    code: "RTMP_COMMAND_UNEXPECTED",
  },
  {
    name: "a second connect",
    bytes: [clientHandshake(), clientConnect(), clientConnect()],
    code: "RTMP_COMMAND_UNEXPECTED",
  },
  {
    name: "publishing twice",
    bytes: [clientHandshake(), clientConnect(), createStream, publish(), publish()],
    code: "RTMP_COMMAND_UNEXPECTED",
  },
  {
    name: "playing what one publishes",
    bytes: [clientHandshake(), clientConnect(), createStream, publish(), play()],
    code: "RTMP_COMMAND_UNEXPECTED",
  },
  {
    name: "another protocol",
    bytes: [Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    code: "RTMP_HANDSHAKE_VERSION",
  },
  {
    name: "garbage after the handshake",
    bytes: [clientHandshake(), new Uint8Array(50).fill(0xff)],
    code: "RTMP_CHUNK_HEADER",
  },
  {
    name: "a broken command",
    bytes: [clientHandshake(), clientMessage(MESSAGE.commandAmf0, Uint8Array.of(2, 9, 9))],
    code: "RTMP_COMMAND_MALFORMED",
  },
] as const;

for (const { name, bytes, code } of violations) {
  test(`${name} closes the session once, with ${code}`, () => {
    const { host, session } = open(...bytes);
    const closes = host.log.filter((line) => line.startsWith("closed"));
    assert.deepEqual(closes, [`closed protocol-error ${code}`]);
    session.feed(createStream, 0);
    session.close("peer-closed");
    assert.equal(host.log.filter((line) => line.startsWith("closed")).length, 1);
  });
}

test("a bug in the core closes the session, not the process", () => {
  const { host, session } = connected(createStream);
  host.refusal = new TypeError("a bug");
  session.feed(publish(), 0);
  assert.deepEqual(host.log, ["closed internal-error"]);
});

test("a client that drips bytes is closed when the time for the handshake is over", () => {
  const { host, session } = open();
  for (let second = 0; second < 10; second++) {
    session.feed(clientHandshake().subarray(second, second + 1), second * SECOND_US);
    session.tick(second * SECOND_US);
  }
  assert.deepEqual(host.log, []);
  session.tick(10 * SECOND_US);
  assert.deepEqual(host.log, ["closed handshake-timeout"]);
});

test("a handshake without connect has no more time", () => {
  const { host, session } = open(clientHandshake());
  session.tick(10 * SECOND_US);
  assert.deepEqual(host.log, ["closed handshake-timeout"]);
});

test("a connection that asks for nothing is closed, pings or not", () => {
  const { host, session } = connected();
  for (let second = 1; second < 60; second++) {
    session.feed(clientMessage(MESSAGE.userControl, buildUserControl(6, 1)), second * SECOND_US);
    session.tick(second * SECOND_US);
  }
  assert.deepEqual(host.log, []);
  session.tick(60 * SECOND_US);
  assert.deepEqual(host.log, ["closed idle-timeout"]);
});

test("a publisher that completes no message is closed, one that does stays", () => {
  const { host, session } = connected(createStream, publish());
  for (let second = 1; second <= 60; second++) {
    if (second % 20 === 0) session.feed(video, second * SECOND_US);
    session.tick(second * SECOND_US);
  }
  assert.equal(session.facts().state, "publishing");
  session.feed(video.subarray(0, 5), 80 * SECOND_US);
  session.tick(90 * SECOND_US);
  assert.deepEqual(host.log.slice(1), ["unpublish: publisher-silent", "closed publisher-silent"]);
});

test("a player may be silent for ever, a paused one for its time", () => {
  const { host, session } = connected(createStream, play());
  session.tick(1e6 * SECOND_US);
  assert.equal(session.facts().state, "playing");
  session.feed(clientCommand("pause", 0, null, true, 0), 1e6 * SECOND_US);
  session.tick((1e6 + 600) * SECOND_US);
  assert.equal(host.log.at(-1), "closed idle-timeout");
});

test("when the server stops, publishers and players are told", () => {
  const player = connected(createStream, play());
  player.session.close("server-stopping");
  assert.deepEqual(player.host.codes().slice(3), [
    "NetStream.Play.UnpublishNotify",
    "NetStream.Play.Stop",
    "NetConnection.Connect.AppShutdown",
  ]);
  const publisher = connected(createStream, publish());
  publisher.session.close("server-stopping");
  assert.ok(publisher.host.codes().includes("NetStream.Unpublish.Success"));
  assert.deepEqual(publisher.host.log.slice(1), ["unpublish: server-stopping", "closed server-stopping"]);
});

test("a session can be closed from every state and leaves nothing open", () => {
  const openings: readonly (readonly Uint8Array[])[] = [
    [],
    [clientHandshake()],
    [clientHandshake(), clientConnect()],
    [clientHandshake(), clientConnect(), createStream, publish()],
    [clientHandshake(), clientConnect(), createStream, play()],
    [clientHandshake(), clientConnect(), createStream, play(), clientCommand("pause", 0, null, true, 0)],
  ];
  for (const bytes of openings) {
    const { host, session } = open(...bytes);
    session.close("peer-closed");
    session.close("peer-closed");
    const count = (prefix: string): number => host.log.filter((line) => line.startsWith(prefix)).length;
    assert.equal(count("publish "), count("unpublish"));
    assert.equal(count("play "), count("stop playing"));
    assert.equal(count("closed"), 1);
    assert.equal(host.log.at(-1), "closed peer-closed");
  }
});

test("an object in place of a name does not pass for one", () => {
  const { host } = open(
    clientHandshake(),
    clientConnect(""),
    createStream,
    clientCommand("publish", 5, null, amfObject({})),
  );
  assert.deepEqual(host.log, ["closed refused STREAM_BAD_NAME"]);
});
