import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { readAuthorization } from "./authorization.ts";
import { parseHash } from "./hash-format.ts";
import { isSecretAtOnce } from "./password-hash.ts";

/** The header that everybody may send to the API, and hashes as a configuration may have them. */
export const fuzz: TextFuzzTarget = {
  name: "authorization",
  seeds: [
    "Basic cm9vdDpwYXNzOndvcmQ=",
    "Bearer wt_0123456789",
    "Cluster 1767225600:0a4d55a8d778e5022fab701977c5d840bbc486d0",
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$scrypt$ln=10,r=8,p=1$c2l4dGVlbi1ieXRlcy1vaw$RmAH/bDPFrYdNY6ekKYbdWA+qRKNcePV56vsPhWc1ac",
  ],
  dictionary: ["Basic ", "Bearer ", "Cluster ", ":", "=", "$sha256$", "ln=99", "m=99999999", ",p=1"],
  run(input) {
    const read = readAuthorization(input);
    if (read?.scheme === "cluster") assert.match(`${read.time}:${read.hash}`, /^\d+:[0-9a-f]{40}$/);
    else if (read !== null) assert.ok(!read.login.includes(":"));
    const hash = parseHash(input);
    // What is to be computed is bounded before it is.
    if (!("fault" in hash)) assert.ok((hash.cost["ln"] ?? 0) <= 19 && (hash.cost["m"] ?? 0) <= 65_536);
    isSecretAtOnce("guess", input);
  },
};
