import { defineErrors } from "../base/errors.ts";

/** Errors of the API itself: who asks, and how. */
export const apiErrors = defineErrors({
  API_NO_CREDENTIALS: {
    disposition: "reject",
    httpStatus: 401,
    message: "the API asks for the login and password of edit_auth or view_auth",
    doc: "Send them as `Authorization: Basic` or `Bearer`, both with base64 of `login:password`. Without `edit_auth` and `view_auth` in the configuration nobody gets in.",
  },
  API_READ_ONLY: {
    disposition: "reject",
    httpStatus: 403,
    message: "view_auth may only look: to change something takes edit_auth",
    doc: "The login and password are those of `view_auth`, and the request would change something.",
  },
  API_OTHER_SITE: {
    disposition: "reject",
    httpStatus: 403,
    message: "a web page of another site may not change anything here",
    doc: "A browser says that the request comes from a page of another site. Programs are not asked where they come from.",
  },
  API_NOT_FOUND: {
    disposition: "reject",
    httpStatus: 404,
    message: "the API has nothing at this address",
    doc: "Check the address against docs/api.md.",
  },
  API_METHOD: {
    disposition: "reject",
    httpStatus: 405,
    message: "this address answers {allow}, not {method}",
    doc: "The address is right and the method is not: the header `allow` has those that are.",
  },
  API_NO_JSON: {
    disposition: "reject",
    httpStatus: 415,
    message: "the body has to be JSON, with the header content-type: application/json",
    doc: "A body of another type is not read: so no form of a web page can send one. With curl: `-H 'content-type: application/json'`.",
  },
  API_BAD_JSON: {
    disposition: "reject",
    httpStatus: 400,
    message: "the body is no JSON: {reason}",
    doc: "It was cut off, or is not JSON, or is not UTF-8.",
  },
  API_BAD_FIELD: {
    disposition: "reject",
    httpStatus: 400,
    message: "{field}: {reason}",
    doc: "A field of the body or a parameter of the query is missing, unknown or not what it may be; `source` names it.",
  },
  API_BAD_CURSOR: {
    disposition: "reject",
    httpStatus: 400,
    message: "cursor: {reason}",
    doc: "A cursor is the `next` or `prev` of a page, as it was given and with the same `sort`. Begin again without one.",
  },
  API_ADDRESS: {
    disposition: "reject",
    httpStatus: 403,
    message: "the API may not be called from this address",
    doc: "`api_allowed_from` names the networks that may call it. Behind a proxy it is the proxy's address that counts, unless `trusted_proxies` names it.",
  },
  API_SCOPE: {
    disposition: "reject",
    httpStatus: 403,
    message: "the token's scope does not reach here: this takes {scope}",
    doc: "An `api_token` may only do what its `scope` names.",
  },
  API_UNKNOWN: {
    disposition: "reject",
    httpStatus: 404,
    message: "there is no {what} {name}",
    doc: "Nothing of that kind has that name, or id, in the configuration in force or among what runs.",
  },
  INPUT_NOT_FOUND: {
    disposition: "reject",
    httpStatus: 404,
    message: 'the stream "{name}" has no input {index}',
    doc: "Inputs count from 0, in the order in which the stream's `inputs` has them.",
  },
  API_INPUT_RESTS: {
    disposition: "reject",
    httpStatus: 400,
    message: 'input {index} of "{name}" cannot run: {reason}',
    doc: "A stream that runs by a template alone, or that is disabled, has no input to choose: give it a `stream` block of its own, or enable it.",
  },
  API_OWN_SESSION: {
    disposition: "reject",
    httpStatus: 409,
    message: "the session of type {type} of {name} is the server's own: the configuration decides",
    doc: "Recordings, inputs and pushes begin and end as the configuration says: change the stream's `dvr`, `input` or `push`, or stop the stream by `POST /streams/NAME/stop`.",
  },
  API_PROTECTED: {
    disposition: "reject",
    httpStatus: 409,
    message: "the range has times that episodes or locks keep: {what}",
    doc: "What an episode or a lock keeps is not deleted. `meta` has which: delete them first, or ask for a range beside them.",
  },
});
