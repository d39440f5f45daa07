import type * as pulumi from "@pulumi/pulumi";
import { hasUnknown } from "../dynamic/provider.js";
import { DynamicResource } from "../dynamic/resource.js";
import type { LinkTlsInput } from "../emqx/linkSpec.js";
import { failOn } from "../input.js";
import type { Tier } from "../naming.js";
import { type ApiInput, checkApiInput } from "./apiArgs.js";
import { checkPath, type PathTimeouts } from "./linkPathRules.js";
import { plainParts } from "./plainParts.js";
import { asSecret } from "./secretInput.js";

/** Arguments of {@link LinkPath}. */
export interface LinkPathArgs {
    /** REST API of the cluster whose brokers use the path. Always kept as a secret. */
    readonly api: ApiInput;
    /** `cluster.name` of that cluster. */
    readonly localCluster: pulumi.Input<string>;
    /** `cluster.name` of the cluster that its brokers connect to. */
    readonly remoteCluster: pulumi.Input<string>;
    /** IPv4 address or host name of the remote's link door on this path. */
    readonly host: pulumi.Input<string>;
    readonly port: pulumi.Input<number>;
    readonly tier: Tier;
    /** TLS as the link will use it. Always kept as a secret. */
    readonly tls?: pulumi.Output<LinkTlsInput> | undefined;
    readonly username?: pulumi.Input<string | undefined>;
    /** Always kept as a secret. */
    readonly password?: pulumi.Output<string> | undefined;
    readonly timeouts?: PathTimeouts | undefined;
}

/**
 * A network path from one cluster's brokers to another's link door, tried by the brokers themselves before anything is led over it: a link
 * whose packets are dropped on the way looks to its broker like one that is about to connect, for ever.
 *
 * The stable name of the remote's door takes its address from {@link LinkPath.reached}, so that a path that does not work is never used and
 * the one in use stays.
 */
export class LinkPath extends DynamicResource {
    /** The host, once the path was tried and works. */
    declare readonly reached: pulumi.Output<string>;
    /** `checked`, or `unchecked` where the brokers' release cannot try a connection. */
    declare readonly verdict: pulumi.Output<string>;

    constructor(name: string, args: LinkPathArgs, opts: pulumi.CustomResourceOptions = {}) {
        const { api, tls, password, ...rest } = args;
        super(
            "linkPath",
            name,
            {
                ...rest,
                api: asSecret(api),
                ...(tls === undefined ? {} : { tls: asSecret(tls) }),
                ...(password === undefined ? {} : { password: asSecret(password) }),
                reached: undefined,
                verdict: undefined,
            },
            { ...opts, additionalSecretOutputs: ["api", "tls", "password", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => {
            checkApiInput(api);
            checkPath(plainParts(args), (value) => !hasUnknown(value));
        });
    }
}
