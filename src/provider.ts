/**
 * The implementations of Linkspan's own resources, by kind. Users' state names this entry and these exports for ever: add exports,
 * never rename or remove one. Each loads the code behind it on first use, so that a stack pays only for the kinds that it has.
 * @module
 */
import { lazyProvider } from "./dynamic/provider.js";
import { storedForms } from "./dynamic/storedForm.js";

export const clusterLink = lazyProvider(
    async () => (await import("./link/linkProvider.js")).linkProvider,
    storedForms.clusterLink,
);
export const linkAccess = lazyProvider(
    async () => (await import("./link/linkAccessProvider.js")).linkAccessProvider,
    storedForms.linkAccess,
);
export const clusterPreflight = lazyProvider(async () => (await import("./link/preflightProvider.js")).preflightProvider);
export const deliveryProbe = lazyProvider(
    async () => (await import("./probe/probeProvider.js")).probeProvider,
    storedForms.deliveryProbe,
);
export const localBroker = lazyProvider(async () => (await import("./local/localBrokerProvider.js")).localBrokerProvider);
export const meshCa = lazyProvider(async () => (await import("./identity/meshCaProvider.js")).meshCaProvider);
export const certificate = lazyProvider(async () => (await import("./identity/certificateProvider.js")).certificateProvider);
export const secrets = lazyProvider(async () => (await import("./identity/secretsProvider.js")).secretsProvider);
export const nodeMembership = lazyProvider(
    async () => (await import("./cluster/nodeMembershipProvider.js")).nodeMembershipProvider,
);
export const nodeDeparture = lazyProvider(async () => (await import("./cluster/nodeDepartureProvider.js")).nodeDepartureProvider);
export const pin = lazyProvider(async () => (await import("./cluster/pinProvider.js")).pinProvider);
export const packagePin = lazyProvider(async () => (await import("./cluster/packagePinProvider.js")).packagePinProvider);
export const deviceFiles = lazyProvider(async () => (await import("./external/deviceFilesProvider.js")).deviceFilesProvider);
export const linkPath = lazyProvider(async () => (await import("./link/linkPathProvider.js")).linkPathProvider);
export const pathSwitch = lazyProvider(async () => (await import("./link/pathSwitchProvider.js")).pathSwitchProvider);
export const localNetwork = lazyProvider(
    async () => (await import("./local/network/localNetworkProvider.js")).localNetworkProvider,
);
export const localPath = lazyProvider(async () => (await import("./local/network/localPathProvider.js")).localPathProvider);
export const localName = lazyProvider(async () => (await import("./local/network/localNameProvider.js")).localNameProvider);
export const clusterLicense = lazyProvider(
    async () => (await import("./cluster/clusterLicenseProvider.js")).clusterLicenseProvider,
);
export const deviceUser = lazyProvider(async () => (await import("./cluster/deviceLoginProvider.js")).deviceLoginProvider);
