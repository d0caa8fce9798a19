import { withoutEffect } from "./schema.ts";
import type { DirectiveSpec } from "./schema.ts";

const WORKING: readonly DirectiveSpec[] = [
  {
    name: "storage",
    aliases: ["path"],
    scopes: ["vod"],
    arguments: [{ label: "PATH", type: { kind: "text", minLength: 1 } }],
    repeat: "often",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc:
      "A directory with files. Of several, the first that has the file is used. A path that does not begin with " +
      "`/` is taken from the directory the server runs in. `http://`, `s3://` and `swift://` have no effect yet.",
  },
  {
    name: "download",
    scopes: ["vod"],
    arguments: [{ label: "true|false", type: { kind: "boolean" }, optional: true }],
    repeat: "once",
    default: "false",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc: "Gives whole files at `/PREFIX/PATH`, parts of them too, as a web server does. Without it they are only played.",
  },
  {
    name: "auto_mbr",
    scopes: ["vod"],
    arguments: [{ label: "true|false", type: { kind: "boolean" }, optional: true }],
    repeat: "once",
    default: "false",
    onChange: "nothing",
    since: "0.1",
    status: "works",
    doc:
      "Plays a folder: the MP4 files in it are qualities of one work, in one playlist, with the sound of the first that " +
      "has any, and that of the others in other languages, also of files without pictures. All need key frames at the same " +
      "times; one that has not is left out, and the log says where. Without it qualities are named in the path: `/PREFIX/film,-360p,-720p,.mp4/index.m3u8`.",
  },
];

/** Storage URLs that are known by their scheme and have no effect yet. */
export const LATER_STORAGES: readonly string[] = ["http", "https", "s3", "s3s", "swift", "swifts"];

const NO_EFFECT_YET = withoutEffect(
  ["vod"],
  [
    { name: "read_queue", usage: "read_queue N;", doc: "How many reads wait for one disk." },
    { name: "timeout", usage: "timeout SECONDS;", doc: "How long to wait for a remote storage." },
  ],
);

/** Directives that only a vod has. */
export const VOD_DIRECTIVES: readonly DirectiveSpec[] = [...WORKING, ...NO_EFFECT_YET];
