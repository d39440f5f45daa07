import * as pulumi from "@pulumi/pulumi";
import type { SiteFacts } from "../../../src/contracts/facts.js";
import type { Site, VpnEnd } from "../../../src/contracts/site.js";
import type { VpnGateway } from "../../../src/contracts/vpn.js";
import { ExternalSite } from "../../../src/external/index.js";
import { GcpSite, type GcpSiteArgs } from "../../../src/gcp/index.js";
import { MeshIdentity } from "../../../src/identity/meshIdentity.js";
import { Mesh, type MeshArgs } from "../../../src/mesh.js";
import { gcpMocks } from "../../support/gcpMocks.js";
import { type Recording, record } from "../../support/recorder.js";

/** What a site elsewhere is to its peers. */
export interface PeerShape {
    readonly platform: "aws" | "azure" | "external";
    readonly siteNumber: number;
    /** @default 2 */
    readonly addresses?: 1 | 2;
    /** @default `10.<siteNumber>.0.0/16` */
    readonly ranges?: readonly string[];
}

export const aws = { platform: "aws", siteNumber: 1 } as const satisfies PeerShape;
export const azure = { platform: "azure", siteNumber: 3 } as const satisfies PeerShape;
/** What peers of a GCP site have between them is no matter of it. */
export const othersByNat = { pairs: { "aws-azure": { tier: "nat" } } } as const satisfies Partial<MeshArgs>;

/** A resource that stands for something of a peer's. */
class Part extends pulumi.CustomResource {
    constructor(name: string, inputs: Readonly<Record<string, pulumi.Input<string>>>, opts: pulumi.CustomResourceOptions = {}) {
        super("test:index:Part", name, { ...inputs, address: undefined }, opts);
    }
}

/** An existing cluster, without a gateway. */
const cluster = (name: string, siteNumber: number): ExternalSite =>
    new ExternalSite(name, {
        siteNumber,
        clusterName: `emqx-${name}`,
        identity: MeshIdentity.of("project-stack"),
        api: { url: `https://${name}.example.com:18084`, key: "key", secret: pulumi.secret("api-S3cret") },
        link: { server: `${name}.example.com:9884`, egressAddresses: ["198.51.99.7"] },
        clients: { host: `${name}.example.com`, username: "probe", password: pulumi.secret("probe-S3cret") },
    });

/**
 * A peer of a GCP site that makes what can be told from the recording. AWS: `<name>-tunnel-<key>`, whose id is the tunnel's outside address and
 * which names the address that it was told. Elsewhere: `<name>-address-<i>` before a `<name>-gateway`, and such tunnels.
 */
export function peerSite(name: string, { platform, siteNumber, addresses = 2, ranges }: PeerShape): Site {
    const broker = cluster(name, siteNumber);
    const vpn = {
        asn: 64_520 + siteNumber,
        ranges: ranges ?? [`10.${siteNumber}.0.0/16`],
        end: { name, siteNumber, platform, scope: `gateway of ${name}`, addresses },
    };
    const facts: SiteFacts = { ...broker.facts, platform, tiers: { ...broker.facts.tiers, vpn: { supported: true } }, vpn };
    let end: VpnEnd | undefined;
    const create = (): VpnEnd => ({
        tier: "vpn",
        door: { ...broker.publicEnd().door, server: pulumi.output(`10.${siteNumber}.0.252:9884`) },
        egress: [],
        admit: () => [],
        gateway: gatewayOf(name, vpn, platform === "aws" ? 0 : addresses),
    });
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

function gatewayOf(name: string, facts: VpnGateway["facts"], addresses: number): VpnGateway {
    const reserved = Array.from({ length: addresses }, (_, index) => new Part(`${name}-address-${index}`, {}));
    const gateway = new Part(`${name}-gateway`, Object.fromEntries(reserved.map(({ id }, index) => [`address${index}`, id])));
    return {
        facts,
        ...(addresses === 0 ? {} : { addresses: reserved.map(({ id }) => id) }),
        connect: ({ tunnels, outsideAddresses, presharedKeys }, opts) => {
            const made = tunnels.map(
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
            );
            return {
                outsideAddresses: Object.fromEntries(
                    tunnels.map(({ key, ownInterface }, index) => [
                        key,
                        reserved[ownInterface]?.id ?? made[index]?.id ?? pulumi.output(""),
                    ]),
                ),
                lookAt: {},
                ready: made,
            };
        },
    };
}

const siteArgs: GcpSiteArgs = { siteNumber: 2, region: "europe-west4", adminCidrs: ["203.0.113.7/32"] };

export const gcpSite = (
    name: string,
    siteNumber: number,
    more: Partial<GcpSiteArgs> = {},
    opts: pulumi.ComponentResourceOptions = {},
): GcpSite => new GcpSite(name, { ...siteArgs, siteNumber, ...more }, opts);

/** One GCP site and peers in tier vpn. */
export const vpnMesh = (
    peers: Readonly<Record<string, PeerShape>>,
    more: Partial<GcpSiteArgs> = {},
    mesh: Partial<MeshArgs> = {},
): Promise<Recording> =>
    record(() => {
        const site = gcpSite("gcp", 2, more);
        const others = Object.entries(peers).map(([name, shape]) => peerSite(name, shape));
        const fleet = new Mesh("fleet", { sites: [site, ...others], topics: ["fleet/#"], tier: "vpn", ...mesh });
        return { paths: fleet.paths, costs: site.monthlyCosts };
    }, gcpMocks);

/** GCP sites of these names, numbered from 1, in tier vpn. */
export const gcpMesh = (names: readonly string[], mesh: Partial<MeshArgs> = {}): Promise<Recording> =>
    record(() => {
        const sites = names.map((name, index) => gcpSite(name, index + 1));
        const fleet = new Mesh("fleet", { sites, topics: ["fleet/#"], tier: "vpn", ...mesh });
        return { paths: fleet.paths };
    }, gcpMocks);

/** How many there are of the types of tier vpn, by the class's name. */
export function vpnCounts(recording: Recording): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { type } of recording.resources) {
        if (/^gcp:compute\/(haVpnGateway|externalVpnGateway|vPNTunnel|router|networkPeering)/.test(type)) {
            const name = type.split(":").at(-1) ?? "";
            counts[name] = (counts[name] ?? 0) + 1;
        }
    }
    return counts;
}
