import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { type ApiInput, checkApiInput } from "./apiArgs.js";
import { type AccessOutputs, checkAccessInputs } from "./linkAccessRules.js";
import { plainParts } from "./plainParts.js";
import { refusePlainSecret } from "./secretInput.js";
import type { ApiTimeouts } from "./timeouts.js";

/** Arguments of {@link LinkAccess}. */
export interface LinkAccessArgs {
    /** REST API of the cluster that lets the peer in. Always kept as a secret. */
    readonly api: ApiInput;
    /** `cluster.name` of that cluster. Checked before anything is changed. Another name replaces the access. */
    readonly localCluster: pulumi.Input<string>;
    /** `cluster.name` of the peer whose links log in. Another name replaces the access. */
    readonly peer: pulumi.Input<string>;
    /**
     * User name of the peer's links. Another name replaces the access.
     * @default `link-<peer>`
     */
    readonly username?: pulumi.Input<string | undefined>;
    /** Must be a Pulumi secret. */
    readonly password: pulumi.Output<string>;
    /**
     * Make the built-in database a source of users and of rules where the cluster has none. On a cluster that asks for no password so
     * far, this locks out every device that has no user: leave it off unless the cluster is new.
     * @default false
     */
    readonly manageSources?: boolean | undefined;
    /** Accept loopback addresses: for brokers on one machine. @default false */
    readonly allowLoopback?: boolean | undefined;
    /** Anything that differs after the cluster has lost what was stored in it: the user is then made again. @default nothing is known of that */
    readonly storeId?: pulumi.Input<string | undefined>;
    /** Deadlines in seconds. */
    readonly timeouts?: ApiTimeouts | undefined;
}

/**
 * Lets a peer's links log in: a user in the cluster's built-in database and rules that let it do what links need and nothing else.
 * A user of this name that exists is taken over. A new password is set in place.
 */
export class LinkAccess extends DynamicResource {
    declare protected readonly args: pulumi.Output<AccessOutputs>;
    declare protected readonly made: pulumi.Output<AccessOutputs>;

    constructor(name: string, args: LinkAccessArgs, opts: pulumi.CustomResourceOptions = {}) {
        super("linkAccess", name, { ...args }, opts);
        failOn(this, () => {
            checkApiInput(args.api);
            refusePlainSecret("password", args.password);
            checkAccessInputs(plainParts(args));
        });
    }

    /** `cluster.name` of the cluster that lets the peer in. */
    get localCluster(): pulumi.Output<string> {
        return this.args.localCluster;
    }

    /** `cluster.name` of the peer. */
    get peer(): pulumi.Output<string> {
        return this.args.peer;
    }

    /** User name that the peer's links present. */
    get login(): pulumi.Output<string> {
        return this.made.login;
    }
}
