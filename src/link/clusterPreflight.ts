import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { type ApiInput, checkApiInput } from "./apiArgs.js";
import { plainParts } from "./plainParts.js";
import { checkPreflightInputs } from "./preflightRules.js";
import { asSecret } from "./secretInput.js";
import type { ApiTimeouts } from "./timeouts.js";

/** Arguments of {@link ClusterPreflight}. */
export interface ClusterPreflightArgs {
    /** REST API of the cluster. Always kept as a secret. */
    readonly api: ApiInput;
    /** What `cluster.name` must be. */
    readonly expectedClusterName: pulumi.Input<string>;
    /** Whether links will use TLS: some versions cannot. @default true */
    readonly tls?: pulumi.Input<boolean | undefined>;
    /** Accept loopback addresses: for brokers on one machine. @default false */
    readonly allowLoopback?: boolean | undefined;
    /** Deadlines in seconds. */
    readonly timeouts?: ApiTimeouts | undefined;
}

/**
 * Reads version, licence and name of a cluster that exists, and refuses with the reason when it cannot be linked. Everything that
 * changes something depends on it, so that nothing is made on a cluster that would refuse it.
 */
export class ClusterPreflight extends DynamicResource {
    /** EMQX's version, such as `5.10.3`. */
    declare readonly version: pulumi.Output<string>;
    /** Kind of licence as EMQX names it, such as `community` or `official`. */
    declare readonly licenseType: pulumi.Output<string>;
    /** Number of running broker nodes. */
    declare readonly nodes: pulumi.Output<number>;

    constructor(name: string, args: ClusterPreflightArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "clusterPreflight",
            name,
            { ...args, api: asSecret(args.api), version: undefined, licenseType: undefined, nodes: undefined },
            { ...opts, additionalSecretOutputs: ["api", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => {
            checkApiInput(args.api);
            checkPreflightInputs(plainParts(args));
        });
    }
}
