import type { Clock } from "../base/clock.ts";
import { late } from "../base/late/late.ts";
import type { Logger } from "../base/log.ts";
import type { OutsideHosts } from "../base/outside-hosts.ts";
import { EpisodeServers } from "./keep/episode-servers.ts";
import type { EpisodeServersOptions } from "./keep/episode-servers.ts";
import type { KeepFiles } from "./keep/keep-files.ts";
import { keepErrors } from "./keep/errors.ts";
import { Protections } from "./keep/protections.ts";
import type { StreamProtections } from "./keep/protections.ts";
import type { RetentionRules } from "./keep/retention.ts";
import { RetentionRound } from "./keep/retention-round.ts";
import { isCopiedProven } from "./objects/copied-marker.ts";
import type { CopyRules } from "./objects/copy-rules.ts";
import { locationOf } from "./objects/object-store.ts";

/** What keeping archives within their bounds needs. */
export type KeepersOptions = {
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly log: Logger;
  /** The rules of a stream whose archive lies below that root; `null`: nothing of it is deleted. */
  rulesOf(root: string, stream: string): RetentionRules | null;
  /** What of it is copied, and where to. */
  readonly copies: Pick<CopyRules, "of">;
  /** An hour was deleted that is to leave its bucket, too. */
  onDropped?(root: string, stream: string): void;
  /** Where servers of episodes may be; absent: everywhere. */
  readonly hosts?: OutsideHosts | undefined;
  /** How servers of episodes are asked; over HTTP unless given. */
  readonly connect?: EpisodeServersOptions["connect"];
};

/** Few have servers of episodes. */
const asking = late(
  "asking servers of episodes",
  () => import("./replicate/storages/http-peer-storage.ts"),
);

/** One of a root: what deletes, and what is protected. */
type Keeper = { readonly round: RetentionRound; readonly protections: Protections };

/** Deletes what is over in all roots of a configuration. One process keeps a root, or several that agree on its rules. */
export class Keepers {
  readonly #options: KeepersOptions;
  readonly #keepers = new Map<string, Keeper>();
  readonly #episodes: EpisodeServers;
  #isStopped = false;

  constructor(options: KeepersOptions) {
    const { clock, hosts } = options;
    const overHttp: EpisodeServersOptions["connect"] = async (origin) =>
      await asking(({ HttpPeerStorage }) => new HttpPeerStorage(origin, clock, hosts));
    const { connect = overHttp } = options;
    this.#options = options;
    this.#episodes = new EpisodeServers({ clock, connect });
  }

  /** From now on these roots are kept, and no others. */
  setRoots(roots: ReadonlySet<string>): void {
    if (this.#isStopped) return;
    for (const [root, { round }] of this.#keepers) {
      if (roots.has(root)) continue;
      this.#keepers.delete(root);
      void round.stop();
    }
    for (const root of roots) if (!this.#keepers.has(root)) this.#keepers.set(root, this.#keep(root));
  }

  /** A stream's protections as they are now. Rejects with DVR_NOT_KEPT, DVR_EPISODES_UNREADABLE, DVR_EPISODES_BUSY. */
  async protectionsOf(root: string, stream: string): Promise<StreamProtections> {
    const keeper = this.#keepers.get(root);
    if (keeper === undefined) throw keepErrors.error("DVR_NOT_KEPT", { root });
    return await keeper.protections.of(stream);
  }

  /** Deletes nothing any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#episodes.close();
    await Promise.all([...this.#keepers.values()].map(({ round }) => round.stop()));
    this.#keepers.clear();
  }

  #keep(root: string): Keeper {
    const { files, clock, log: logger } = this.#options;
    const protections = new Protections({ root, files, clock });
    const round = new RetentionRound({
      ...{ root, files, clock, logger },
      rulesOf: (stream) => this.#options.rulesOf(root, stream),
      // What ended a few minutes ago is left alone in any case: no recording writes an older hour.
      isOpen: () => false,
      protectionsOf: async (stream, { episodesExpirationMs }) => {
        const kept = await protections.of(stream);
        return episodesExpirationMs === undefined ? kept : kept.expiring(episodesExpirationMs);
      },
      episodesOf: (wanted) => this.#episodes.of(wanted),
      isCopyProven: (stream, note, media) => {
        const rule = this.#options.copies.of(root, stream);
        return rule !== null && isCopiedProven(note, locationOf(rule.place), media);
      },
      onDeleted: ({ stream, wasCopied, keepsIndex }) => {
        if (wasCopied && !keepsIndex) this.#options.onDropped?.(root, stream);
      },
    });
    round.start();
    return { round, protections };
  }
}
