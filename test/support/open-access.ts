/** Access for tests of what is played: everyone may. */
import { OPEN_RULES } from "../../src/auth/rules.ts";
import { AccessGate } from "../../src/server/access/gate.ts";
import { HttpGate } from "../../src/server/access/http-gate.ts";
import { controlOf } from "../../src/server/access/session-authority.ts";
import { openAuthority } from "./open-authority.ts";
import { FakeClock } from "./fake-clock.ts";

/** Lets everyone play, and keeps nothing. */
export function openAccess(): HttpGate {
  const control = controlOf(openAuthority(), 0);
  const gate = new AccessGate({
    ...{ clock: new FakeClock(), control, salt: "salt" },
    rulesOf: () => OPEN_RULES,
  });
  return new HttpGate({ gate, tokenKey: () => "token" });
}
