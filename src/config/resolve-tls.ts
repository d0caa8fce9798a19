import { withoutUndefined } from "../base/without-undefined.ts";
import { OLD_TLS, TLS_DEFAULTS } from "./schema-listeners.ts";
import { bySetting, setting, textOf, textSetting } from "./settings.ts";
import type { TlsPlan } from "./plan.ts";
import type { ProblemList } from "./problem.ts";
import type { Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";

type Versions = Pick<TlsPlan, "minVersion" | "maxVersion">;

/**
 * TLS as it is when nothing is said of it: with the certificate in the config's folder.
 */
export function defaultTls(folder: string): TlsPlan {
  const { certificate, key, ca, passphrase } = TLS_DEFAULTS;
  return {
    certificate: `${folder}/${certificate}`,
    key: `${folder}/${key}`,
    ca: `${folder}/${ca}`,
    passphrase,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
  };
}

/**
 * Reads what the block of `https` or `rtmps` says of TLS. A certificate that is named has nothing of the folder's.
 */
export function readTls(listener: Directive, folder: string, problems: ProblemList): TlsPlan {
  const settings = bySetting(listener.children, problems);
  const usual = defaultTls(folder);
  const certificate = textSetting(settings, "certificate");
  const key = textSetting(settings, "certificate_key");
  const isWhole = (certificate === undefined) === (key === undefined);
  if (!isWhole && listener.isComplete) {
    const [given, missing] =
      key === undefined
        ? (["certificate", "certificate_key"] as const)
        : (["certificate_key", "certificate"] as const);
    const message = `${given} is of no use without ${missing}`;
    problems.error("CONFIG_MISSING_ARGUMENT", setting(settings, given)!.place, message, {
      hint: `add ${missing}; it may be the same file`,
    });
  }
  const ca = textSetting(settings, "certificate_ca") ?? (certificate === undefined ? usual.ca : undefined);
  return withoutUndefined<TlsPlan>({
    certificate: certificate ?? usual.certificate,
    key: key ?? usual.key,
    ca,
    passphrase: textSetting(settings, "passphrase") ?? usual.passphrase,
    ...readVersions(settings, problems),
  });
}

/** Configs that name old versions mean "as many as there are": these are left out, unless nothing remains. */
function readVersions(settings: Settings, problems: ProblemList): Versions {
  const directive = setting(settings, "ssl_protocols");
  if (directive === undefined) return { minVersion: "TLSv1.2", maxVersion: "TLSv1.3" };
  const words = directive.values.map(textOf);
  for (const [index, word] of words.entries()) {
    if (!OLD_TLS.includes(word)) continue;
    const message = `${word} is not spoken: it is not safe any more`;
    problems.warning("CONFIG_NEVER_USED", directive.places[index]!, message, { hint: "remove it" });
  }
  const hasOld = words.includes("tlsv1.2");
  const hasNew = words.includes("tlsv1.3");
  if (!hasOld && !hasNew) {
    problems.error(
      "CONFIG_BAD_VALUE",
      directive.place,
      "ssl_protocols: no version is left that is spoken",
      {
        hint: "add tlsv1.2 or tlsv1.3",
      },
    );
  }
  return {
    minVersion: hasOld ? "TLSv1.2" : "TLSv1.3",
    maxVersion: hasNew ? "TLSv1.3" : "TLSv1.2",
  };
}

/**
 * The words of `ssl_protocols` that mean these versions.
 */
export function tlsVersions({ minVersion, maxVersion }: Versions): string[] {
  return ["TLSv1.2", "TLSv1.3"]
    .filter((version) => version >= minVersion && version <= maxVersion)
    .map((version) => version.toLowerCase());
}
