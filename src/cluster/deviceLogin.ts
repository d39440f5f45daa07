import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { type ApiInput, checkApiInput } from "../link/apiArgs.js";
import { plainParts } from "../link/plainParts.js";
import { asSecret, refusePlainSecret } from "../link/secretInput.js";
import type { ApiTimeouts } from "../link/timeouts.js";
import { checkDeviceUserInputs } from "./deviceLoginRules.js";

/** Arguments of {@link DeviceLogin}. */
export interface DeviceLoginArgs {
    /** REST API of the cluster. Always kept as a secret. */
    readonly api: ApiInput;
    /** `cluster.name` of the cluster. Checked before anything is changed. Another name replaces the user. */
    readonly clusterName: string;
    /** Another name replaces the user. */
    readonly username: string;
    /** Must be a Pulumi secret. */
    readonly password: pulumi.Output<string>;
    /** Deadlines in seconds. */
    readonly timeouts?: ApiTimeouts | undefined;
}

/**
 * A device's user in the built-in database of a running cluster. A user of this name that exists is taken over. A new password is set in
 * place; clients that are connected stay so. `destroy` does not wait for a cluster that is gone.
 */
export class DeviceLogin extends DynamicResource {
    declare readonly username: pulumi.Output<string>;

    constructor(name: string, args: DeviceLoginArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "deviceUser",
            name,
            { ...args, api: asSecret(args.api), password: asSecret(args.password) },
            { ...opts, additionalSecretOutputs: ["api", "password", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => {
            checkApiInput(args.api);
            refusePlainSecret("password", args.password);
            checkDeviceUserInputs(plainParts(args));
        });
    }
}
