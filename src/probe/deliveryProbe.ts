import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import type { ApiEndpoint, MqttEndpoint } from "../emqx/endpoint.js";
import { failOn } from "../input.js";
import type { DeliveryResult } from "./deliveryResult.js";
import type { ProbeOutputs } from "./probeProvider.js";
import { checkProbeSettings } from "./probeSettings.js";

export type { DeliveryResult, DeliveryStatus } from "./deliveryResult.js";

/** One of the two clusters of a {@link DeliveryProbe}. */
export interface ProbeSideArgs {
    /** Name of the site, as results name it. */
    readonly site: pulumi.Input<string>;
    /** `cluster.name` of the site's EMQX cluster. */
    readonly clusterName: pulumi.Input<string>;
    /** Where and as whom the probe connects: an ordinary device of this site. Always kept as a secret. */
    readonly mqtt: pulumi.Input<MqttEndpoint>;
    /** The cluster's REST API: read to see whether every node has its link, and to name the cause when messages are lost. Always kept as a secret. */
    readonly api?: pulumi.Input<ApiEndpoint>;
    /**
     * Beginning of the probe's MQTT client ids here, for brokers whose rules look at client ids.
     * @default "linkspan_probe_"
     */
    readonly clientIdPrefix?: pulumi.Input<string>;
}

/** What must get through. */
export interface ProbeDirectionArgs {
    /** Site that publishes. */
    readonly from: pulumi.Input<string>;
    /** Site that receives over its link. */
    readonly to: pulumi.Input<string>;
    /** The topic filters of the receiver's link. One test topic is used under each of them. */
    readonly topics: pulumi.Input<readonly pulumi.Input<string>[]>;
}

/** {@link ProbeSideArgs}, all known. */
export interface ProbeSide {
    readonly site: string;
    readonly clusterName: string;
    readonly mqtt: MqttEndpoint;
    readonly api?: ApiEndpoint;
    readonly clientIdPrefix?: string;
}

/** Arguments of a {@link DeliveryProbe}. */
export interface DeliveryProbeArgs {
    /** Key of the pair, `a-b`. Changing it replaces the resource. */
    readonly pair: pulumi.Input<string>;
    readonly a: ProbeSideArgs | pulumi.Output<ProbeSide>;
    readonly b: ProbeSideArgs | pulumi.Output<ProbeSide>;
    /** The directions to prove: one or both. */
    readonly directions: readonly ProbeDirectionArgs[];
    /**
     * Numbered messages per direction, 1 to 1,000,000.
     * @default 100
     */
    readonly count?: pulumi.Input<number>;
    /**
     * Messages per second and direction, 1 to 5,000: above that one machine measures itself.
     * @default 200
     */
    readonly rate?: pulumi.Input<number>;
    /**
     * MQTT quality of service of the messages: 0, 1 or 2.
     * @default 1
     */
    readonly qos?: pulumi.Input<number>;
    /**
     * Size of a message in bytes, up to 1,000,000. A message is never shorter than its own header of about 80 bytes.
     * @default 256
     */
    readonly payloadBytes?: pulumi.Input<number>;
    /**
     * Seconds until the first message must have arrived, and again for the rest to arrive after the last was published; 1 to 3,600.
     * A new link may need 15.
     * @default 60
     */
    readonly timeoutSeconds?: pulumi.Input<number>;
    /**
     * Messages per direction that may be lost without failing the `up`. They are reported all the same.
     * @default 0
     */
    readonly maxLoss?: pulumi.Input<number>;
    /**
     * `change`: prove when something that it proves has changed. `always`: in every `up`, so that every `up` shows a change.
     * @default "change"
     */
    readonly prove?: pulumi.Input<"change" | "always">;
    /**
     * `required`: fail when this machine cannot reach a door at all. `optional`: the result is then `unproven` with the reason.
     * @default "required"
     */
    readonly reach?: pulumi.Input<"required" | "optional">;
    /** Anything that asks for a new proof when it changes, such as the links' settings or the tier. Not secret: put no secret in. */
    readonly proves?: pulumi.Input<Record<string, unknown>>;
}

/** How a proof is done, wherever it can be set for many pairs at once. See {@link DeliveryProbeArgs}. */
export type ProofSettings = Pick<
    DeliveryProbeArgs,
    "count" | "rate" | "qos" | "payloadBytes" | "timeoutSeconds" | "maxLoss" | "prove" | "reach"
>;

/**
 * A delivery proof: publishes numbered messages on each side of a pair, counts them on the other, and fails the `up` when any is lost, or
 * when a node of a cluster of several has no connection to the other cluster 30 s later.
 *
 * The messages go through the clusters' own doors and links, on topics made for the run under each linked filter; a filter without a
 * wildcard is proven on that very topic, where your subscribers see the messages too. Nothing is retained and no session is left.
 */
export class DeliveryProbe extends DynamicResource {
    declare protected readonly args: pulumi.Output<ProbeOutputs>;
    declare protected readonly made: pulumi.Output<ProbeOutputs>;

    constructor(name: string, args: DeliveryProbeArgs, opts: pulumi.CustomResourceOptions = {}) {
        super("deliveryProbe", name, { ...args }, opts);
        failOn(this, () => checkProbeSettings(args));
    }

    /** What was measured, one entry per direction in the order of `directions`. */
    get results(): pulumi.Output<DeliveryResult[]> {
        return this.made.apply(({ results }) => [...results]);
    }

    /** Key of the pair. */
    get pair(): pulumi.Output<string> {
        return this.args.pair;
    }
}
