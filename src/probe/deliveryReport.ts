import type { MqttEndpoint } from "../emqx/endpoint.js";
import type { ArrivalTotals } from "./arrivalCount.js";
import type { ProbeTopic } from "./probeTopic.js";

/** One of the two clusters, as a device of it. */
export interface ProbeSide {
    readonly site: string;
    readonly clusterName: string;
    readonly mqtt: MqttEndpoint;
    /** @default "linkspan_probe_" */
    readonly clientIdPrefix?: string | undefined;
}

/** What must get through: from one site to the other, under these filters of the receiver's link. */
export interface ProbeDirection {
    readonly from: string;
    readonly to: string;
    readonly topics: readonly string[];
}

/** Where a run is. Sent at most about once a second. */
export type DeliveryProgress =
    | { readonly stage: "connecting" }
    | { readonly stage: "waiting"; readonly directions: readonly { readonly from: string; readonly to: string }[] }
    | {
          readonly stage: "counting";
          readonly directions: readonly {
              readonly from: string;
              readonly to: string;
              readonly delivered: number;
              readonly count: number;
          }[];
      };

/** What was measured in one direction. Figures that nothing was measured for are absent. */
export interface DirectionReport extends ArrivalTotals {
    readonly from: string;
    readonly to: string;
    /** Numbered messages published. */
    readonly sent: number;
    /** Of these, acknowledged by the publisher's own broker. With QoS 0: handed to the connection. */
    readonly acknowledged: number;
    readonly lost: number;
    /** Numbers of lost messages as ranges, the first few. */
    readonly lostNumbers: readonly string[];
    /** From the first publish until anything arrived, milliseconds. */
    readonly firstArrivalMs?: number;
    /** Messages per second that were really published. */
    readonly rate?: number;
    readonly topics: readonly ProbeTopic[];
    /** Linked filters under which nothing arrived at all. */
    readonly silentFilters: readonly string[];
    /**
     * Where nothing arrived: whether the publisher's own broker delivers the topic to the publisher itself. `false` means that the
     * message does not even get into the first broker.
     */
    readonly ownEcho?: boolean;
}

/** What a run found. */
export interface DeliveryReport {
    readonly runId: string;
    /** ISO 8601, UTC. */
    readonly startedAt: string;
    readonly endedAt: string;
    /** In the order of the arguments. */
    readonly directions: readonly DirectionReport[];
}
