/**
 * Linkspan: one MQTT platform over several clouds and your own machines. This entry names no cloud; a site's class comes from its own
 * entry (`linkspan/local`, `linkspan/external`, ...), so that a program loads only what it names.
 * @module
 */
export type {
    BrokerCluster,
    ClientDoor,
    DoorAddress,
    EgressAddress,
    InterconnectEnd,
    LinkDoor,
    LinkDoorTls,
    LinkIdentity,
    LinkLogin,
    LinkProtocol,
    NamedPeer,
    NameService,
    Platform,
    PublicEnd,
    Site,
    SiteFacts,
    TierPeer,
    TierSupport,
    VpnEnd,
    VpnFacts,
} from "./contracts/site.js";
export type { PlannedVpnPeer, SideTunnel, TunnelRow, VpnGateway, VpnPeer, VpnSide } from "./contracts/vpn.js";
export { InputError, OperationError } from "./errors.js";
export { MeshIdentity, type MeshIdentityArgs } from "./identity/meshIdentity.js";
export { ClusterLink, type ClusterLinkArgs } from "./link/clusterLink.js";
export { LinkPair, type LinkPairArgs, type LinkRow, type LinkSettings, type PairSide } from "./link/linkPair.js";
export { Mesh, type MeshArgs, type MeshLinkSettings, type PairArgs, type PathRow, type SiteRow } from "./mesh.js";
export type { PairSettings, TopicsBySite, VpnPairSettings } from "./meshPlan.js";
export type { Tier } from "./naming.js";
export { DeliveryProbe, type DeliveryProbeArgs, type ProofSettings } from "./probe/deliveryProbe.js";
