import { ConfigError } from "../model/errors.ts";

export interface BrokerUrl {
  /** Without user and password. */
  readonly url: string;
  /** As shown to people; without user and password. */
  readonly address: string;
  readonly isSecure: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** Takes a broker's URL apart. The message of its ConfigError never shows a user or a password. */
export function parseBrokerUrl(text: string): BrokerUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["mqtt:", "mqtts:", "ws:", "wss:"].includes(url.protocol) || url.hostname === "") {
    const shown = text.replace(/\/\/[^@/]*@/, "//…@");
    throw new ConfigError(`Expected the broker as mqtt://, mqtts://, ws:// or wss:// and a host, got ${JSON.stringify(shown)}`);
  }
  const address = `${url.protocol}//${url.host}`;
  const path = url.protocol.startsWith("ws") ? url.pathname : "";
  return {
    url: `${address}${path}`,
    address: `${address}${path === "/" ? "" : path}`,
    isSecure: url.protocol === "mqtts:" || url.protocol === "wss:",
    ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
  };
}
