import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { type ApiInput, checkApiInput } from "../link/apiArgs.js";
import { plainParts } from "../link/plainParts.js";
import { asSecret, refusePlainSecret } from "../link/secretInput.js";
import type { ApiTimeouts } from "../link/timeouts.js";
import { checkLicenseInputs } from "./clusterLicenseRules.js";

/** Arguments of {@link ClusterLicense}. */
export interface ClusterLicenseArgs {
    /** REST API of the cluster. Always kept as a secret. */
    readonly api: ApiInput;
    /** `cluster.name` of the cluster. Checked before the key is sent. */
    readonly clusterName: string;
    /** The licence key. Must be a Pulumi secret. */
    readonly key: pulumi.Output<string>;
    /** Deadlines in seconds. */
    readonly timeouts?: ApiTimeouts | undefined;
}

/**
 * The licence of a running cluster: a new key is loaded on all its nodes at once, without a restart. Brokers read the key by themselves
 * only when they start.
 *
 * `destroy` leaves the licence as it is: a cluster has always one.
 */
export class ClusterLicense extends DynamicResource {
    /** Kind as EMQX names it, such as `official` or `trial`. */
    declare readonly licenseType: pulumi.Output<string>;
    /** Sessions that it allows, where EMQX says so. */
    declare readonly maxSessions: pulumi.Output<number | undefined>;
    /** Such as `2029-03-01`, where EMQX says so. */
    declare readonly expiresAt: pulumi.Output<string | undefined>;

    constructor(name: string, args: ClusterLicenseArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "clusterLicense",
            name,
            {
                ...args,
                api: asSecret(args.api),
                key: asSecret(args.key),
                keyDigest: undefined,
                licenseType: undefined,
                maxSessions: undefined,
                expiresAt: undefined,
            },
            { ...opts, additionalSecretOutputs: ["api", "key", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => {
            checkApiInput(args.api);
            refusePlainSecret("key", args.key);
            checkLicenseInputs(plainParts(args));
        });
    }
}
