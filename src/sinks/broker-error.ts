export type BrokerTrouble = "credentials" | "refused" | "address" | "tls" | "silent" | "lost" | "other";

export interface BrokerProblem {
  readonly kind: BrokerTrouble;
  /** What is wrong and what to do, in plain words. */
  readonly message: string;
}

/** Whether trying again is of no use until a person has changed something. */
export function mustBeMendedByHand({ kind }: BrokerProblem): boolean {
  return kind === "credentials" || kind === "tls";
}

const codesOf = (error: Error): readonly (string | number)[] => {
  const own = "code" in error && (typeof error.code === "string" || typeof error.code === "number") ? [error.code] : [];
  // One address of several may have failed for another reason than the rest.
  return error instanceof AggregateError ? [...own, ...error.errors.flatMap((each) => (each instanceof Error ? codesOf(each) : []))] : own;
};

const tlsCode = /CERT|TLS|SSL|^EPROTO$|SELF_SIGNED|UNABLE_TO_|ISSUER|LEAF_SIGNATURE/;

/** Turns a connection error of the MQTT client into words. `address`: the broker's URL without user and password. */
export function describeBrokerError(error: Error, address: string): BrokerProblem {
  const codes = codesOf(error);
  const has = (...wanted: readonly (string | number)[]): boolean => wanted.some((code) => codes.includes(code));
  const problem = (kind: BrokerTrouble, words: string): BrokerProblem => ({ kind, message: `The MQTT broker at ${address} ${words}` });

  // MQTT 3.1.1 codes 4 and 5, MQTT 5 codes 134 and 135.
  if (has(4, 134)) return problem("credentials", "refused the user name or password");
  if (has(5, 135))
    return problem("credentials", "does not let this client in: user name or password is missing or wrong, or its rules forbid it");
  if (has(2, 133)) return problem("other", "refused the client id");
  if (has(3, 136)) return problem("other", "is not available: it is up but does not take connections");
  if (has("ECONNREFUSED")) return problem("refused", "refused the connection: nothing listens there, or a firewall forbids it");
  if (has("ENOTFOUND", "EAI_AGAIN")) return problem("address", "has no such name: the host name cannot be found");
  if (has("ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN")) return problem("address", "cannot be reached over the network");
  if (codes.some((code) => typeof code === "string" && tlsCode.test(code)) || /TLS|SSL/.test(error.message)) {
    return problem("tls", `could not be trusted over TLS: ${tlsReason(codes) ?? error.message}`);
  }
  if (/connack timeout/i.test(error.message)) return problem("silent", "accepts the connection but does not answer as an MQTT broker");
  if (/keepalive timeout/i.test(error.message)) return problem("silent", "does not answer any more");
  if (has("ECONNRESET", "EPIPE")) return problem("lost", "closed the connection");
  if (/Unexpected server response/i.test(error.message))
    return problem("other", `does not speak MQTT over WebSocket at this path: ${error.message}`);
  return problem("other", `cannot be used: ${error.message === "" ? String(codes[0] ?? error.name) : error.message}`);
}

function tlsReason(codes: readonly (string | number)[]): string | undefined {
  if (codes.includes("CERT_HAS_EXPIRED")) return "its certificate has expired";
  if (codes.includes("CERT_NOT_YET_VALID")) return "its certificate is not valid yet, or this computer's clock is wrong";
  if (codes.includes("ERR_TLS_CERT_ALTNAME_INVALID")) return "its certificate is for another host name";
  if (codes.some((code) => /SELF_SIGNED|UNABLE_TO_|ISSUER/.test(String(code)))) {
    return "its certificate is not signed by a known authority (give the authority's certificate as ca)";
  }
  return undefined;
}
