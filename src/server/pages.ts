/** The front page and the player page: each file is read when it is first asked for, and kept in memory. */
import { createHash } from "node:crypto";
import { access, constants, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";

import type { HttpHeaders, HttpReply, HttpRequest } from "../base/http-message.ts";
import { embeddedName } from "./page-paths.ts";

/** Where the pages' files are. */
export type PagesOptions = {
  /** The directory `ui/`. */
  readonly uiDirectory?: URL;
  /** The script that browsers play HLS with: the minified build of hls.js. */
  readonly hlsScript?: URL;
  /** The script that they play DASH with, where a page asks for that: a minified build of dash.js. */
  readonly dashScript?: URL;
};

/** One file as it is sent. Ownership: shared and never written to. */
export type Page = {
  readonly body: Uint8Array;
  /** The same, compressed; `null` where that gains nothing. */
  readonly gzip: Uint8Array | null;
  /** With an entity tag of the plain body; what depends on the request is the listener's. */
  readonly headers: HttpHeaders;
};

/** The pages of a running server. */
export type Pages = {
  /** The page of a decoded path, or `null`: `/`, `/api`, `/-/ui/...`, `/NAME/embed.html`. Rejects with the file system's error. */
  find(path: string): Promise<Page> | null;
  /** The reply to a GET or HEAD of a page, or `null` where the path is none. Rejects as `find` does. */
  reply(request: HttpRequest): Promise<HttpReply> | null;
};

const UI_PREFIX = "/-/ui/";
const FRONT_PAGE = "home/index.html";
const API_PAGE = "api-page/index.html";
const EMBED_PAGE = "player/embed.html";

/** The files of `ui/` that browsers may have. A list, so that nothing else in that directory is ever sent. */
export const ASSETS: readonly string[] = [
  "api-page/api-page.css",
  "api-page/api-page.js",
  "api-page/schema-text.js",
  "engines/dash-engine.js",
  "engines/hls-engine.js",
  "engines/hls-tracks.js",
  "engines/mse-ld-engine.js",
  "engines/native-engine.js",
  "engines/playlist-place.js",
  "home/commands.js",
  "home/copying.js",
  "home/home.css",
  "home/home.js",
  "home/listing.js",
  "home/lists.js",
  "home/server.js",
  "live/mse-buffer.js",
  "live/mse-engine.js",
  "live/mse-file.js",
  "player/bounds.js",
  "player/choices.js",
  "player/controls.js",
  "player/engines.js",
  "player/findings.js",
  "player/help.js",
  "player/keys.js",
  "player/late-engine.js",
  "player/menu.js",
  "player/messages.js",
  "player/options.js",
  "player/permission.js",
  "player/picture.js",
  "player/playback.js",
  "player/player.css",
  "player/player.js",
  "player/playlist.js",
  "player/position.js",
  "player/probe.js",
  "player/protocols.js",
  "player/recovery.js",
  "player/rescue.js",
  "player/server-clock.js",
  "player/situation.js",
  "player/stalls.js",
  "player/wishes.js",
  "shared/icon.svg",
  "shared/names.js",
  "shared/theme.css",
  "timeline/clip-panel.js",
  "timeline/clip.js",
  "timeline/hover.js",
  "timeline/panel.js",
  "timeline/past.js",
  "timeline/place.js",
  "timeline/recording-watch.js",
  "timeline/recording.js",
  "timeline/rewind.js",
  "timeline/save.js",
  "timeline/scale.js",
  "timeline/timeline.css",
  "timeline/times.js",
  "timeline/track.js",
];

/** Without what plays protected and Smooth Streaming content; beside the build that the package names. */
const DASH_BUILD = "../umd/dash.mediaplayer.min.js";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * What a page may load: its own server's files, no inline script or style. `blob:` is how hls.js hands media to the
 * video element and starts its worker.
 *
 * Spec: W3C Content Security Policy Level 3.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
];

/** The front page shows the player in a frame, and is itself shown in none but its own server's. */
const FRONT_POLICY = [...PAGE_POLICY, "frame-src 'self'", "frame-ancestors 'self'"].join("; ");

/** A page that has the administrator's password in it is shown in no frame. */
const API_POLICY = [...PAGE_POLICY, "frame-ancestors 'none'"].join("; ");

/** The player is made to be shown on other sites. */
const EMBED_POLICY = [...PAGE_POLICY, "frame-ancestors *"].join("; ");

/** For a script, style or picture that somebody opens by itself. */
const ASSET_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** What no page of ours asks for, so that a script put into one cannot either. Spec: W3C Permissions Policy. */
const PERMISSIONS = "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()";

/** Of documents alone: what they load has no say in it, and a player loads thirty files. */
const DOCUMENT_HEADERS: HttpHeaders = [
  ["permissions-policy", PERMISSIONS],
  // The address of a player may carry a token.
  ["referrer-policy", "same-origin"],
];

/** Of the hash in base64url: 132 bits. */
const ETAG_CHARACTERS = 22;

/** Smaller bodies are sent as they are. */
const MIN_GZIP_BYTES = 512;

const gzip = promisify(gzipCallback);

/**
 * Looks whether all pages are there. They are read when somebody asks for them: most servers are never asked, and the
 * scripts of players weigh megabytes.
 *
 * Rejects with the file system's error when one of them cannot be read: an incomplete installation.
 */
export async function openPages(options: PagesOptions = {}): Promise<Pages> {
  const directory = options.uiDirectory ?? new URL("../../ui/", import.meta.url);
  const hlsScript = options.hlsScript ?? new URL(import.meta.resolve("hls.js/dist/hls.min.js"));
  const dashScript = options.dashScript ?? new URL(DASH_BUILD, import.meta.resolve("dashjs"));
  const front = new LatePage(new URL(FRONT_PAGE, directory), FRONT_POLICY);
  const embed = new LatePage(new URL(EMBED_PAGE, directory), EMBED_POLICY);
  const byPath = new Map([
    ["/", front],
    ["/api", new LatePage(new URL(API_PAGE, directory), API_POLICY)],
    [`${UI_PREFIX}hls.min.js`, new LatePage(hlsScript, ASSET_POLICY)],
    [`${UI_PREFIX}dash.min.js`, new LatePage(dashScript, ASSET_POLICY)],
  ]);
  for (const name of ASSETS)
    byPath.set(UI_PREFIX + name, new LatePage(new URL(name, directory), ASSET_POLICY));
  await Promise.all([embed, ...byPath.values()].map(({ file }) => access(file, constants.R_OK)));
  const find = (path: string): Promise<Page> | null =>
    (byPath.get(path) ?? (embeddedName(path) === null ? null : embed))?.page() ?? null;
  return { find, reply: (request) => find(request.path)?.then(replyWith) ?? null };
}

/** One file, read when it is first asked for. */
class LatePage {
  readonly file: URL;
  readonly #policy: string;
  #page: Promise<Page> | null = null;

  constructor(file: URL, policy: string) {
    this.file = file;
    this.#policy = policy;
  }

  /** Rejects with the file system's error; whoever asks after that tries again. */
  page(): Promise<Page> {
    this.#page ??= loadPage(this.file, this.#policy).catch((caught: unknown) => {
      this.#page = null;
      throw caught;
    });
    return this.#page;
  }
}

async function loadPage(file: URL, policy: string): Promise<Page> {
  const body = await readFile(file);
  const compressed = body.length < MIN_GZIP_BYTES ? null : await gzip(body, { level: 9 });
  return {
    body,
    gzip: compressed !== null && compressed.length < body.length ? compressed : null,
    headers: [
      ["etag", `"${createHash("sha256").update(body).digest("base64url").slice(0, ETAG_CHARACTERS)}"`],
      ["content-type", CONTENT_TYPES[extname(file.pathname)]!],
      // Kept, but asked about each time: after an update no browser mixes files of two versions.
      ["cache-control", "no-cache"],
      ["content-security-policy", policy],
      ["x-content-type-options", "nosniff"],
      ...(policy === ASSET_POLICY ? [] : DOCUMENT_HEADERS),
    ],
  };
}

function replyWith({ body, gzip: zipped, headers }: Page): HttpReply {
  return { status: 200, headers, body: [body], ...(zipped === null ? {} : { gzip: () => zipped }) };
}
