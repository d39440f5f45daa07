import type * as pulumi from "@pulumi/pulumi";
import { hasUnknown } from "../dynamic/provider.js";
import type { ApiEndpoint } from "../emqx/endpoint.js";
import { checkWay } from "../emqx/proxy.js";
import { refusePlainSecret } from "./secretInput.js";

/** How a resource reaches a cluster's REST API: a whole {@link ApiEndpoint} as an output, or its parts. */
export type ApiInput =
    | pulumi.Output<ApiEndpoint>
    | {
          /** `https://host:port`, without path, query or user; `http` only for loopback with `allowLoopback`. */
          readonly url: pulumi.Input<string>;
          /** API key with the role administrator. */
          readonly key: pulumi.Input<string>;
          /** The key's secret. Must be a Pulumi secret. */
          readonly secret: pulumi.Output<string>;
          /** PEM of the authority of the API's certificate. @default the public authorities */
          readonly ca?: pulumi.Input<string | undefined>;
          /** Name in the API's certificate, where it is not the host of `url`. */
          readonly serverName?: pulumi.Input<string | undefined>;
          /** Dial here instead, for example the end of an SSH tunnel; the TLS name stays that of `url`. */
          readonly connect?: pulumi.Input<{ readonly host: string; readonly port: number } | undefined>;
          /**
           * Proxy to dial through, `socks5://host:port` or `http://host:port` (CONNECT), with `user:password@` where it asks for a
           * login. It resolves the host's name; TLS goes through it unopened. Not with `connect`.
           */
          readonly proxy?: pulumi.Input<string | undefined>;
      };

/** Refuses an API secret that is given as plain text. */
export function checkApiInput(api: ApiInput): void {
    refusePlainSecret("api.secret", api, "secret");
}

/**
 * Checks how an API is reached, as far as it is known.
 *
 * @throws InputError naming the argument
 */
export function checkApiWay(api: Partial<ApiEndpoint> | undefined): void {
    const { connect, proxy } = api ?? {};
    if (!hasUnknown([connect, proxy])) {
        checkWay({ connect, proxy }, "api.");
    }
}
