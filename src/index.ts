/**
 * Linkspan: one MQTT platform over several clouds and your own machines. This entry names no cloud; a site's class comes from its own
 * entry (`linkspan/local`, `linkspan/external`, ...), so that a program loads only what it names.
 * @module
 */
export type {
    BrokerCluster,
    ClientDoor,
    InterconnectEnd,
    LinkDoor,
    LinkDoorTls,
    LinkIdentity,
    LinkLogin,
    LinkProtocol,
    Platform,
    PublicEnd,
    Site,
    SiteFacts,
    TierPeer,
    TierSupport,
    VpnEnd,
} from "./contracts/site.js";
export { InputError, OperationError } from "./errors.js";
export { MeshIdentity, type MeshIdentityArgs } from "./identity/meshIdentity.js";
export { ClusterLink, type ClusterLinkArgs } from "./link/clusterLink.js";
export { LinkPair, type LinkPairArgs, type LinkRow, type LinkSettings, type PairSide } from "./link/linkPair.js";
export { Mesh, type MeshArgs, type PairArgs, type SiteRow } from "./mesh.js";
export type { PairSettings, TopicsBySite } from "./meshPlan.js";
export type { Tier } from "./naming.js";
export { DeliveryProbe, type DeliveryProbeArgs, type ProofSettings } from "./probe/deliveryProbe.js";
