import assert from "node:assert/strict";
import { test } from "node:test";
import { textReply } from "../base/http-message.ts";
import { GivenReplies } from "./given-replies.ts";

test("a reply is found by the question and the snapshot that it was given for, and by no others", () => {
  const given = new GivenReplies<object>();
  const [snapshot, question] = [{}, {}];
  assert.equal(given.find(snapshot, question), undefined);
  const reply = textReply(200, "yes");
  assert.equal(given.keep(snapshot, question, reply), reply);
  assert.equal(given.find(snapshot, question), reply);
  assert.equal(given.find(snapshot, {}), undefined);
  assert.equal(given.find({}, question), undefined);
});

test("replies of one snapshot are bounded, and asking with new questions takes none from other snapshots", () => {
  const given = new GivenReplies<object>();
  const [snapshot, other, question] = [{}, {}, {}];
  const reply = given.keep(snapshot, question, textReply(200, "mine"));
  given.keep(other, question, reply);
  for (let n = 1; n < GivenReplies.MAX_KEPT; n++) given.keep(snapshot, {}, textReply(200, "theirs"));
  assert.equal(given.find(snapshot, question), reply);
  given.keep(snapshot, {}, textReply(200, "one too many"));
  assert.equal(given.find(snapshot, question), undefined);
  assert.equal(given.find(other, question), reply);
});
