/** Whether Roles allow what the server asks of the Kubernetes API, and nothing else. */
import { KubernetesApi } from "../../../src/kubernetes/api.ts";
import { PodEvents } from "../../../src/kubernetes/pod-events.ts";
import { SecretState } from "../../../src/kubernetes/secret-state.ts";
import type { KubernetesRequest } from "../../../src/kubernetes/transport.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeKubernetes, NAMESPACE } from "../../support/fake-kubernetes.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { findObject } from "./objects.ts";
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
const STATE_NAME = "state-of-the-server";
const STORAGE = /^k8s:\/\/(?:[^/]+\/)?([^/]+)$/;

/** What the server sends, by what it finds: the requests themselves, of `src/kubernetes` with a fake API server. */
const REQUESTS = {
  events: await requestsOfEvents({ name: "weir-0", uid: "known" }),
  eventsWithoutUid: await requestsOfEvents({ name: "weir-0" }),
  state: await requestsOfState((cluster) => cluster.putSecret(STATE_NAME, {})),
  stateWithoutSecret: await requestsOfState(() => {}),
} as const;

/**
 * What the server asks for: Events on its own pod, in either group; the pod itself, where the manifest does not give it its
 * uid; and with `FLUSSONIC_SECRETS_STORAGE` that Secret, which it makes where none is installed with it.
 */
export function permissionsAsked(pod: PodTemplate, objects: readonly KubeObject[]): Permission[] {
  const variables = serverContainer(pod.spec)?.env ?? [];
  const value = variables.find(({ name }) => STORAGE_VARIABLES.includes(name))?.value;
  const secret = STORAGE.exec(value ?? "")?.[1];
  const hasUid = variables.some(({ name }) => name === "POD_UID");
  const events = hasUid ? REQUESTS.events : REQUESTS.eventsWithoutUid;
  if (secret === undefined) return [...events];
  const isThere = findObject(objects, "Secret", secret) !== undefined;
  const state = isThere ? REQUESTS.state : REQUESTS.stateWithoutSecret;
  return [...events, ...state.map((one) => (one.name === STATE_NAME ? { ...one, name: secret } : one))];
}

/** A cluster that has events.k8s.io asks for the first group, one that has it not for both. */
async function requestsOfEvents(pod: {
  readonly name: string;
  readonly uid?: string;
}): Promise<Permission[]> {
  const cluster = new FakeKubernetes();
  cluster.pods.set(`${NAMESPACE}/${pod.name}`, "uid");
  cluster.hasEventsGroup = false;
  const { api, asked } = recordingApi(cluster);
  const clock = new FakeClock();
  const events = new PodEvents({ api, pod, clock, log: new RecordingLog() });
  events.configRefused([{ file: "a.conf", line: 1, column: 1, message: "wrong" }]);
  await clock.advanceSettling(1000);
  events.stop();
  // The pod is read by a name that nobody knows before there is the pod.
  return asked.map((one) => (one.resource === "pods" ? { ...one, name: null } : one));
}

async function requestsOfState(prepare: (cluster: FakeKubernetes) => void): Promise<Permission[]> {
  const cluster = new FakeKubernetes();
  prepare(cluster);
  const { api, asked } = recordingApi(cluster);
  const options = {
    api,
    secret: { name: STATE_NAME },
    clock: new FakeClock(),
    log: new RecordingLog(),
    serverId: "id",
    serverIdKey: "server_id",
    wantsCredentials: true,
    readCredentials: () => ({ credentials: { login: "a", password: "b" } }),
  };
  await new SecretState(options).start();
  // Somebody empties it: what is missing is written again, now to a Secret that is there.
  cluster.putSecret(STATE_NAME, {});
  await new SecretState(options).start();
  return unique(asked);
}

function recordingApi(cluster: FakeKubernetes): { api: KubernetesApi; asked: Permission[] } {
  const asked: Permission[] = [];
  const transport = cluster.transport();
  const api = new KubernetesApi({
    ...transport,
    send: (request) => {
      asked.push(permissionFor(request));
      return transport.send(request);
    },
  });
  return { api, asked };
}

/** Spec: Kubernetes documentation, "Authorization", "Determine the request verb". */
function permissionFor({ method, path }: KubernetesRequest): Permission {
  const parts = /^\/(?:api|apis\/([^/]+))\/v1\/namespaces\/[^/]+\/([^/]+)(?:\/([^/]+))?$/.exec(path);
  if (parts === null) throw new Error(`the server asks ${path}`);
  const [, group = "", resource = "", name = null] = parts;
  return { group, resource, verb: { GET: "get", POST: "create", PATCH: "patch" }[method], name };
}

function unique(permissions: readonly Permission[]): Permission[] {
  return [...new Map(permissions.map((one) => [JSON.stringify(one), one])).values()];
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
    const asked = permissionsAsked(pod, objects);
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
