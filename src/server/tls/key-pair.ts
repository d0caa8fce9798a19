/** Certificates and keys of TLS listeners: read from their files, and checked before anybody is shown them. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { messageOf } from "../../base/errors.ts";
import type { TlsPlan } from "../../config/plan.ts";
import { tlsErrors } from "./errors.ts";

/** A certificate with its chain, and its key, that fit each other. Never log it. */
export type KeyPair = {
  /** PEM; the server's own certificate comes first. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  readonly passphrase?: string;
  /** UTC in milliseconds. */
  readonly validFromMs: number;
  readonly expiresMs: number;
};

/** A whole chain has some kilobytes. Stops a path that leads to a film, or to a device. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads the files of a plan. A file of more certificates (`ca`) that is not there is passed over.
 *
 * Rejects with TLS_FILE_UNREADABLE, TLS_NOT_PEM, TLS_BAD_PASSPHRASE, TLS_KEY_MISMATCH, TLS_REFUSED.
 * Spec: RFC 7468 (PEM), RFC 8446 section 4.4.2 (order of the chain).
 */
export async function readKeyPair(plan: TlsPlan): Promise<KeyPair> {
  const own = await readText(plan.certificate);
  const key = await readText(plan.key);
  const more = plan.ca === undefined ? "" : await readMore(plan.ca);
  const leaf = parseCertificate(own, plan.certificate);
  const privateKey = parseKey(key, plan);
  if (!leaf.checkPrivateKey(privateKey))
    throw tlsErrors.error("TLS_KEY_MISMATCH", { file: plan.certificate, keyFile: plan.key });
  const pair: KeyPair = {
    certificate: more === "" ? own : `${own}\n${more}`,
    key,
    ...(plan.passphrase === undefined ? {} : { passphrase: plan.passphrase }),
    validFromMs: leaf.validFromDate.getTime(),
    expiresMs: leaf.validToDate.getTime(),
  };
  try {
    createSecureContext({ cert: pair.certificate, key: pair.key, passphrase: pair.passphrase });
  } catch (caught) {
    throw tlsErrors.error("TLS_REFUSED", { file: plan.certificate, reason: messageOf(caught) }, caught);
  }
  return pair;
}

/** What tells one state of the files from another: a Secret that rotates changes where they lead. */
export async function filesState({ certificate, key, ca }: TlsPlan): Promise<string> {
  const files = ca === undefined ? [certificate, key] : [certificate, key, ca];
  return (await Promise.all(files.map(stateOf))).join(" ");
}

async function stateOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(":");
  } catch (caught) {
    return codeOf(caught);
  }
}

async function readText(file: string): Promise<string> {
  try {
    const facts = await stat(file);
    if (!facts.isFile()) throw new Error("it is no file");
    if (facts.size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
    return await readFile(file, "latin1");
  } catch (caught) {
    const reason = codeOf(caught) === "ENOENT" ? "it is not there" : messageOf(caught);
    throw tlsErrors.error("TLS_FILE_UNREADABLE", { file, reason }, caught);
  }
}

async function readMore(file: string): Promise<string> {
  if ((await stateOf(file)) === "ENOENT") return "";
  const text = await readText(file);
  parseCertificate(text, file);
  return text;
}

function parseCertificate(text: string, file: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (caught) {
    throw tlsErrors.error("TLS_NOT_PEM", { file, what: "certificate" }, caught);
  }
}

/** The message of what OpenSSL says stays out of the log: only its code decides. */
function parseKey(text: string, { key: file, passphrase }: TlsPlan): KeyObject {
  try {
    return createPrivateKey({ key: text, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (caught) {
    const isEncrypted = /-----BEGIN ENCRYPTED|ENCRYPTED$/m.test(text);
    if (isEncrypted) throw tlsErrors.error("TLS_BAD_PASSPHRASE", { file });
    throw tlsErrors.error("TLS_NOT_PEM", { file, what: "private key" }, caught);
  }
}

function codeOf(caught: unknown): string {
  return caught instanceof Error && "code" in caught ? String(caught.code) : "broken";
}
