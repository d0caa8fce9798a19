import type { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import type { HttpRequest } from "../../base/http-message.ts";

/** The request as its client made it, where a proxy of ours brings it; `request.remoteAddress` is the connection's. */
export function forwardedRequest(proxies: TrustedProxies | null, request: HttpRequest): HttpRequest {
  const header = (name: string): string | undefined => request.header(name);
  const client = proxies?.clientOf(request.remoteAddress, header) ?? null;
  if (client === null) return request;
  return {
    ...request,
    remoteAddress: client.address,
    isTls: client.isTls ?? request.isTls ?? false,
    header: (name) => (name === "host" ? (client.host ?? header(name)) : header(name)),
  };
}
