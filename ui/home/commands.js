// @ts-check
/** Lines to copy: how to publish, where the playlist is, how to embed. */

import { pathOfName } from "../shared/names.js";
import { isRecord } from "./listing.js";

const RTMP_PORT = 1935;
/** The name in the examples. */
const EXAMPLE_NAME = "my-stream";

/**
 * @typedef {object} About
 * @property {string} version
 * @property {readonly number[]} rtmpPorts
 * @property {readonly string[]} publishPrefixes an empty one allows every name
 * @property {boolean} isLoopbackOnly
 */

/**
 * @typedef {object} PublishWords
 * @property {string} command for a shell
 * @property {string} server as OBS asks for it
 * @property {string} key
 * @property {string} name what is then to be seen in the list
 */

/**
 * The reply of `GET /-/about`, checked.
 *
 * @param {unknown} reply
 * @returns {About}
 */
export function readAbout(reply) {
  const about = isRecord(reply) ? reply : {};
  const ports = Array.isArray(about["rtmpPorts"]) ? about["rtmpPorts"] : [];
  const prefixes = Array.isArray(about["publishPrefixes"]) ? about["publishPrefixes"] : [];
  return {
    version: typeof about["version"] === "string" ? about["version"] : "",
    rtmpPorts: ports.filter((port) => Number.isInteger(port) && port > 0 && port < 65536),
    publishPrefixes: prefixes.filter((prefix) => typeof prefix === "string"),
    isLoopbackOnly: about["loopbackOnly"] === true,
  };
}

/**
 * How to publish under a prefix. An empty prefix needs an RTMP application all the same: `static` does not become a
 * part of the name.
 *
 * @param {string} host name or address as in `location.hostname`
 * @param {number} port
 * @param {string} prefix
 * @returns {PublishWords}
 */
export function publishWords(host, port, prefix) {
  const authority = port === RTMP_PORT ? host : `${host}:${port}`;
  const server = `rtmp://${authority}/${prefix === "" ? "static" : prefix}`;
  const target = shellWord(`${server}/${EXAMPLE_NAME}`);
  return {
    command: `ffmpeg -re -i FILE -c copy -f flv ${target}`,
    server,
    key: EXAMPLE_NAME,
    name: prefix === "" ? EXAMPLE_NAME : `${prefix}/${EXAMPLE_NAME}`,
  };
}

/**
 * Where the HLS playlist of a name is.
 *
 * @param {string} origin
 * @param {string} name
 */
export function playlistAddress(origin, name) {
  return origin + pathOfName(name, "index.m3u8");
}

/**
 * A piece of HTML that shows the player on another page. The address is percent-encoded, so nothing in a name can end
 * the attribute.
 *
 * @param {string} origin
 * @param {string} name
 */
export function embedCode(origin, name) {
  const address = (origin + pathOfName(name, "embed.html")).replaceAll("&", "&amp;").replaceAll("'", "%27");
  return `<iframe src="${address}" width="640" height="360" allow="autoplay; fullscreen" frameborder="0"></iframe>`;
}

/**
 * A word as a POSIX shell takes it, in quotes where it needs them.
 *
 * @param {string} word
 */
function shellWord(word) {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
