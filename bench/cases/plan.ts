/** How much of everything a run does. */
import type { Installed } from "../install.ts";
import type { Features } from "../servers/weir.ts";
import type { Kit } from "../tools.ts";

/** Sizes of a run. A window of measurement is a multiple of 350 ms and of 100 ms, so that no flush falls out of it. */
export type Scale = {
  readonly runs: number;
  readonly playSeconds: number;
  readonly settleSeconds: number;
  readonly fetchSeconds: number;
  readonly ingestSettleSeconds: number;
  readonly ingestSeconds: number;
  readonly stallSeconds: number;
  readonly churnConnections: number;
  /** Whether the slow peer and the largest audience are measured too. */
  readonly isWhole: boolean;
};

/** What a reported run does. */
export const FULL: Scale = {
  runs: 3,
  playSeconds: 14,
  settleSeconds: 3,
  fetchSeconds: 6,
  // Longer than the window of the case: a window that still fills takes memory from the system at the rate of the media.
  ingestSettleSeconds: 16,
  ingestSeconds: 10,
  stallSeconds: 30,
  churnConnections: 100_000,
  isWhole: true,
};

/** A look in under three minutes: one run, short windows, no spread. */
export const QUICK: Scale = {
  runs: 1,
  playSeconds: 4.2,
  settleSeconds: 2.2,
  fetchSeconds: 2,
  ingestSettleSeconds: 3,
  ingestSeconds: 3,
  stallSeconds: 0,
  churnConnections: 5_000,
  isWhole: false,
};

/** What cases are made from. */
export type Plan = {
  readonly scale: Scale;
  readonly kit: Kit;
  readonly installed: Installed;
  readonly features: Features;
};
