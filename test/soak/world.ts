/** What every part of the load needs. */
import type { Census } from "./census.ts";
import type { FilmPump } from "./film-pump.ts";

/** The server under load and the load's shared parts. */
export type World = {
  readonly ports: { readonly http: number; readonly rtmp: number };
  readonly pump: FilmPump;
  readonly census: Census;
  /** Ends everything. */
  readonly signal: AbortSignal;
};

/** The application, and the prefix of the template, that everybody publishes and plays below. */
export const APP = "live";

/** The stream of a publisher's slot. */
export function streamOf(slot: number): string {
  return `s${slot}`;
}
