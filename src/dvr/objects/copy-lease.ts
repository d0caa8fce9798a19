import type { Clock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import type { KeepFiles } from "../keep/keep-files.ts";
import { WriterLeases } from "../keep/writer-lease.ts";
import type { WriterIdentity } from "../keep/writer-records.ts";
import { isProcessGone } from "../keep/writer-watch.ts";

/** What deciding who copies needs. */
export type CopyLeaseOptions = {
  readonly root: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly identity: WriterIdentity;
  isAlive(pid: number, birth: string): boolean;
};

/** Whether this process is the one that copies what is below a root. */
export type CopyLease = {
  isOurs(): boolean;
  /** Never rejects. */
  release(): Promise<void>;
};

/** What is claimed in the place of a stream: no name of a stream begins with a dot. */
const CLAIMED = ".copies";

/**
 * Asks to be the one process that copies what is below a root: pods that share a volume do not copy it twice. It rests on
 * what recordings rest on (`writer-lease.ts`), with a sign of life of its own. `onChange`: it has come, or is gone.
 */
export function claimCopies(options: CopyLeaseOptions, onChange: () => void): CopyLease {
  const { root, files, clock, log, identity } = options;
  const leases = new WriterLeases({
    ...{ root, files, clock, identity },
    // What it says is of recordings that stop.
    logger: silentLogger,
    isGone: (other) => isProcessGone(other, identity, (...process) => options.isAlive(...process)),
    limit: 1,
  });
  const lease = leases.claim(CLAIMED, {
    onHeld: () => {
      log.debug("what is recorded below a root is copied by this process", { root });
      onChange();
    },
    onLost: (error) => {
      log.warn("copying stops for now: the volume says that another process does it, or nothing", {
        root,
        code: error.code,
        reason: error.message,
      });
      onChange();
    },
  });
  return {
    isOurs: () => lease.mayWrite(),
    release: async () => {
      await lease.release();
      await leases.stop();
    },
  };
}
