import type * as pulumi from "@pulumi/pulumi";
import type { ApiEndpoint, MqttEndpoint } from "../emqx/endpoint.js";
import type { Tier } from "../naming.js";
import type { SiteFacts } from "./facts.js";
import type { PlannedVpnPeer, VpnGateway } from "./vpn.js";

export type { LinkProtocol, Platform, SiteFacts, TierSupport, VpnFacts } from "./facts.js";

/** Where devices connect. */
export interface ClientDoor {
    readonly host: string;
    readonly port: number;
    /** `mqtts` (TLS) or `mqtt`. */
    readonly scheme: "mqtts" | "mqtt";
    /** PEM of the authority that devices must trust, where it is not a public one. */
    readonly ca?: string;
}

/** How a peer's links authenticate themselves at this cluster. */
export type LinkLogin =
    /** Linkspan makes a user and its rules for each peer over the cluster's API. */
    | { readonly kind: "managed" }
    /** The operator of the cluster has made a user. */
    | { readonly kind: "given"; readonly username: pulumi.Output<string>; readonly password: pulumi.Output<string> }
    /** The cluster asks for none (a certificate, or nothing). */
    | { readonly kind: "none" };

/** A site's broker cluster: what links, proofs and the command line need of it, whoever runs it. */
export interface BrokerCluster {
    readonly clusterName: string;
    /** EMQX's REST API. Secret. */
    readonly api: pulumi.Output<ApiEndpoint>;
    readonly clientDoor: pulumi.Output<ClientDoor>;
    /** How the delivery probe logs in as a device. Secret. */
    readonly probe: pulumi.Output<MqttEndpoint>;
    /** How peers' links log in here. */
    readonly linkLogin: LinkLogin;
    /** What this cluster's own links present to peers. */
    readonly linkIdentity: LinkIdentity;
    /** EMQX's version as the cluster reports it. */
    readonly version: pulumi.Output<string>;
    /** Differs after Linkspan has started or replaced brokers here: what was proven before is then proven again. */
    readonly incarnation: pulumi.Output<string>;
    /** Differs after the cluster has lost what was stored in it: links and users are then made again. Absent where nobody can tell. */
    readonly storeId?: pulumi.Output<string> | undefined;
    /** Resources that must exist before anything is asked of the API. */
    readonly ready: readonly pulumi.Resource[];
}

/** What a cluster's links present to the clusters they connect to. */
export interface LinkIdentity {
    /** PEM certificate and key of the links' client side, where the mesh issues one. Secret. */
    readonly certificate?: pulumi.Output<{ readonly cert: string; readonly key: string }> | undefined;
    /** The password of this cluster's links at a peer. Secret, stable, different for every peer. */
    passwordFor(peerCluster: string): pulumi.Output<string>;
}

/** Where a stable link name leads, in one tier. */
export interface DoorAddress {
    /** Kind of the DNS record. One kind per site for ever, so that a switch of tiers updates the record in place and never replaces it. */
    readonly recordType: "A" | "CNAME";
    /** An IPv4 address, or a host name for `CNAME`. */
    readonly value: pulumi.Output<string>;
    /** Of a host name: all addresses that it can ever lead to, where they are fixed. Peers' brokers are then let out to these alone. */
    readonly leadsTo?: readonly FixedAddress[] | undefined;
    readonly port: number;
}

/** A fixed address. */
export interface FixedAddress {
    /** Stable and unique in the site, such as a zone's name: child names carry it. */
    readonly key: string;
    /** IPv4 address, without a prefix length. */
    readonly address: pulumi.Output<string>;
}

/** Where a site takes its peers' links, in one tier. */
export interface LinkDoor {
    /** `host:port` as peers' links are told. The host is the site's stable name wherever Linkspan controls one. */
    readonly server: pulumi.Output<string>;
    /**
     * Set where the host of `server` is a name that exists in Linkspan's own zones only: what peers must resolve it to. A peer without
     * such a zone is told this address instead, with the stable name as its TLS name.
     */
    readonly address?: (DoorAddress & { readonly host: string }) | undefined;
    /** Where `server` is a name that is not Linkspan's: all addresses that it can ever lead to. Peers' brokers are then let out to these alone. */
    readonly leadsTo?: readonly FixedAddress[] | undefined;
    readonly tls: pulumi.Output<LinkDoorTls>;
    /** Whether the door asks for a client certificate, and whose. */
    readonly clientCertificate:
        | "mesh"
        | "none"
        | { readonly given: pulumi.Output<{ readonly cert: string; readonly key: string }> };
}

/** TLS as a link must use it towards a door. */
export interface LinkDoorTls {
    readonly enable: boolean;
    /** PEM of the authority of the door's certificate; none: the broker's own trust store. */
    readonly ca?: string;
    /** Name in the door's certificate, sent as SNI. */
    readonly serverName?: string;
}

/** A pair's other side, as far as an end needs it. */
export interface TierPeer {
    /** The pair's key, `a-b`: child names carry it. */
    readonly pair: string;
    readonly facts: SiteFacts;
    /** Addresses that the peer's brokers come from. */
    readonly egress: readonly EgressAddress[];
    /** Where the peer takes links in this tier: what this site's brokers must be let out to. Its port need not be Linkspan's. */
    readonly door: LinkDoor;
}

/** One fixed address that a site's brokers come from. */
export type EgressAddress = FixedAddress;

/** A peer's stable link name as one site must resolve it for a pair's tier. */
export interface NamedPeer {
    readonly facts: SiteFacts;
    /** `<site>.link.<mesh>.internal` */
    readonly host: string;
    readonly address: DoorAddress;
}

/** A private zone in which a site's brokers resolve their peers' stable names. */
export interface NameService {
    /** Makes the site resolve a peer's name. One record per peer, updated in place when the pair changes its tier. */
    point(peer: NamedPeer, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[];
}

interface End<T extends Tier> {
    readonly tier: T;
    readonly door: LinkDoor;
    /** Addresses that this site's brokers come from when they connect in this tier. Empty where they are not known. */
    readonly egress: readonly EgressAddress[];
    /** Opens this end for one peer: one resource per (site, peer, tier), so that another pair is never touched. */
    admit(peer: TierPeer, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[];
}

/** A site's half of tier `nat`. */
export type PublicEnd = End<"nat">;
/** A site's half of tier `vpn`. Without a gateway nothing lies between the two sites: processes of one machine. */
export interface VpnEnd extends End<"vpn"> {
    readonly gateway?: VpnGateway | undefined;
}
/** A site's half of tier `interconnect`. */
export type InterconnectEnd = End<"interconnect">;

/** A site: one place that holds a broker cluster. */
export interface Site {
    readonly facts: SiteFacts;
    readonly cluster: BrokerCluster;
    /** Absent where the site's brokers resolve names that Linkspan does not control. */
    readonly nameService?: NameService | undefined;
    /** The site's half of a tier. Called only for tiers that `facts.tiers` supports. */
    publicEnd(): PublicEnd;
    /** @param peers all VPN pairs of the site, because a gateway may have to know them when it is made */
    vpnEnd(peers: readonly PlannedVpnPeer[]): VpnEnd;
    interconnectEnd(): InterconnectEnd;
}
