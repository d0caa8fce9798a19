import { open } from "node:fs/promises";
import { constants } from "node:fs";
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { assertOutsideHost, lookupOf } from "../../base/outside-hosts.ts";
import type { OutsideHosts } from "../../base/outside-hosts.ts";

/** A server of keys that does not answer within so long is not waited for. */
const FETCH_LIMIT_MS = 8000;

/**
 * Gets a text over HTTP, as a JWK Set. Redirects are not followed: the configuration says where keys are.
 *
 * Rejects: a host that `hosts` does not let, no answer in 8 s, a status other than 200, more than `maxBytes`, no UTF-8.
 */
export async function fetchText(url: string, maxBytes: number, hosts?: OutsideHosts): Promise<string> {
  const target = new URL(url);
  assertOutsideHost(hosts, target.hostname);
  const headers: Record<string, string> = { accept: "application/json" };
  if (target.username !== "") headers["authorization"] = basicOf(target);
  target.username = "";
  target.password = "";
  const signal = AbortSignal.timeout(FETCH_LIMIT_MS);
  const make = target.protocol === "https:" ? httpsRequest : httpRequest;
  const request = make(target, {
    headers,
    signal,
    agent: false,
    ...lookupOf(hosts),
  });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.on("response", resolve).on("error", reject).end();
  try {
    const reply = await promise;
    if (reply.statusCode !== 200) throw new Error(`the answer is ${reply.statusCode}`);
    return decode(await readAll(reply, maxBytes));
  } finally {
    request.destroy();
  }
}

async function readAll(reply: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads a file of text. Rejects: it cannot be read, is no file, is longer than `maxBytes`, is no UTF-8. */
export async function readText(path: string, maxBytes: number): Promise<string> {
  return decode(await readBytes(path, maxBytes));
}

/** Reads a file. Rejects: it cannot be read, is no file, is longer than `maxBytes`. */
export async function readBytes(path: string, maxBytes: number): Promise<Buffer> {
  // Without O_NONBLOCK, opening a named pipe would wait for its writer for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size, isFile } = await handle
      .stat()
      .then((stat) => ({ size: stat.size, isFile: stat.isFile() }));
    if (!isFile) throw new Error("this is not a file");
    if (size > maxBytes) throw new Error(`the file is longer than ${maxBytes} bytes`);
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function basicOf({ username, password }: URL): string {
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
