import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource.js";
import type { LineSpec, PathSpec, TunnelSpec, TunnelsSpec } from "./holder/desired.js";

/** Arguments of {@link LocalPath}. */
export interface LocalPathArgs extends Pick<PathSpec, "site" | "peer" | "peerNumber" | "tier" | "part"> {
    /** Folder of the mesh's local network. */
    readonly stateDir: string;
    /** Addresses and ranges whose connections the site's link door takes. */
    readonly admits: pulumi.Input<readonly string[]>;
    /** The site's half of the pair's tunnels. Always kept as a secret. */
    readonly tunnels?:
        | (Omit<TunnelsSpec, "tunnels"> & {
              readonly tunnels: pulumi.Input<readonly TunnelSpec[]>;
          })
        | undefined;
    /** The site's half of the pair's private line. */
    readonly line?: LineSpec | undefined;
    /** Wait until the pair's tunnels or private line carry routes. Set for what is made last. */
    readonly wait?: boolean | undefined;
}

/** What a local site's network does for one peer in one tier: an entry in its allow-list, its half of the tunnels or of a private line. */
export class LocalPath extends DynamicResource {
    /** What was set, as a short text that tells nothing of it. Known once it is set. */
    declare readonly digest: pulumi.Output<string>;

    constructor(name: string, args: LocalPathArgs, opts: pulumi.CustomResourceOptions) {
        const { tunnels, ...rest } = args;
        super(
            "localPath",
            name,
            { ...rest, ...(tunnels === undefined ? {} : { tunnels: pulumi.secret(tunnels) }), digest: undefined },
            { ...opts, additionalSecretOutputs: ["tunnels", ...(opts.additionalSecretOutputs ?? [])] },
        );
    }
}
