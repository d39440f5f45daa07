import { createHmac } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** A password for one peer, derived from the site's secret: no peer learns what the site presents to another. */
export function linkPassword(seed: pulumi.Input<string>, peerCluster: string): pulumi.Output<string> {
    return pulumi.secret(
        pulumi.output(seed).apply((key) => createHmac("sha256", key).update(`link/${peerCluster}`).digest("base64url")),
    );
}
