import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import type { LinkTlsInput } from "../emqx/linkSpec.js";
import { failOn } from "../input.js";
import { type ApiInput, checkApiInput } from "./apiArgs.js";
import { checkLinkInputs, type LinkOutputs } from "./linkInputs.js";
import { plainParts } from "./plainParts.js";
import { refusePlainSecret } from "./secretInput.js";
import type { ApiTimeouts } from "./timeouts.js";

/** TLS of a link towards the door of its remote cluster. */
export interface ClusterLinkTlsArgs {
    readonly enable: pulumi.Input<boolean>;
    /** PEM of the authority of the door's certificate. @default the broker's own trust store */
    readonly ca?: pulumi.Input<string | undefined>;
    /** PEM of the link's client certificate, where the door asks for one. */
    readonly cert?: pulumi.Input<string | undefined>;
    /** PEM of its private key. Must be a Pulumi secret. */
    readonly key?: pulumi.Output<string> | undefined;
    /** `verify_none` is for private test networks only. @default "verify_peer" */
    readonly verify?: pulumi.Input<"verify_peer" | "verify_none" | undefined>;
    /** Name in the door's certificate, sent as SNI. @default the host of `server` */
    readonly serverName?: pulumi.Input<string | undefined>;
}

/** Arguments of {@link ClusterLink}. */
export interface ClusterLinkArgs {
    /** REST API of the cluster that the link is made on, the one that receives. Always kept as a secret. */
    readonly api: ApiInput;
    /** `cluster.name` of that cluster. Checked before anything is changed. Another name replaces the link. */
    readonly localCluster: pulumi.Input<string>;
    /** The link's name: exactly the remote's `cluster.name`. Another name replaces the link. */
    readonly name: pulumi.Input<string>;
    /** `host:port` of the remote's listener for links, one address without a scheme. */
    readonly server: pulumi.Input<string>;
    /**
     * Beginning of the MQTT client ids of the link's connections on the remote. It ends in a separator and belongs to this cluster alone.
     * @default `<localCluster>-`
     */
    readonly clientIdPrefix?: pulumi.Input<string | undefined>;
    /** User at the remote. @default none */
    readonly username?: pulumi.Input<string | undefined>;
    /** Its password. Must be a Pulumi secret. */
    readonly password?: pulumi.Output<string> | undefined;
    /** MQTT topic filters of the messages that this cluster wants from the remote. `[]`: none, for a pair that is linked one way. */
    readonly topics: pulumi.Input<readonly pulumi.Input<string>[]>;
    /** @default true */
    readonly enable?: pulumi.Input<boolean | undefined>;
    /** @default no TLS */
    readonly tls?: ClusterLinkTlsArgs | pulumi.Output<LinkTlsInput> | undefined;
    /** Connections per broker node, 1 to 64. @default 4 */
    readonly poolSize?: pulumi.Input<number | undefined>;
    /** Wait before a lost message is sent again, such as "1s" or "500ms". @default "1s" */
    readonly retryInterval?: pulumi.Input<string | undefined>;
    /** Messages that may be unacknowledged per connection. @default 100 */
    readonly maxInflight?: pulumi.Input<number | undefined>;
    /**
     * Longest outage in seconds that is bridged from memory without loss, 1 to 30. The link's buffer, message life and health check
     * follow from it.
     * @default 20
     */
    readonly maxOutageSeconds?: pulumi.Input<number | undefined>;
    /** Take over a link of this name that carries another client id, whoever made it. @default false */
    readonly adopt?: boolean | undefined;
    /** Accept loopback addresses: for brokers on one machine. @default false */
    readonly allowLoopback?: boolean | undefined;
    /** Anything that differs after the cluster has lost what was stored in it: the link is then made again. @default nothing is known of that */
    readonly storeId?: pulumi.Input<string | undefined>;
    /** Deadlines in seconds. */
    readonly timeouts?: ApiTimeouts | undefined;
}

/**
 * A cluster link of EMQX: makes one cluster receive the messages of another one for its topic filters. Messages flow only when the
 * other cluster has a link back (its `topics` may be empty).
 *
 * A link of this name with the same client-id prefix is taken over; a stranger's only with `adopt`. Changes are made in place. `destroy`
 * does not wait for a cluster that is gone.
 *
 * @example
 * new ClusterLink("plant-to-hq", { api, localCluster: "hq", name: "plant", server: "plant.example.com:8884", topics: ["plant/#"] });
 */
export class ClusterLink extends DynamicResource {
    declare protected readonly args: pulumi.Output<LinkOutputs>;
    declare protected readonly made: pulumi.Output<LinkOutputs>;

    constructor(name: string, args: ClusterLinkArgs, opts: pulumi.CustomResourceOptions = {}) {
        const { api, password, tls } = args;
        super("clusterLink", name, { ...args }, opts);
        failOn(this, () => {
            checkApiInput(api);
            refusePlainSecret("password", password);
            refusePlainSecret("tls.key", tls, "key");
            checkLinkInputs(plainParts(args));
        });
    }

    /** `cluster.name` of the cluster that has the link. */
    get localCluster(): pulumi.Output<string> {
        return this.args.localCluster;
    }

    /** The remote's `cluster.name`. */
    get name(): pulumi.Output<string> {
        return this.args.name;
    }

    /** `host:port` that the link connects to. */
    get server(): pulumi.Output<string> {
        return this.args.server;
    }

    /** What this cluster receives. */
    get topics(): pulumi.Output<readonly string[]> {
        return this.args.apply(({ topics }) => topics);
    }

    /**
     * What the broker said of the link when it was last changed: `connected`, `connecting`, `disconnected` or `inconsistent`. It speaks
     * of the connections only; whether messages arrive is what a {@link DeliveryProbe} proves.
     */
    get status(): pulumi.Output<string> {
        return this.made.status;
    }

    /** When the link was last changed from here, ISO 8601: a proof from before that says nothing about it. */
    get changedAt(): pulumi.Output<string> {
        return this.made.changedAt;
    }
}
