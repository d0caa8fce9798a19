/** A server that speaks S3, made by others: it checks signatures, keeps files on a disk and puts parts together. */
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Place } from "../../src/dvr/objects/object-store.ts";

/** As much of it as is used here; the package brings no types. */
type Server = { run(): Promise<AddressInfo>; close(): Promise<void> };
type ServerClass = new (options: Readonly<Record<string, unknown>>) => Server;

/** A running server and how to reach its one bucket. */
export type S3Server = { readonly place: S3Place; close(): Promise<void> };

/**
 * Starts one on a free port of this machine, with an empty bucket. One that checks signatures
 * refuses every list: it signs the path of a bucket without the slash that the SDK has behind it.
 */
export async function startS3Server(checksSignatures: boolean, bucket = "archive"): Promise<S3Server> {
  const Class = createRequire(import.meta.url)("@20minutes/s3rver") as ServerClass;
  const directory = await mkdtemp(join(tmpdir(), "weir-s3-server-"));
  const server = new Class({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    allowMismatchedSignatures: !checksSignatures,
    directory,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await server.run();
  return {
    // The server's own, and only, account.
    place: {
      endpoint: `http://127.0.0.1:${port}`,
      bucket,
      prefix: "site/one",
      accessKey: "S3RVER",
      secretKey: "S3RVER",
    },
    close: async () => {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
