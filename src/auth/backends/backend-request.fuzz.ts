import { strict as assert } from "node:assert";
import { playClaim } from "../../../test/support/sessions.ts";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { buildBackendRequest, readBackendReply } from "./backend-request.ts";

/** Lines: the status, the headers of a reply, then what a client says of itself. */
export const fuzz: TextFuzzTarget = {
  name: "backend-request",
  seeds: [
    "200\nx-authduration: 60\nx-userid: u\nx-max-sessions: 2\n\nnews\ntoken\na=b&token=c\nVLC",
    "302\nlocation: /x\n\nnews\n&ip=1\n#\n\u0000",
    "403\n\n\ud800\n%\n\n",
  ],
  dictionary: [
    "x-authduration: ",
    "x-unique: true",
    "x-max-sessions: ",
    "location: ",
    "&ip=",
    "#",
    "?",
    "\r\n",
  ],
  run(input) {
    const [reply = "", said = ""] = input.split("\n\n");
    const [status, ...lines] = reply.split("\n");
    const headers = Object.fromEntries(lines.map((line) => line.split(": ", 2) as [string, string]));
    const answer = readBackendReply({ kind: "replied", status: Number(status), headers });
    if (answer.kind === "allowed") {
      assert.equal(Number(status), 200);
      // 0 is no limit, whatever the configuration says.
      assert.ok(Number.isInteger(answer.maxSessions ?? 0) && (answer.maxSessions ?? 0) >= 0);
      assert.ok(answer.authDurationMs === undefined || answer.authDurationMs >= 1000);
    }
    const [name = "", token = "", queryString = "", userAgent = ""] = said.split("\n");
    const request = buildBackendRequest(
      "http://u:p@portal.test:81/auth?key=1",
      {
        claim: playClaim({ name, token, queryString, userAgent }),
        country: undefined,
        requestType: "new_session",
        requestNumber: 0,
        sessionId: "s1",
        streamClients: 0,
        totalClients: 0,
      },
      3000,
    );
    assert.ok(request !== null);
    const url = new URL(request.url);
    assert.equal(url.host + url.pathname, "portal.test:81/auth");
    assert.deepEqual(url.searchParams.getAll("ip"), ["192.0.2.1"]);
    assert.equal(url.searchParams.get("name") ?? "", name.toWellFormed());
    // oxlint-disable-next-line no-control-regex -- these are what is looked for
    assert.doesNotMatch(request.url, /[\u0000-\u0020\u007f-\uffff]/);
  },
};
