import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { type ApiInput, checkApiInput } from "../link/apiArgs.js";
import { plainParts } from "../link/plainParts.js";
import { asSecret } from "../link/secretInput.js";
import { checkNodeInputs, type NodeTimeouts } from "./nodeMembershipRules.js";

/** Arguments of {@link NodeDeparture}. */
export interface NodeDepartureArgs {
    /** REST API of the cluster, as a {@link NodeMembership} takes it. Always kept as a secret. */
    readonly api: ApiInput;
    /** `cluster.name` of the cluster. */
    readonly clusterName: string;
    /** `node.name` of the node. */
    readonly nodeName: string;
    /** Deadlines in seconds; `deleteSeconds` counts. */
    readonly timeouts?: NodeTimeouts | undefined;
}

/**
 * Takes a node out of its cluster for good when the site no longer has it. The node's machine depends on it (`dependsOn`), so that it
 * ends after the machine: a node that still runs would find its seeds and join again. Making it does nothing, and where the whole
 * cluster goes, so does ending it.
 */
export class NodeDeparture extends DynamicResource {
    constructor(name: string, args: NodeDepartureArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "nodeDeparture",
            name,
            { ...args, api: asSecret(args.api) },
            { ...opts, additionalSecretOutputs: ["api", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => {
            checkApiInput(args.api);
            checkNodeInputs(plainParts(args));
        });
    }
}
