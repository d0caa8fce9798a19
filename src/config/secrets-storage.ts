import type { SecretsStoragePlan } from "./plan.ts";

/** Where the server keeps its state, or what is wrong with the text that says it. */
export type SecretsStorageReading = { readonly storage: SecretsStoragePlan } | { readonly fault: string };

/** A name of Kubernetes. RFC 1123 section 2.1, in small letters. */
const LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const NAMESPACE = new RegExp(`^${LABEL}$`);
const SECRET = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

/**
 * Reads `k8s://NAME` or `k8s://NAMESPACE/NAME`: a Secret, of the pod's own namespace unless one is named.
 *
 * Spec: Kubernetes documentation, "Object Names and IDs" (a Secret's name is a DNS subdomain of at most 253
 * characters, a namespace's a DNS label).
 */
export function readSecretsStorage(text: string): SecretsStorageReading {
  const rest = /^k8s:\/\/(.+)$/.exec(text)?.[1];
  if (rest === undefined) return { fault: "it does not begin with k8s://" };
  const parts = rest.split("/");
  const name = parts.at(-1)!;
  const namespace = parts.length > 1 ? parts[0] : undefined;
  if (parts.length > 2) return { fault: `there is more than one "/" behind k8s://` };
  if (namespace !== undefined && !NAMESPACE.test(namespace))
    return { fault: "the namespace has no good name" };
  if (name.length > 253 || !SECRET.test(name)) return { fault: "the Secret has no good name" };
  return { storage: namespace === undefined ? { name } : { namespace, name } };
}
