/** What kind of machine this is, without saying which. */
import { readFileSync } from "node:fs";
import { cpus, release } from "node:os";

/** The facts that figures depend on. */
export type Machine = {
  /** Such as `2-core-epyc-vm`; part of a file's name. */
  readonly kind: string;
  readonly cpu: string;
  readonly cores: number;
  readonly linux: string;
  readonly node: string;
};

const FAMILIES =
  /\b(epyc|xeon|ryzen|threadripper|opteron|core|atom|celeron|neoverse|graviton|ampere|cortex|apple)\b/i;

/** This machine. */
export function thisMachine(): Machine {
  const all = cpus();
  const model = all[0]?.model ?? "unknown";
  const info = readFileSync("/proc/cpuinfo", "utf8");
  return {
    kind: machineKind(model, all.length, /^flags\s*:.*\bhypervisor\b/m.test(info)),
    cpu: model.replaceAll(/\s+/g, " ").trim(),
    cores: all.length,
    linux: release().split(/[-+]/)[0] ?? "",
    node: process.version,
  };
}

/** A name of letters, digits and hyphens. */
export function machineKind(model: string, cores: number, isVirtual: boolean): string {
  const family = FAMILIES.exec(model)?.[1]?.toLowerCase() ?? "cpu";
  return `${cores}-core-${family}-${isVirtual ? "vm" : "metal"}`;
}
