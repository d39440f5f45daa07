import * as compute from "@pulumi/gcp/compute/index.js";
import * as pulumi from "@pulumi/pulumi";
import { InputError, quote } from "../errors.js";
import { failOn } from "../input.js";
import type { GcpNetworkArgs } from "./args.js";
import { type GcpScope, place } from "./scope.js";

/** A site's network. */
export interface GcpNetwork {
    /** Self link of the VPC network. */
    readonly selfLink: pulumi.Output<string>;
    /** Self link of the brokers' subnetwork. */
    readonly subnetwork: pulumi.Output<string>;
    /** Range of the brokers' subnetwork. */
    readonly brokerRange: string;
    /** What was made of it: the subnetwork, which everything in the network waits for. */
    readonly ready: readonly pulumi.Resource[];
}

/** The site's network: its own, or the user's. Custom mode: an auto mode network takes 10.128.0.0/9 and meets other sites there. */
export function createNetwork(scope: GcpScope, existing: GcpNetworkArgs | undefined): GcpNetwork {
    const [brokerRange = ""] = scope.plan.brokerRanges;
    return existing === undefined ? ownNetwork(scope, brokerRange) : existingNetwork(scope, existing, brokerRange);
}

function ownNetwork(scope: GcpScope, brokerRange: string): GcpNetwork {
    const { parent, region, plan } = scope;
    const whole = place(scope, "network");
    const network = new compute.Network(
        whole.name,
        {
            ...whole.at,
            autoCreateSubnetworks: false,
            routingMode: "GLOBAL",
            description: `Linkspan site ${plan.name} of mesh ${plan.meshId}`,
        },
        { parent },
    );
    const brokers = place(scope, "brokers");
    const subnetwork = new compute.Subnetwork(
        brokers.name,
        {
            ...brokers.at,
            region,
            network: network.selfLink,
            ipCidrRange: brokerRange,
            stackType: "IPV4_ONLY",
            // Secret Manager is reached without a public address, even while the NAT is not there yet.
            privateIpGoogleAccess: true,
            logConfig: { aggregationInterval: "INTERVAL_10_MIN", flowSampling: 0.5, metadata: "INCLUDE_ALL_METADATA" },
        },
        { parent },
    );
    return { selfLink: network.selfLink, subnetwork: subnetwork.selfLink, brokerRange, ready: [subnetwork] };
}

/** The user's network. What GCP says of the subnetwork gates everything in it, so that preview already refuses a wrong one. */
function existingNetwork({ parent, region }: GcpScope, existing: GcpNetworkArgs, brokerRange: string): GcpNetwork {
    const network = pulumi.output(existing.network);
    const found = compute.getSubnetworkOutput({ selfLink: existing.subnetwork }, { parent });
    const checked = pulumi
        .all([network, found.selfLink, found.ipCidrRange, found.region, found.network, found.privateIpGoogleAccess])
        .apply(([wanted, selfLink, range, itsRegion, itsNetwork, googleAccess]) =>
            failOn(parent, () => {
                if (lastPart(itsRegion) !== region) {
                    throw new InputError("network.subnetwork", `${quote(selfLink)} is in ${itsRegion}, the site in ${region}`);
                }
                if (lastPart(itsNetwork) !== lastPart(wanted)) {
                    throw new InputError("network.subnetwork", `${quote(selfLink)} is not in network ${quote(wanted)}`);
                }
                if (range !== brokerRange) {
                    throw new InputError(
                        "network.cidr",
                        `${quote(brokerRange)} is not the range of the subnetwork; set ${quote(range)}`,
                    );
                }
                if (!googleAccess) {
                    throw new InputError(
                        "network.subnetwork",
                        `${quote(selfLink)} has no private Google access, through which brokers fetch their secrets; switch it on`,
                    );
                }
                return { network: wanted, subnetwork: selfLink };
            }),
        );
    return { selfLink: checked.network, subnetwork: checked.subnetwork, brokerRange, ready: [] };
}

function lastPart(link: string): string {
    return link.split("/").at(-1) ?? "";
}
