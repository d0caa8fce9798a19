/** Whether Roles allow what the server asks of the Kubernetes API, and nothing else. */
import type { KubeObject, PodTemplate } from "./objects.ts";
import { serverContainer } from "./server-config.ts";

/** One thing that may be done: a verb on a resource of a group, of one name or of every name. */
export type Permission = {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  /** `null`: of any name. */
  readonly name: string | null;
};

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
};

type Subject = { readonly kind: string; readonly name: string };

const STORAGE_VARIABLES = ["STREAMER_SECRETS_STORAGE", "FLUSSONIC_SECRETS_STORAGE"];
const STORAGE = /^k8s:\/\/(?:[^/]+\/)?([^/]+)$/;

/**
 * What the server asks for: Events on its own pod, in either group; the pod itself, for its uid; and with
 * `FLUSSONIC_SECRETS_STORAGE` that Secret, which it makes where it may.
 */
export function permissionsAsked(pod: PodTemplate): Permission[] {
  const variables = serverContainer(pod.spec)?.env ?? [];
  const value = variables.find(({ name }) => STORAGE_VARIABLES.includes(name))?.value;
  const secret = STORAGE.exec(value ?? "")?.[1];
  const events = ["", "events.k8s.io"].map((group) => ({
    group,
    resource: "events",
    verb: "create",
    name: null,
  }));
  const own = { group: "", resource: "pods", verb: "get", name: null };
  if (secret === undefined) return [...events, own];
  const verbs = ["get", "update", "patch"];
  return [
    ...events,
    own,
    ...verbs.map((verb) => ({ group: "", resource: "secrets", verb, name: secret })),
    { group: "", resource: "secrets", verb: "create", name: null },
  ];
}

/** What the Roles that are bound to a service account allow it. */
export function permissionsOf(account: string, objects: readonly KubeObject[]): Permission[] {
  const bound = objects
    .filter((object) => object.kind === "RoleBinding")
    .filter((binding) =>
      (binding["subjects"] as readonly Subject[]).some(
        (subject) => subject.kind === "ServiceAccount" && subject.name === account,
      ),
    )
    .map((binding) => (binding["roleRef"] as { readonly name: string }).name);
  return objects
    .filter((object) => object.kind === "Role" && bound.includes(object.metadata.name))
    .flatMap((role) => (role["rules"] as readonly Rule[]).flatMap(permissionsOfRule));
}

function permissionsOfRule(rule: Rule): Permission[] {
  const names: readonly (string | null)[] = rule.resourceNames ?? [null];
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) =>
      rule.verbs.flatMap((verb) => names.map((name) => ({ group, resource, verb, name }))),
    ),
  );
}

/** The rule for pods that name a service account; one without is given no permissions and no token. */
export function problemsOfAccess(installation: {
  readonly objects: readonly KubeObject[];
  readonly pods: readonly PodTemplate[];
}): string[] {
  const { objects, pods } = installation;
  return pods.flatMap((pod) => {
    const title = `${pod.owner.kind} ${pod.owner.metadata.name}`;
    const account = pod.spec.serviceAccountName;
    if (account === undefined) {
      const isTold = serverContainer(pod.spec)?.env?.some(({ name }) => STORAGE_VARIABLES.includes(name));
      return isTold === true ? [`${title} shall keep a Secret and has no service account`] : [];
    }
    const isThere = objects.some(
      (object) => object.kind === "ServiceAccount" && object.metadata.name === account,
    );
    const asked = permissionsAsked(pod);
    const given = permissionsOf(account, objects);
    return [
      ...(isThere ? [] : [`${title} names service account ${account}, which is not there`]),
      ...asked
        .filter((one) => !given.some((other) => covers(other, one)))
        .map((one) => `${account} may not ${describe(one)}`),
      ...given
        .filter((one) => !asked.some((other) => covers(other, one)))
        .map((one) => `${account} may ${describe(one)}, which the server does not ask for`),
    ];
  });
}

function covers(one: Permission, other: Permission): boolean {
  const isSameThing =
    one.group === other.group && one.resource === other.resource && one.verb === other.verb;
  return isSameThing && (one.name === null || one.name === other.name);
}

function describe({ verb, resource, group, name }: Permission): string {
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}${name === null ? "" : ` ${name}`}`;
}
