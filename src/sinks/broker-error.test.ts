import { expect, test } from "vitest";
import { describeBrokerError } from "./broker-error.ts";

const errorOf = (code: string | number | undefined, message = "x"): Error =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

test.each([
  [errorOf(4), "credentials", /refused the user name or password/],
  [errorOf(5), "credentials", /does not let this client in/],
  [errorOf("ECONNREFUSED"), "refused", /nothing listens there/],
  [errorOf("ENOTFOUND"), "address", /no such name/],
  [errorOf("EHOSTUNREACH"), "address", /cannot be reached/],
  [errorOf("CERT_HAS_EXPIRED"), "tls", /its certificate has expired/],
  [errorOf("ERR_TLS_CERT_ALTNAME_INVALID"), "tls", /for another host name/],
  [errorOf("SELF_SIGNED_CERT_IN_CHAIN"), "tls", /not signed by a known authority/],
  [errorOf("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "tls", /not signed by a known authority/],
  [errorOf("EPROTO", "wrong version number"), "tls", /wrong version number/],
  [errorOf(undefined, "connack timeout"), "silent", /does not answer as an MQTT broker/],
  [errorOf("ECONNRESET"), "lost", /closed the connection/],
  [errorOf("EWHATEVER", "something new"), "other", /cannot be used: something new/],
  [new AggregateError([errorOf("ECONNREFUSED"), errorOf("ECONNREFUSED")], ""), "refused", /nothing listens there/],
])("%s is %s", (error, kind, words) => {
  const problem = describeBrokerError(error, "mqtt://broker:1883");
  expect(problem.kind).toBe(kind);
  expect(problem.message).toMatch(words);
  expect(problem.message).toContain("mqtt://broker:1883");
});
