/** The words of a measurement, from one run of one server to a row of the table. */

/** Who is measured: the server of this project, the limit, the peers. */
export type Name = "weir" | "floor" | "nginx" | "nms" | "ffmpeg";

/** Numbers of one run by name; the unit is the last word of the name. */
export type Figures = Readonly<Record<string, number>>;

/** What came of one run. */
export type Outcome =
  | { readonly kind: "measured"; readonly figures: Figures }
  /** It ran, and what was delivered is not what had to be: its figures do not count. */
  | { readonly kind: "not counted"; readonly reason: string; readonly figures: Figures }
  /** The server does not have what the case asks for. */
  | { readonly kind: "not available"; readonly reason: string };

/** One server in a case. `floor` is named after what it is measured with. */
export type Contestant = { readonly name: Name; readonly measure: () => Promise<Outcome> };

/** What is run: every contestant in turn, as often as there are runs. */
export type Case = {
  readonly id: string;
  /** What `--only` names. */
  readonly group: Group;
  readonly contestants: readonly Contestant[];
  readonly rows: readonly RowSpec[];
};

/** Groups of cases, in the order in which they run. */
export const GROUPS = [
  "fanout",
  "flv",
  "hls",
  "viewers",
  "vod",
  "mux",
  "ingest",
  "archive",
  "idle",
  "stall",
  "churn",
] as const;

/** What `--only` takes. */
export type Group = (typeof GROUPS)[number];

/** A line of the table, made from the figures of a case. */
export type RowSpec = {
  readonly what: string;
  readonly figure: string;
  readonly unit: string;
  readonly digits: number;
  /** What the project aims for, in words; nothing here compares with it. */
  readonly aim?: string;
  /** Figure of ours that stands for the floor where no program does. */
  readonly floorFigure?: string;
  readonly isInChart?: boolean;
};

/** Median of the runs that count, and how far they lie apart. */
export type Cell = {
  readonly median: number | null;
  /** All runs that count, in their order. */
  readonly runs: readonly number[];
  /** (greatest - least) / median. */
  readonly spread: number | null;
  /** Why runs do not count, each reason once. */
  readonly remarks: readonly string[];
};

/** A finished line of the table. */
export type Row = {
  readonly case: string;
  readonly group: Group;
  readonly what: string;
  readonly unit: string;
  readonly digits: number;
  readonly aim: string | null;
  readonly isInChart: boolean;
  readonly cells: Readonly<Partial<Record<Name, Cell>>>;
  /** Ours divided by the other's median. */
  readonly ratios: Readonly<Partial<Record<Name, number>>>;
};
