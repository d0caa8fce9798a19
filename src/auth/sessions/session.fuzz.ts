import { strict as assert } from "node:assert";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { maskQuery } from "./session.ts";

/** A token, a line break, and a query that may have it somewhere. */
export const fuzz: TextFuzzTarget = {
  name: "mask-query",
  seeds: [
    "secret-of-a-viewer\na=1&token=secret-of-a-viewer&b=secret-of-a-viewer&secret-of-a-viewer",
    "t\ntoken=t&&=t&t=",
  ],
  dictionary: ["token=", "&", "=", "%", "%3D", "+"],
  run(input) {
    const [token = "", query = ""] = input.split("\n");
    const masked = maskQuery(query, "token", token);
    assert.equal(masked.split("&").length, query.split("&").length);
    for (const pair of masked.split("&")) {
      const [key, value] = [pair.split("=", 1)[0]!, pair.slice(pair.indexOf("=") + 1)];
      if (key === "token" && pair.includes("=")) assert.ok(value.endsWith("***"));
      if (token.length > 4 && !token.includes("*")) assert.notEqual(value, token);
    }
  },
};
