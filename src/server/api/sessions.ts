/** Addresses of sessions. */
import { apiErrors } from "../../api/errors.ts";
import { rowOf } from "../../api/lists/row.ts";
import type { ListRow, Plain } from "../../api/lists/row.ts";
import { routeOf } from "../../api/operation.ts";
import { sessionOperations } from "../../api/operations/sessions.ts";
import { readQueryFields } from "../../api/read-fields.ts";
import type { ApiCall, ApiRoute } from "../../api/routes.ts";
import { sessionJson } from "../../api/sessions-view.ts";
import type { SessionsView } from "../../api/sessions-view.ts";
import type { SessionFields } from "../../auth/sessions/session.ts";
import { OWN_SESSIONS } from "../../auth/sessions/session.ts";
import { jsonReply } from "../../base/http-message.ts";
import { EMPTY_REPLY } from "./empty-reply.ts";
import { listRoute } from "./list-route.ts";

/** The routes. */
export function sessionRoutes(sessions: SessionsView): ApiRoute[] {
  return [
    listRoute(sessionOperations.list, {
      plural: "sessions",
      key: "id",
      defaultSort: "opened_at",
      searched: ["name", "ip", "user_id", "user_agent", "country"],
      source: (call) => ({ rows: rowsOf(sessions.list(showOf(call))) }),
    }),
    routeOf(sessionOperations.reauth, ({ request }) => {
      const { name } = readQueryFields(sessionOperations.reauth.query, request.query);
      sessions.reauth(name);
      return EMPTY_REPLY;
    }),
    routeOf(sessionOperations.get, (call) => {
      const session = sessions.get(call.params["id"]!, showOf(call));
      if (session === null) throw unknown(call);
      return jsonReply(200, sessionJson(session));
    }),
    routeOf(sessionOperations.kick, (call) => {
      const session = sessions.get(call.params["id"]!, { showsTokens: false });
      if (session !== null && session.state !== "finished" && OWN.includes(session.type))
        throw apiErrors.error("API_OWN_SESSION", { type: session.type, name: session.name });
      if (!sessions.kick(call.params["id"]!)) throw unknown(call);
      return EMPTY_REPLY;
    }),
  ];
}

/** What the configuration begins and ends. */
const OWN: readonly string[] = OWN_SESSIONS;

/** Those who may only look see no token that lets them in elsewhere. */
function showOf({ grant }: ApiCall): { readonly showsTokens: boolean } {
  return { showsTokens: grant.access === "edit" };
}

/** Fields that lists are often sorted by or looked through, without making an object of the session. */
const QUICK: Readonly<Record<string, (session: SessionFields) => Plain | undefined>> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  type: ({ type }) => type,
  proto: ({ proto }) => proto,
  ip: ({ ip }) => ip,
  bytes: ({ bytes }) => bytes,
  opened_at: ({ openedAtMs }) => openedAtMs,
  status: ({ state }) => state,
};

function* rowsOf(sessions: Iterable<SessionFields>): Generator<ListRow> {
  for (const session of sessions) yield sessionRow(session);
}

function sessionRow(session: SessionFields): ListRow {
  let whole: ListRow | null = null;
  const row = (): ListRow => (whole ??= rowOf(session.id, sessionJson(session)));
  return {
    key: session.id,
    field: (path) => (Object.hasOwn(QUICK, path) ? QUICK[path]!(session) : row().field(path)),
    json: () => row().json(),
  };
}

function unknown({ params }: ApiCall): Error {
  return apiErrors.error("API_UNKNOWN", { what: "session", name: params["id"]!.slice(0, 255) });
}
