import { Reader } from "mmdb-lib";
import { messageOf } from "../../base/errors.ts";
import { parseAddress } from "../addresses.ts";
import { authErrors } from "../errors.ts";

/** Longest file that is read: those of whole cities have some 60 MB. */
export const MAX_GEOIP_BYTES = 256 * 1024 * 1024;

/** What files of MaxMind, and of others in their format, say of an address. */
type Row = {
  readonly country?: unknown;
  readonly registered_country?: unknown;
  readonly country_code?: unknown;
};

/** The country of an address. */
export type CountryOf = (ip: string) => string | undefined;

/**
 * Reads a MaxMind DB.
 *
 * Returns: a function that gives two letters, upper case (ISO 3166-1 alpha-2), or `undefined` where the file does not
 * know; it never throws, whatever the file holds. The bytes are kept.
 * Throws: AUTH_BAD_GEOIP. Spec: MaxMind DB file format 2.0.
 */
export function openCountries(bytes: Buffer): CountryOf {
  const reader = readerOf(bytes);
  return (ip) => {
    const address = parseAddress(ip);
    if (address === null) return undefined;
    try {
      return countryIn(reader.get(address.bytes.length === 4 ? address.bytes.join(".") : ip));
    } catch {
      // A file that is damaged in its middle.
      return undefined;
    }
  };
}

function readerOf(bytes: Buffer): { get(ip: string): Row | null } {
  try {
    const reader = new Reader(bytes);
    const { nodeCount, searchTreeSize } = reader.metadata;
    if (!(nodeCount >= 0) || !(searchTreeSize < bytes.byteLength))
      throw new Error("its tree is longer than it");
    return reader as { get(ip: string): Row | null };
  } catch (caught) {
    throw authErrors.error("AUTH_BAD_GEOIP", { reason: messageOf(caught) }, caught);
  }
}

/** MaxMind has `country.iso_code`, others the letters alone; `registered_country` is of who has the network. */
function countryIn(row: Row | null): string | undefined {
  if (row === null || typeof row !== "object") return undefined;
  const found = [row.country, row.country_code, row.registered_country].map(lettersOf);
  return found.find((letters) => letters !== undefined);
}

function lettersOf(value: unknown): string | undefined {
  const inside =
    typeof value === "object" && value !== null && "iso_code" in value ? value.iso_code : value;
  return typeof inside === "string" && /^[A-Za-z]{2}$/.test(inside) ? inside.toUpperCase() : undefined;
}
