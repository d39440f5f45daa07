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
    const found = compute.getSubnetworkOutput({ selfLink: existing.subnetwork }, { parent });
    const checked = pulumi.all([existing.network, found]).apply(([network, subnetwork]) =>
        failOn(parent, () => {
            checkSubnetwork(subnetwork, { network, region, cidr: brokerRange });
            return { network, subnetwork: subnetwork.selfLink };
        }),
    );
    return { selfLink: checked.network, subnetwork: checked.subnetwork, brokerRange, ready: [] };
}

/** What GCP says of a subnetwork. */
export interface FoundSubnetwork {
    readonly selfLink: string;
    readonly ipCidrRange: string;
    readonly region: string;
    readonly network: string;
    readonly privateIpGoogleAccess: boolean;
}

/**
 * Checks a subnetwork of the user's against what was said of it.
 *
 * @throws InputError naming the argument
 */
export function checkSubnetwork(
    found: FoundSubnetwork,
    said: { readonly network: string; readonly region: string; readonly cidr: string },
): void {
    if (lastPart(found.region) !== said.region) {
        throw new InputError(
            "network.subnetwork",
            `${quote(found.selfLink)} is in ${lastPart(found.region)}, the site in ${said.region}`,
        );
    }
    if (lastPart(found.network) !== lastPart(said.network)) {
        throw new InputError("network.subnetwork", `${quote(found.selfLink)} is not in network ${quote(said.network)}`);
    }
    if (found.ipCidrRange !== said.cidr) {
        throw new InputError(
            "network.cidr",
            `${quote(said.cidr)} is not the range of the subnetwork; set ${quote(found.ipCidrRange)}`,
        );
    }
    if (!found.privateIpGoogleAccess) {
        throw new InputError(
            "network.subnetwork",
            `${quote(found.selfLink)} has no private Google access, by which brokers fetch their secrets; switch it on`,
        );
    }
}

function lastPart(link: string): string {
    return link.split("/").at(-1) ?? "";
}
