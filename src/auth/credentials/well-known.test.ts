import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isWellKnown, WELL_KNOWN_LOGINS } from "./well-known.ts";

describe("well-known credentials", () => {
  test("are those of the list, their passwords with any login, and the login said twice", () => {
    for (const pair of WELL_KNOWN_LOGINS) {
      const [login = "", password = ""] = pair.split(":");
      assert.ok(isWellKnown({ login, password }), pair);
      assert.ok(isWellKnown({ login: "operator", password }), `operator with ${password}`);
      assert.ok(isWellKnown({ login, password: password.toUpperCase() }), `${pair} in capitals`);
    }
    assert.ok(isWellKnown({ login: "anna", password: "anna" }));
    for (const password of ["", "password of the house", "aXq3", "s3cret"])
      assert.ok(!isWellKnown({ login: "root", password }), password);
  });
});
