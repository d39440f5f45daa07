import * as pulumi from "@pulumi/pulumi";
import { AwsSite, type AwsSiteArgs } from "../../../src/aws/index.js";
import type { SiteFacts } from "../../../src/contracts/facts.js";
import type { Site, VpnEnd } from "../../../src/contracts/site.js";
import { Mesh, type MeshArgs } from "../../../src/mesh.js";
import type { Recording } from "../../support/recorder.js";
import { plant, recordAws, siteArgs } from "./awsFixture.js";

/** A resource that stands for something of a peer's. */
class Part extends pulumi.CustomResource {
    constructor(name: string, inputs: Readonly<Record<string, pulumi.Input<string>>>, opts: pulumi.CustomResourceOptions = {}) {
        super("test:index:Part", name, { ...inputs, address: undefined }, opts);
    }
}

/** What a site in another cloud is to its peers: a gateway that takes long, whose two addresses are there before it, and tunnels. */
export interface PeerShape {
    readonly platform: "gcp" | "azure" | "external";
    readonly siteNumber: number;
    /** @default 2 */
    readonly addresses?: 1 | 2;
    /** @default 64520 + siteNumber */
    readonly asn?: number;
    /** @default `10.<siteNumber>.0.0/16` */
    readonly ranges?: readonly string[];
}

/**
 * A peer of an AWS site that makes what can be told from the recording: `<name>-address-<i>`, `<name>-gateway`, and `<name>-tunnel-<key>`, which
 * names the address that it was told.
 */
export function peerSite(name: string, { platform, siteNumber, addresses = 2, asn, ranges }: PeerShape): Site {
    const broker = plant(name, siteNumber);
    const vpn = {
        asn: asn ?? 64_520 + siteNumber,
        ranges: ranges ?? [`10.${siteNumber}.0.0/16`],
        end: { name, siteNumber, platform, scope: `gateway of ${name}`, addresses },
    };
    const facts: SiteFacts = {
        ...broker.facts,
        platform,
        tiers: { ...broker.facts.tiers, vpn: { supported: true } },
        vpn,
    };
    let end: VpnEnd | undefined;
    const create = (): VpnEnd => {
        const reserved = Array.from({ length: addresses }, (_, index) => new Part(`${name}-address-${index}`, {}));
        const gateway = new Part(
            `${name}-gateway`,
            Object.fromEntries(reserved.map((one, index) => [`address${index}`, one.id])),
        );
        const own = reserved.map(({ id }) => id);
        return {
            tier: "vpn",
            door: { ...broker.publicEnd().door, server: pulumi.output(`10.${siteNumber}.0.252:8884`) },
            egress: [],
            admit: () => [],
            gateway: {
                facts: vpn,
                addresses: own,
                connect: ({ tunnels, outsideAddresses, presharedKeys }, opts) => ({
                    outsideAddresses: Object.fromEntries(
                        tunnels.map(({ key, ownInterface }) => [key, own[ownInterface] ?? pulumi.output("")]),
                    ),
                    lookAt: {},
                    ready: tunnels.map(
                        ({ key, inside }) =>
                            new Part(
                                `${name}-tunnel-${key}`,
                                {
                                    inside,
                                    peer: outsideAddresses[key] ?? "",
                                    key: presharedKeys[key] ?? "",
                                    gateway: gateway.id,
                                },
                                opts,
                            ),
                    ),
                }),
            },
        };
    };
    return {
        facts,
        cluster: broker.cluster,
        publicEnd: () => broker.publicEnd(),
        vpnEnd: () => {
            end ??= create();
            return end;
        },
        interconnectEnd: () => broker.interconnectEnd(),
    };
}

/** One AWS site and peers in tier vpn. */
export const vpnMesh = (
    peers: Readonly<Record<string, PeerShape>>,
    more: Partial<AwsSiteArgs> = {},
    mesh: Partial<MeshArgs> = {},
): Promise<Recording> =>
    recordAws(() => {
        const site = new AwsSite("aws", siteArgs(1, more));
        const others = Object.entries(peers).map(([name, shape]) => peerSite(name, shape));
        const fleet = new Mesh("fleet", { sites: [site, ...others], topics: ["fleet/#"], tier: "vpn", ...mesh });
        return { paths: fleet.paths, costs: site.monthlyCosts };
    });

export const gcp = { platform: "gcp", siteNumber: 2 } as const satisfies PeerShape;
export const azure = { platform: "azure", siteNumber: 3 } as const satisfies PeerShape;
/** Azure and GCP joined otherwise: what is between them is no matter of AWS. */
export const othersByNat = { pairs: { "azure-gcp": { tier: "nat" } } } as const satisfies Partial<MeshArgs>;
