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
