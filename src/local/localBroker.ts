import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import type { LocalBrokerOutputs, LocalUser } from "./localBrokerProvider.js";
import type { BrokerNetwork } from "./network/networkBroker.js";
import type { LocalPorts } from "./ports.js";

/** Arguments of {@link LocalBroker}. {@link LocalSite} fills them. */
export interface LocalBrokerArgs {
    readonly siteName: string;
    readonly clusterName: string;
    /** Stable host name of the site's link door. */
    readonly linkHost: string;
    /** Folder of the site, relative to the Pulumi project or absolute. */
    readonly stateDir: string;
    /** Folder where the mesh's local sites publish their link doors, in place of a name server. */
    readonly namesDir: string;
    /** Address to listen on. */
    readonly bind: string;
    /** Wished ports; 0: any free one, kept for the site's life. */
    readonly ports: LocalPorts;
    /** EMQX version that the REST API reports. */
    readonly version: string;
    /** PEM certificates and keys of the doors. Secret. */
    readonly tls: pulumi.Input<{
        readonly ca: pulumi.Input<string>;
        readonly serverCert: pulumi.Input<string>;
        readonly serverKey: pulumi.Input<string>;
        readonly linkCert: pulumi.Input<string>;
        readonly linkKey: pulumi.Input<string>;
    }>;
    readonly apiKey: string;
    /** Secret. */
    readonly apiSecret: pulumi.Input<string>;
    /** Secret. */
    readonly users: pulumi.Input<readonly LocalUser[]>;
    /** Seconds for which peers keep the routes of a silent site; EMQX's are 30. */
    readonly routeLifeSeconds?: number | undefined;
    /** Where the broker runs at level `network`. @default on this machine's loopback */
    readonly network?: BrokerNetwork | undefined;
}

/**
 * The broker process of a local site: started by `up`, restarted by the next `up` after a crash, ended by `destroy`.
 * Its folder holds its configuration, its retained messages and sessions, and a bounded log.
 */
export class LocalBroker extends DynamicResource {
    /** PEM certificates and keys of the doors. Secret. */
    declare readonly tls: pulumi.Output<LocalBrokerOutputs["tls"]>;
    /** Secret. */
    declare readonly apiSecret: pulumi.Output<string>;
    /** Secret. */
    declare readonly users: pulumi.Output<readonly LocalUser[]>;
    /** The broker's process id; 0 when a refresh found it gone. */
    declare readonly pid: pulumi.Output<number>;
    /** When the process started, as opaque text that differs for every start. */
    declare readonly startTime: pulumi.Output<string>;
    /** The ports that it really has. */
    declare readonly boundPorts: pulumi.Output<LocalPorts>;
    /** Absolute path of the site's folder. */
    declare readonly folder: pulumi.Output<string>;
    /** Differs after the broker has lost what was stored in it. */
    declare readonly storeId: pulumi.Output<string>;

    constructor(name: string, args: LocalBrokerArgs, opts: pulumi.CustomResourceOptions) {
        super(
            "localBroker",
            name,
            { ...args, pid: undefined, startTime: undefined, boundPorts: undefined, folder: undefined, storeId: undefined },
            // Whatever the reason for a replacement, both would want the same folder and ports.
            { deleteBeforeReplace: true, ...opts },
        );
    }
}
