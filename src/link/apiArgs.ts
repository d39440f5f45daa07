import type * as pulumi from "@pulumi/pulumi";
import type { ApiEndpoint } from "../emqx/endpoint.js";
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
      };

/** Refuses an API secret that is given as plain text. */
export function checkApiInput(api: ApiInput): void {
    refusePlainSecret("api.secret", api, "secret");
}
