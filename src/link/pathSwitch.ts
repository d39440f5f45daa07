import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { type ApiInput, checkApiInput } from "./apiArgs.js";
import { asSecret } from "./secretInput.js";
import type { ApiTimeouts } from "./timeouts.js";

/** Arguments of {@link PathSwitch}. */
export interface PathSwitchArgs {
    /** REST API of the cluster that the connections lead to. Always kept as a secret. */
    readonly api: ApiInput;
    /** `cluster.name` of that cluster. */
    readonly remoteCluster: pulumi.Input<string>;
    /** Beginning of the MQTT client ids of the links whose connections move. */
    readonly clientIdPrefix: pulumi.Input<string>;
    /** Where the stable name leads, such as an address: another text moves the connections. */
    readonly path: pulumi.Input<string>;
    /** IPv4 addresses and ranges that the connections come from on this path. Empty: not known, nothing is verified. */
    readonly sources: pulumi.Input<readonly pulumi.Input<string>[]>;
    /** Seconds for which an old answer of a name server may still be in use. @default 10, twice the life of Linkspan's records */
    readonly nameSeconds?: number | undefined;
    readonly timeouts?: ApiTimeouts | undefined;
}

/**
 * Moves a link's connections to the path that its peer's stable name leads to now. A link looks its peer's name up only when a connection
 * is made, so after a change of the name the remote ends its message connections one by one; each comes back by the new path, and the
 * link's queue holds what is sent meanwhile. The connection that carries routes is left alone.
 */
export class PathSwitch extends DynamicResource {
    /** When connections were last moved, ISO 8601; `never` before that. */
    declare readonly movedAt: pulumi.Output<string>;
    /** How many connections were moved then. */
    declare readonly moved: pulumi.Output<number>;

    constructor(name: string, args: PathSwitchArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "pathSwitch",
            name,
            { ...args, nameSeconds: args.nameSeconds ?? 10, api: asSecret(args.api), movedAt: undefined, moved: undefined },
            { ...opts, additionalSecretOutputs: ["api", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => checkApiInput(args.api));
    }
}
