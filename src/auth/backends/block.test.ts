import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { playClaim } from "../../../test/support/sessions.ts";
import type { AuthBackendRules } from "../rules.ts";
import type { Answer } from "./backend-request.ts";
import { decideByLists, firstAllowing } from "./block.ts";

const EMPTY: AuthBackendRules = {
  name: "portal",
  allowTokens: [],
  denyTokens: [],
  allowIps: [],
  denyIps: [],
  allowCountries: [],
  denyCountries: [],
  allowUas: [],
  denyUas: [],
  backends: [],
  allowsByDefault: false,
};

const claim = playClaim({ token: "t1", ip: "10.10.1.2", userAgent: "Mozilla/5.0 (X11) VLC/3.0" });

describe("the lists of a block", () => {
  /** Each list fits the claim; in the order in which they count. */
  const LISTS: readonly [keyof AuthBackendRules, string][] = [
    ["allowTokens", "t1"],
    ["denyTokens", "t1"],
    ["allowIps", "10.10/16"],
    ["denyIps", "10.0.0.0/8"],
    ["allowCountries", "DE"],
    ["denyCountries", "DE"],
    ["allowUas", "vlc"],
    ["denyUas", "Mozilla/5.0 (X11)"],
  ];

  for (const [index, [list]] of LISTS.entries()) {
    test(`${list} decides before all that come behind it`, () => {
      const rules = {
        ...EMPTY,
        ...Object.fromEntries(LISTS.slice(index).map(([key, value]) => [key, [value]])),
      };
      assert.equal(decideByLists(rules, claim, "DE"), list.startsWith("allow") ? "allow" : "deny");
    });
  }

  test("say nothing where none fits", () => {
    const rules = {
      ...EMPTY,
      allowTokens: ["t2"],
      denyTokens: ["t"],
      denyIps: ["192.0.2.0/24"],
      denyCountries: ["FR"],
      denyUas: ["curl"],
    };
    assert.equal(decideByLists(rules, claim, "DE"), "nothing");
    assert.equal(decideByLists({ ...rules, denyCountries: ["DE"] }, claim, undefined), "nothing");
    const { token: _, userAgent: __, ...bare } = claim;
    assert.equal(decideByLists({ ...rules, allowTokens: [""], denyUas: [""] }, bare, "DE"), "nothing");
  });
});

describe("several servers together", () => {
  const [yes, no, away, elsewhere]: readonly Answer[] = [
    { kind: "allowed", userId: "u" },
    { kind: "denied" },
    { kind: "failed", reason: "away" },
    { kind: "redirected", location: "/x" },
  ];
  const CASES: readonly [string, readonly Answer[], Answer["kind"]][] = [
    ["one that allows is enough", [no!, yes!, away!], "allowed"],
    ["one that denies counts more than one that fails", [away!, no!, away!], "denied"],
    ["one that sends elsewhere counts more than one that denies", [no!, elsewhere!, away!], "redirected"],
    ["all that fail are a failure", [away!, away!], "failed"],
    ["none is a failure", [], "failed"],
  ];
  for (const [name, answers, kind] of CASES) {
    test(name, async () => {
      assert.equal((await firstAllowing(answers.map((answer) => Promise.resolve(answer)))).kind, kind);
    });
  }

  test("the first that allows is not kept waiting by the others", async () => {
    const never = new Promise<Answer>(() => {});
    assert.deepEqual(await firstAllowing([never, Promise.resolve(no!), Promise.resolve(yes!)]), yes);
  });
});
