import type { Clock } from "../../base/clock.ts";
import type { TlsPlan } from "../../config/plan.ts";
import { CertificateFiles } from "./certificate-files.ts";
import type { KeyPair } from "./key-pair.ts";
import { TlsDoor } from "./tls-door.ts";

/** What is spoken behind a door: HTTP, in which clients choose the version, or RTMP. */
export type DoorUse = "http" | "rtmp";

/** As clients of HTTP are offered it. Spec: RFC 9113 section 3.2, RFC 7301 section 6. */
const HTTP_PROTOCOLS = ["h2", "http/1.1"];

type Entry = {
  readonly files: CertificateFiles;
  readonly doors: Map<DoorUse, TlsDoor>;
  readonly ready: Promise<void>;
  pair: KeyPair | null;
};

/**
 * The doors of all TLS listeners of a thread. Listeners of one plan share its files. What is wrong with files is for the
 * control thread to say, which looks at the same ones.
 */
export class TlsDoors {
  readonly #clock: Clock;
  readonly #ticketKeys: Uint8Array;
  /** By the plan; as many as the configuration in force has, and the one that is being opened. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: { readonly clock: Clock; readonly ticketKeys: Uint8Array }) {
    this.#clock = options.clock;
    this.#ticketKeys = options.ticketKeys;
  }

  /** Plans whose files are looked at. */
  get size(): number {
    return this.#entries.size;
  }

  /** Reads the files of these plans, anew where they were read before. Never rejects. */
  async open(plans: readonly TlsPlan[]): Promise<void> {
    const looks = plans.map(async (plan) => {
      const known = this.#entries.get(keyOf(plan));
      await (known === undefined ? this.#entry(plan).ready : known.files.look());
    });
    await Promise.all(looks);
  }

  /** Looks at all files at once. Never rejects. */
  async look(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ files }) => files.look()));
  }

  /** The door of a plan. */
  door(plan: TlsPlan, use: DoorUse): TlsDoor {
    const entry = this.#entry(plan);
    const known = entry.doors.get(use);
    if (known !== undefined) return known;
    const door = new TlsDoor({
      minVersion: plan.minVersion,
      maxVersion: plan.maxVersion,
      clock: this.#clock,
      ticketKeys: this.#ticketKeys,
      protocols: use === "http" ? HTTP_PROTOCOLS : [],
    });
    if (entry.pair !== null) door.setPair(entry.pair);
    entry.doors.set(use, door);
    return door;
  }

  /** These plans are in force: the files of others are looked at no more. */
  keep(plans: readonly TlsPlan[]): void {
    const wanted = new Set(plans.map(keyOf));
    for (const [key, { files }] of this.#entries) {
      if (wanted.has(key)) continue;
      files.stop();
      this.#entries.delete(key);
    }
  }

  #entry(plan: TlsPlan): Entry {
    const key = keyOf(plan);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const files: CertificateFiles = new CertificateFiles({
      plan,
      clock: this.#clock,
      onPair: (pair) => {
        entry.pair = pair;
        for (const door of entry.doors.values()) door.setPair(pair);
      },
    });
    const entry: Entry = { files, doors: new Map(), pair: null, ready: files.start() };
    this.#entries.set(key, entry);
    return entry;
  }
}

function keyOf({ certificate, key, ca, passphrase, minVersion, maxVersion }: TlsPlan): string {
  return JSON.stringify([certificate, key, ca, passphrase, minVersion, maxVersion]);
}
