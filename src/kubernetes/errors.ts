import { defineErrors } from "../base/errors.ts";

/** Errors of talking to the Kubernetes API. The server runs on without it; "retry": it is asked again later. */
export const kubernetesErrors = defineErrors({
  KUBERNETES_NOT_IN_CLUSTER: {
    disposition: "reject",
    message: "this is not a pod of a cluster: {variable} is not set",
    doc: "Kubernetes gives every pod KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. Outside a cluster, leave FLUSSONIC_SECRETS_STORAGE away.",
  },
  KUBERNETES_BAD_ADDRESS: {
    disposition: "reject",
    message: "{variable} is not what Kubernetes sets it to: {value}",
    doc: "KUBERNETES_SERVICE_HOST is an address or a name, KUBERNETES_SERVICE_PORT a number of 1 to 65535. The manifest sets something else: leave it out there.",
  },
  KUBERNETES_NO_TOKEN: {
    disposition: "reject",
    message: "the pod has no service account: {path} cannot be read ({reason})",
    doc: "The pod or its service account says `automountServiceAccountToken: false`, or the files are not readable for the user that the server runs as. Mount the token, and start the pod anew.",
  },
  KUBERNETES_BAD_TOKEN: {
    disposition: "retry",
    message: "the pod's service account is of no use: {path} {fault}",
    doc: "The file is mounted and does not have in it what Kubernetes puts there: one line for the token and for the namespace, certificates in PEM for `ca.crt`. Something else is mounted over it. It is read anew at each try.",
  },
  KUBERNETES_UNREACHABLE: {
    disposition: "retry",
    message: "the Kubernetes API at {address} cannot be reached: {reason}",
    doc: "The control plane is away, or a NetworkPolicy keeps the pod from it: allow egress to that address.",
  },
  KUBERNETES_TIMEOUT: {
    disposition: "retry",
    message: "the Kubernetes API at {address} did not answer within {timeoutMs} ms",
    doc: "The control plane is overloaded, or something between drops packets, such as a NetworkPolicy: allow egress to that address.",
  },
  KUBERNETES_TLS: {
    disposition: "retry",
    message: "the Kubernetes API at {address} cannot prove who it is against {path}: {reason}",
    doc: "The certificate is not of the cluster's authority, is out of date, or is for another address. Something else answers there, or the mounted `ca.crt` is old: start the pod anew.",
  },
  KUBERNETES_UNAUTHORIZED: {
    disposition: "retry",
    message: "the Kubernetes API does not know the pod's token: {reason}",
    doc: "The service account was deleted or made anew, or its token has run out. Start the pod anew.",
  },
  KUBERNETES_FORBIDDEN: {
    disposition: "retry",
    message:
      '{account} may not {verb} {resource} "{name}" in namespace "{namespace}"; add this rule to its Role: {rule} ' +
      "(the API server says: {reason})",
    doc: "A Role with that rule, or a RoleBinding of it to the pod's service account, is missing. It is tried again: the pod need not be started anew.",
  },
  KUBERNETES_DENIED: {
    disposition: "retry",
    message: 'the Kubernetes API denies to {verb} {resource} "{name}" in namespace "{namespace}": {reason}',
    doc: "No rule of a Role is missing: a ResourceQuota is used up, or an admission webhook or policy of the cluster is against it. It is tried again: the pod need not be started anew.",
  },
  KUBERNETES_NOT_FOUND: {
    disposition: "retry",
    message: 'the Kubernetes API cannot {verb} {resource} "{name}" in namespace "{namespace}": {reason}',
    doc: "The object or the namespace is not there: its name is mistyped, or it was deleted.",
  },
  KUBERNETES_SECRET_MISSING: {
    disposition: "retry",
    message:
      'there is no Secret "{name}" in namespace "{namespace}", and {account} may not create it; ' +
      "run: kubectl -n {namespace} create secret generic {name}; or add this rule to its Role: {rule} " +
      "(the API server says: {reason})",
    doc: "FLUSSONIC_SECRETS_STORAGE names a Secret that is not there. Create it, empty, or allow the server to. It is tried again: the pod need not be started anew.",
  },
  KUBERNETES_CONFLICT: {
    disposition: "retry",
    message: '{resource} "{name}" in namespace "{namespace}" changes while it is written',
    doc: "Somebody else wrote the object at the same moment, and again at each new try.",
  },
  KUBERNETES_UNAVAILABLE: {
    disposition: "retry",
    message: "the Kubernetes API answers {status}: {reason}",
    doc: "The control plane is starting, overloaded or broken.",
  },
  KUBERNETES_REFUSED: {
    disposition: "retry",
    message: 'the Kubernetes API refuses to {verb} {resource} "{name}" with {status}: {reason}',
    doc: "The object may not be changed so; a Secret with `immutable: true` has to be deleted and made anew.",
  },
  KUBERNETES_BAD_REPLY: {
    disposition: "retry",
    message: "what answers as the Kubernetes API does not speak like it: {reason}",
    doc: "The reply is not JSON of the Kubernetes API, is cut off, or is bigger than any that was asked for: a proxy answers in its place.",
  },
  KUBERNETES_BAD_SECRET: {
    disposition: "retry",
    message: 'key "{key}" of Secret "{name}" in namespace "{namespace}" is of no use: {reason}',
    doc: "The value is left as it is and not used. Mend it, or delete the key and the server makes a new value; it is looked at again, the pod need not be started anew.",
  },
});
