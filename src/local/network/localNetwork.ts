import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource.js";
import { InputError, quote } from "../../errors.js";

/** Arguments of {@link LocalNetwork}. Sites of level `network` make it. */
export interface LocalNetworkArgs {
    /** Folder of the network, relative to the Pulumi project or absolute. */
    readonly stateDir: string;
}

const networksOfStacks = new WeakMap<pulumi.Resource, Map<string, LocalNetwork>>();
const networksWithoutStack = new Map<string, LocalNetwork>();

/**
 * The network between the local sites of a mesh: a process that holds user, network, mount and pid namespaces of its own, in which routers,
 * VPN gateways and brokers are. Ended with all that is in it by `destroy`; started again by the next `up` after it was killed.
 */
export class LocalNetwork extends DynamicResource {
    /** The holding process; 0 when a refresh found it gone. */
    declare readonly pid: pulumi.Output<number>;
    declare readonly startTime: pulumi.Output<string>;
    readonly stateDir: string;

    constructor(name: string, args: LocalNetworkArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "localNetwork",
            name,
            { ...args, pid: undefined, startTime: undefined },
            // Both would want the same folder.
            { deleteBeforeReplace: true, ...opts },
        );
        this.stateDir = args.stateDir;
    }

    /**
     * The network of a mesh in this program: made on first use, then the same for all its sites.
     *
     * @throws InputError where two sites of the mesh keep their files in different places
     */
    static of(meshId: string, stateRoot: string): LocalNetwork {
        const known = networksOf(pulumi.runtime.getStackResource());
        const stateDir = join(stateRoot, meshId, ".network");
        const found = known.get(meshId);
        if (found !== undefined && found.stateDir !== stateDir) {
            throw new InputError(
                "stateRoot",
                `${quote(stateRoot)} differs from that of another site of mesh ${quote(meshId)}; sites of level network share one network, so set the same`,
            );
        }
        const network = found ?? new LocalNetwork(`${meshId}-network`, { stateDir });
        known.set(meshId, network);
        return network;
    }
}

function networksOf(stack: pulumi.Resource | undefined): Map<string, LocalNetwork> {
    if (stack === undefined) {
        return networksWithoutStack;
    }
    const known = networksOfStacks.get(stack) ?? new Map<string, LocalNetwork>();
    networksOfStacks.set(stack, known);
    return known;
}
