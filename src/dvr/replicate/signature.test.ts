import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { checkSignature, signRequest } from "./signature.ts";

const REQUEST = { key: "k3y", target: "/cam/archive-hours.json?from=1&to=2", nowS: 1_764_547_200 };

function refusal(reason: RegExp): { code: string; message: RegExp } {
  return { code: "DVR_PEER_NOT_KNOWN", message: reason };
}

describe("a signature", () => {
  test("is made as the specification says", () => {
    const text = `weir-archive 1\nGET\n${REQUEST.target}\n1764547200`;
    const mac = createHmac("sha256", "k3y").update(text).digest("hex");
    assert.equal(signRequest(REQUEST), `Weir-Cluster 1764547200:${mac}`);
  });

  for (const skewS of [0, 300, -300]) {
    test(`holds on a server whose clock is ${skewS} s off`, () => {
      checkSignature(signRequest(REQUEST), { ...REQUEST, nowS: REQUEST.nowS + skewS });
    });
  }

  for (const skewS of [301, -301, 1e9]) {
    test(`is refused when it is ${skewS} s off`, () => {
      const late = { ...REQUEST, nowS: REQUEST.nowS + skewS };
      assert.throws(() => checkSignature(signRequest(REQUEST), late), refusal(/s apart/));
    });
  }

  const others = [
    { name: "by another key", other: { key: "k3z" } },
    { name: "by no key", other: { key: "" } },
    { name: "of another path", other: { target: "/cam/archive-hours.json?from=1&to=3" } },
  ];
  for (const { name, other } of others) {
    test(`${name} is refused`, () => {
      const header = signRequest({ ...REQUEST, ...other });
      assert.throws(() => checkSignature(header, REQUEST), refusal(/another cluster_key/));
    });
  }

  test("with another time than the one that was signed is refused", () => {
    const header = signRequest(REQUEST).replace("1764547200", "1764547201");
    assert.throws(() => checkSignature(header, REQUEST), refusal(/another cluster_key/));
  });

  test("is refused at every cut, and with anything else", () => {
    const header = signRequest(REQUEST);
    const texts = Array.from({ length: header.length }, (_, cut) => header.slice(0, cut));
    for (const text of [undefined, ...texts, `${header} `, header.toUpperCase(), "Basic YTpi"])
      assert.throws(() => checkSignature(text, REQUEST), refusal(/not signed/));
  });
});
