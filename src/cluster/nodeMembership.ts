import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { type ApiInput, checkApiInput } from "../link/apiArgs.js";
import { plainParts } from "../link/plainParts.js";
import { asSecret } from "../link/secretInput.js";
import { checkNodeInputs, type NodeTimeouts } from "./nodeMembershipRules.js";

/** Arguments of {@link NodeMembership}. */
export interface NodeMembershipArgs {
    /** REST API of the cluster, through a door that any of its nodes answers. Always kept as a secret. */
    readonly api: ApiInput;
    /** What `cluster.name` must be. */
    readonly clusterName: string;
    /** `node.name` of the node, such as `emqx@10.1.0.4`. */
    readonly nodeName: string;
    /** Names of all nodes of the cluster by its plan, this one too, in the order in which they are made. */
    readonly members: readonly string[];
    /**
     * What differs after the node's machine was replaced or set up anew: its id or serial of creation, size, image, hash of the boot
     * data. A change, also one that is not known yet, drains the node before its machine goes and waits for it afterwards.
     */
    readonly gate: Readonly<Record<string, pulumi.Input<string>>>;
    /** EMQX release that the node must run. @default any */
    readonly version?: pulumi.Input<string> | undefined;
    /** Deadlines in seconds. */
    readonly timeouts?: NodeTimeouts | undefined;
}

/**
 * A node's place in its cluster. It is made when the node runs in the cluster together with all that ran there before, and it ends
 * before the node's machine does, by draining the node. The next machine depends on it, so that nodes change one at a time.
 *
 * The machine must come into `gate` by its outputs: the engine ends only what depends on the machine by an input before the machine.
 */
export class NodeMembership extends DynamicResource {
    /** When the node was seen in the cluster, ISO 8601. Another one after its machine was replaced. */
    declare readonly joinedAt: pulumi.Output<string>;

    constructor(name: string, args: NodeMembershipArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "nodeMembership",
            name,
            { ...args, api: asSecret(args.api), joinedAt: undefined },
            { ...opts, additionalSecretOutputs: ["api", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => {
            checkApiInput(args.api);
            checkNodeInputs(plainParts(args));
        });
    }
}
