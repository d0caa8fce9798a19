import { vodErrors } from "./errors.ts";

/** What a `BoundedWork` that reads files says when too many wait. */
export function vodBusy(waiting: number): Error {
  return vodErrors.error("VOD_BUSY", { reason: `${waiting} reads wait already` });
}
