/** A host that speaks as much S3 as the archive needs, and fails in whatever way a test asks for. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

/** What goes wrong with a request. */
export type S3Fault =
  /** The answer is an error. */
  | { readonly kind: "status"; readonly status: number; readonly code: string; readonly message?: string }
  /** The connection is cut while the body of the request comes. */
  | { readonly kind: "cut-request" }
  /** The connection is cut in the middle of the answer's body. */
  | { readonly kind: "cut-reply" }
  /** Half of the answer's body, and nothing more; the connection stays open. */
  | { readonly kind: "stalled-reply" }
  /** No answer; the connection stays open. */
  | { readonly kind: "silence" }
  /** It is done, and the answer tells another checksum. */
  | { readonly kind: "wrong-checksum" }
  /** A byte of what is written, or read, is another one. */
  | { readonly kind: "damage" }
  /** The answer says that it is done, and it is not. */
  | { readonly kind: "lie" }
  /** One byte less than was asked for, or than is there, is given or told. */
  | { readonly kind: "short" }
  /** The whole object instead of the range. */
  | { readonly kind: "no-ranges" };

/** What a request is, as the tests name it. */
export type S3Operation =
  | "put"
  | "get"
  | "head"
  | "delete"
  | "list"
  | "create"
  | "part"
  | "complete"
  | "abort"
  | "uploads";

/** A request as it came. */
export type S3Request = {
  readonly operation: S3Operation;
  readonly key: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: number;
};

/** How the host is. */
export type FakeS3Options = {
  /** What it does with CRC-32s: keeps and tells them, passes over them, or refuses the headers. Tells unless given. */
  readonly checksums?: "told" | "ignored" | "refused";
  /** The entity tag is no MD5, as with keys of a key service. */
  readonly encrypts?: boolean;
  readonly bucket?: string;
  /** Of one page of a list. */
  readonly pageSize?: number;
  /** A list has no end: each page has the same objects and the name of another one. */
  readonly endlessList?: "same-token" | "new-tokens" | "empty-pages";
};

type Stored = { readonly body: Buffer; readonly etag: string; readonly checksum: string | null };
type Upload = { readonly key: string; readonly parts: Map<number, Stored> };
type Asked = S3Request & { readonly query: URLSearchParams; readonly body: Buffer };
type Planned = { readonly on: S3Operation; readonly fault: S3Fault; left: number };

/** A refusal. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** One bucket in memory, behind a port of this machine. */
export class FakeS3 {
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, Upload>();
  readonly requests: S3Request[] = [];
  /** Called when an object was written. */
  onStored: (key: string) => void = () => {};
  readonly #options: FakeS3Options;
  readonly #faults: Planned[] = [];
  readonly #server: Server;
  #made = 0;

  private constructor(options: FakeS3Options) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
  }

  /** Starts one; `close` ends it. */
  static async start(options: FakeS3Options = {}): Promise<FakeS3> {
    const fake = new FakeS3(options);
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get bucket(): string {
    return this.#options.bucket ?? "archive";
  }

  /** The next `times` requests of a kind fail so. */
  fail(on: S3Operation, fault: S3Fault, times = 1): void {
    this.#faults.push({ on, fault, left: times });
  }

  /** Nothing fails any more. */
  mend(): void {
    this.#faults.length = 0;
  }

  /** How many requests of a kind came. */
  count(operation: S3Operation): number {
    return this.requests.filter((request) => request.operation === operation).length;
  }

  /** Puts an object there without a request. */
  set(key: string, body: Uint8Array): void {
    this.objects.set(key, storedOf(Buffer.from(body), crcOf(body)));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://host");
    const [, bucket, ...rest] = url.pathname.split("/").map(decodeURIComponent);
    const key = rest.join("/");
    const operation = operationOf(request.method ?? "", key, url.searchParams);
    const fault = this.#nextFault(operation);
    if (fault?.kind === "cut-request") {
      this.requests.push({ operation, key, headers: request.headers, bytes: 0 });
      // The beginning of the body is here, or the end where there is none.
      request.once("data", () => request.socket.destroy());
      request.once("end", () => request.socket.destroy());
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    this.requests.push({ operation, key, headers: request.headers, bytes: body.byteLength });
    if (fault?.kind === "silence") return;
    try {
      if (fault?.kind === "status")
        throw new Refusal(fault.status, fault.code, fault.message ?? "as asked for");
      if (bucket !== this.bucket)
        throw new Refusal(404, "NoSuchBucket", "The specified bucket does not exist");
      const asked = { operation, key, headers: request.headers, bytes: 0, query: url.searchParams, body };
      this.#check(asked);
      this.#answer(asked, response, fault);
    } catch (caught) {
      if (!(caught instanceof Refusal)) throw caught;
      const text = `<?xml version="1.0"?><Error><Code>${caught.code}</Code><Message>${caught.message}</Message></Error>`;
      response.writeHead(caught.status, { "content-type": "application/xml" });
      response.end(request.method === "HEAD" ? undefined : text);
    }
  }

  #nextFault(operation: S3Operation): S3Fault | null {
    const planned = this.#faults.find(({ on, left }) => on === operation && left > 0);
    if (planned === undefined) return null;
    planned.left--;
    return planned.fault;
  }

  /** What every host that is worth its name checks. */
  #check({ headers, body }: Asked): void {
    const authorization = String(headers["authorization"] ?? "");
    if (!authorization.startsWith("AWS4-HMAC-SHA256 "))
      throw new Refusal(403, "AccessDenied", "not signed");
    const sha256 = headers["x-amz-content-sha256"];
    if (sha256 !== createHash("sha256").update(body).digest("hex"))
      throw new Refusal(
        400,
        "XAmzContentSHA256Mismatch",
        "The provided x-amz-content-sha256 does not match",
      );
    const checksumHeader = Object.keys(headers).find((name) =>
      /^x-amz-(sdk-)?checksum-(crc|alg)/.test(name),
    );
    if (this.#options.checksums === "refused" && checksumHeader !== undefined)
      throw new Refusal(
        400,
        "InvalidArgument",
        `Unsupported header '${checksumHeader}' received for this API call.`,
      );
    const crc = headers["x-amz-checksum-crc32"];
    if (crc !== undefined && crc !== crcOf(body))
      throw new Refusal(400, "BadDigest", "The CRC32 did not match");
    const md5 = headers["content-md5"];
    if (md5 !== undefined && md5 !== createHash("md5").update(body).digest("base64"))
      throw new Refusal(400, "BadDigest", "The Content-MD5 did not match");
  }

  #answer(asked: Asked, response: ServerResponse, fault: S3Fault | null): void {
    switch (asked.operation) {
      case "put":
        return this.#put(asked, response, fault);
      case "get":
        return this.#get(asked, response, fault);
      case "head":
        return this.#head(asked, response, fault);
      case "list":
        return this.#list(asked, response);
      case "create":
        return this.#create(asked, response);
      case "part":
        return this.#part(asked, response, fault);
      case "complete":
        return this.#complete(asked, response, fault);
      case "uploads":
        return this.#listUploads(asked, response);
      case "delete":
        this.objects.delete(asked.key);
        return void response.writeHead(204).end();
      case "abort":
        this.uploads.delete(asked.query.get("uploadId") ?? "");
        return void response.writeHead(204).end();
    }
  }

  #put({ key, body, headers }: Asked, response: ServerResponse, fault: S3Fault | null): void {
    const stored = this.#store(body, headers, fault);
    if (fault?.kind !== "lie") this.#keep(key, stored);
    response.writeHead(200, this.#sumHeaders(stored, fault)).end();
  }

  #part({ query, body, headers }: Asked, response: ServerResponse, fault: S3Fault | null): void {
    const stored = this.#store(body, headers, fault);
    this.#upload(query).parts.set(Number(query.get("partNumber")), stored);
    response.writeHead(200, this.#sumHeaders(stored, fault)).end();
  }

  #keep(key: string, stored: Stored): void {
    this.objects.set(key, stored);
    this.onStored(key);
  }

  #store(body: Buffer, headers: Asked["headers"], fault: S3Fault | null): Stored {
    const kept = fault?.kind === "damage" ? damaged(body) : body;
    const isTold =
      (this.#options.checksums ?? "told") === "told" && headers["x-amz-checksum-crc32"] !== undefined;
    return storedOf(kept, isTold ? crcOf(kept) : null, this.#options.encrypts);
  }

  #sumHeaders(stored: Stored, fault: S3Fault | null): Record<string, string> {
    const checksum = fault?.kind === "wrong-checksum" ? "AAAAAA==" : stored.checksum;
    return {
      etag: `"${stored.etag}"`,
      ...(checksum === null ? {} : { "x-amz-checksum-crc32": checksum }),
      ...(this.#options.encrypts === true ? { "x-amz-server-side-encryption": "aws:kms" } : {}),
    };
  }

  #head({ key }: Asked, response: ServerResponse, fault: S3Fault | null): void {
    const stored = this.#object(key);
    const bytes = stored.body.byteLength - (fault?.kind === "short" ? 1 : 0);
    const headers = this.#sumHeaders(stored, fault);
    response.writeHead(200, { ...headers, "content-length": bytes, "last-modified": MODIFIED }).end();
  }

  #get({ key, headers }: Asked, response: ServerResponse, fault: S3Fault | null): void {
    const stored = this.#object(key);
    const wanted = headers["if-match"];
    if (wanted !== undefined && wanted !== `"${stored.etag}"`)
      throw new Refusal(412, "PreconditionFailed", "At least one of the pre-conditions did not hold");
    const range = /^bytes=(\d+)-(\d+)$/.exec(String(headers["range"] ?? ""));
    const isWhole = range === null || fault?.kind === "no-ranges";
    const total = stored.body.byteLength;
    const from = isWhole ? 0 : Number(range[1]);
    const to = isWhole ? total : Math.min(total, Number(range[2]) + 1);
    if (from >= total) throw new Refusal(416, "InvalidRange", "The requested range is not satisfiable");
    let body = stored.body.subarray(from, to);
    if (fault?.kind === "damage") body = damaged(body);
    if (fault?.kind === "short") body = body.subarray(0, -1);
    response.writeHead(isWhole ? 200 : 206, {
      etag: `"${stored.etag}"`,
      "content-length": body.byteLength,
      ...(isWhole ? {} : { "content-range": `bytes ${from}-${from + body.byteLength - 1}/${total}` }),
    });
    if (fault?.kind === "cut-reply")
      return void response.write(body.subarray(0, body.byteLength >> 1), () => response.socket?.destroy());
    if (fault?.kind === "stalled-reply") return void response.write(body.subarray(0, body.byteLength >> 1));
    response.end(body);
  }

  #list({ query }: Asked, response: ServerResponse): void {
    const { endlessList, pageSize = 1000 } = this.#options;
    const prefix = query.get("prefix") ?? "";
    const after = query.get("continuation-token") ?? query.get("start-after") ?? "";
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
    const isEndless = endlessList !== undefined;
    const left = isEndless ? keys : keys.filter((key) => key > after);
    const page =
      endlessList === "empty-pages" ? [] : left.slice(0, Math.min(pageSize, Number(query.get("max-keys"))));
    const isMore = isEndless || page.length < left.length;
    const token =
      endlessList === undefined
        ? page.at(-1)!
        : endlessList === "same-token"
          ? "same"
          : `token-${++this.#made}`;
    const contents = page.map((key) => {
      const { body, etag } = this.objects.get(key)!;
      const facts = `<Size>${body.byteLength}</Size><ETag>"${etag}"</ETag>`;
      return `<Contents><Key>${key}</Key>${facts}<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`;
    });
    const more = isMore ? `<NextContinuationToken>${token}</NextContinuationToken>` : "";
    const text = `${contents.join("")}<IsTruncated>${isMore}</IsTruncated>${more}`;
    endXml(response, `<ListBucketResult>${text}</ListBucketResult>`);
  }

  #create({ key }: Asked, response: ServerResponse): void {
    const id = `upload-${++this.#made}`;
    this.uploads.set(id, { key, parts: new Map() });
    endXml(
      response,
      `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    );
  }

  #complete({ key, query, body }: Asked, response: ServerResponse, fault: S3Fault | null): void {
    const { parts } = this.#upload(query);
    const named = [...body.toString("utf8").matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map((found) =>
      Number(found[1]),
    );
    const chosen = named.map((number) => parts.get(number));
    if (chosen.length === 0 || !chosen.every((part) => part !== undefined))
      throw new Refusal(400, "InvalidPart", "One or more of the specified parts could not be found");
    const whole = Buffer.concat(chosen.map((part) => part.body));
    const etags = chosen.map((part) => Buffer.from(part.etag, "hex"));
    const etag = `${createHash("md5").update(Buffer.concat(etags)).digest("hex")}-${chosen.length}`;
    const crcs = chosen.map((part) => Buffer.from(part.checksum ?? "", "base64"));
    const isTold = chosen.every((part) => part.checksum !== null);
    const checksum = isTold ? `${crcOf(Buffer.concat(crcs))}-${chosen.length}` : null;
    const stored = { body: fault?.kind === "damage" ? damaged(whole) : whole, etag, checksum };
    if (fault?.kind !== "lie") this.#keep(key, stored);
    this.uploads.delete(query.get("uploadId") ?? "");
    const told = fault?.kind === "wrong-checksum" ? `AAAAAA==-${chosen.length}` : checksum;
    const sum = told === null ? "" : `<ChecksumCRC32>${told}</ChecksumCRC32>`;
    endXml(
      response,
      `<CompleteMultipartUploadResult><ETag>"${etag}"</ETag>${sum}</CompleteMultipartUploadResult>`,
    );
  }

  #listUploads({ query }: Asked, response: ServerResponse): void {
    const prefix = query.get("prefix") ?? "";
    const found = [...this.uploads].filter(([, { key }]) => key.startsWith(prefix));
    const uploads = found.map(
      ([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`,
    );
    endXml(response, `<ListMultipartUploadsResult>${uploads.join("")}</ListMultipartUploadsResult>`);
  }

  #object(key: string): Stored {
    const stored = this.objects.get(key);
    if (stored === undefined) throw new Refusal(404, "NoSuchKey", "The specified key does not exist.");
    return stored;
  }

  #upload(query: URLSearchParams): Upload {
    const upload = this.uploads.get(query.get("uploadId") ?? "");
    if (upload === undefined)
      throw new Refusal(404, "NoSuchUpload", "The specified upload does not exist.");
    return upload;
  }
}

const MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT";

function operationOf(method: string, key: string, query: URLSearchParams): S3Operation {
  if (method === "GET" && key === "") return query.has("uploads") ? "uploads" : "list";
  if (method === "POST") return query.has("uploads") ? "create" : "complete";
  if (method === "PUT") return query.has("partNumber") ? "part" : "put";
  if (method === "DELETE") return query.has("uploadId") ? "abort" : "delete";
  return method === "HEAD" ? "head" : "get";
}

function endXml(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "application/xml" }).end(`<?xml version="1.0"?>${text}`);
}

function storedOf(body: Buffer, checksum: string | null, isEncrypted = false): Stored {
  const md5 = createHash("md5").update(body).digest("hex");
  return { body, checksum, etag: isEncrypted ? md5.replaceAll(/\d/g, "0") : md5 };
}

function crcOf(bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum.toString("base64");
}

function damaged(body: Buffer): Buffer {
  const other = Buffer.from(body);
  const at = other.byteLength >> 1;
  if (other.byteLength > 0) other[at] = other[at]! ^ 0xff;
  return other;
}
