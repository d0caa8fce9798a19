import { defineErrors } from "../../base/errors.ts";

/** Errors of changes of the configuration by API. */
export const editErrors = defineErrors({
  EDIT_BAD_FIELD: {
    disposition: "reject",
    httpStatus: 400,
    message: "{field}: {reason}",
    doc: "A property of the object is unknown, or its value is not what it may be; `source` names it.",
  },
  EDIT_NO_SECRET: {
    disposition: "reject",
    httpStatus: 400,
    message: "{field}: a value with *** in it stands for the secret that is in force, and there is none",
    doc: "The API shows secrets as `***`. Given back in the same place, that keeps the secret; elsewhere there is nothing to keep. Send the secret itself.",
  },
  EDIT_NOT_FOUND: {
    disposition: "reject",
    httpStatus: 404,
    message: '{kind} "{name}" does not stand in the configuration',
    doc: "Nothing of that name is written there. A stream that runs by a template has no lines of its own: change the template, or PUT the stream first.",
  },
  EDIT_REJECTED: {
    disposition: "reject",
    httpStatus: 400,
    message: "the configuration would have errors, so nothing was changed: {reason}",
    doc: "The change was checked together with everything else that is configured. `config_error` in `meta` has the line, the column and what is wrong.",
  },
  EDIT_READ_ONLY: {
    disposition: "reject",
    httpStatus: 409,
    message: "{what} cannot be changed by API: {reason}",
    doc: "It stands in a file that the server may not write, such as one of a ConfigMap: change it where it comes from. To keep changes that are made by API, give the server a folder on a volume that it may write.",
  },
  EDIT_FROM_ENVIRONMENT: {
    disposition: "reject",
    httpStatus: 409,
    message: "{setting} cannot be changed by API: the environment variable {variable} says it, and wins",
    doc: "Change the variable where the pod or the service is defined, or take it away there.",
  },
  EDIT_SEVERAL_FILES: {
    disposition: "reject",
    httpStatus: 409,
    message: "what is to be changed stands in several files: {files}",
    doc: "One request changes one file, so that it is done wholly or not at all. Change the objects or settings one by one.",
  },
  EDIT_FILE_TOO_BIG: {
    disposition: "reject",
    httpStatus: 409,
    message: "{file} would be bigger than {limitBytes} bytes, the most that is read of one file",
    doc: "Move streams into other files of the configuration's folder.",
  },
  EDIT_HOST_NOT_ALLOWED: {
    disposition: "reject",
    httpStatus: 400,
    message: "the API may not make this server ask {host}: {reason}",
    doc: "URLs that are given by API lead to hosts of `allowed_hosts` only, where that is set. Addresses that clouds keep credentials at are refused unless they are listed there.",
  },
  EDIT_HOSTS_WIDENED: {
    disposition: "reject",
    httpStatus: 403,
    message: "allowed_hosts is made wider in the file alone: the API may not add {host}",
    doc: "`allowed_hosts` binds who uses the API, so the API makes it no wider: where it is set, hosts can be taken from it, not added, and it cannot be emptied; where it is not, it may be set, without addresses that clouds keep credentials at. Change the file.",
  },
  EDIT_OVERTAKEN: {
    disposition: "reject",
    httpStatus: 409,
    message: "somebody else keeps changing {file}: nothing was changed",
    doc: "The file was written by another program each time the change was about to be made. Send the request again.",
  },
  EDIT_NOT_WRITTEN: {
    disposition: "reject",
    httpStatus: 500,
    message: "{file} could not be written: {reason}",
    doc: "The disk may be full or broken. The file is as it was.",
  },
  EDIT_NOT_IN_FORCE: {
    disposition: "reject",
    httpStatus: 409,
    message: "the change could not be put in force and was taken back: {reason}",
    doc: "The configuration is good, and the system was in the way: a port may be in use. What was in force before still is.",
  },
  EDIT_BUSY: {
    disposition: "reject",
    httpStatus: 503,
    message: "{limit} changes of the configuration are waiting already",
    doc: "Changes are made one after the other. Send fewer at a time.",
  },
});
