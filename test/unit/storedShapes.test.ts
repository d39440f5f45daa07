import { describe, expect, it } from "vitest";
import type { LocalBrokerInputs, LocalBrokerOutputs } from "../../src/local/localBrokerProvider.js";
import type { ProbeInputs, ProbeOutputs } from "../../src/probe/probeProvider.js";

/** Every key of a type: leaving one out, or having one too many, does not compile. */
type Keys<T> = { readonly [K in keyof Required<T>]: true };
/** Keys of the outputs that are not inputs. */
type Own<O, I> = Keys<Omit<O, keyof I>>;
const sorted = (keys: object) => Object.keys(keys).sort().join(" ");

const broker: Keys<LocalBrokerInputs> = {
    siteName: true,
    clusterName: true,
    linkHost: true,
    stateDir: true,
    namesDir: true,
    bind: true,
    ports: true,
    version: true,
    tls: true,
    apiKey: true,
    apiSecret: true,
    users: true,
    routeLifeSeconds: true,
    network: true,
    progressUrn: true,
};
const brokerOwn: Own<LocalBrokerOutputs, LocalBrokerInputs> = {
    pid: true,
    startTime: true,
    boundPorts: true,
    folder: true,
    storeId: true,
};
const probe: Keys<ProbeInputs> = {
    pair: true,
    a: true,
    b: true,
    directions: true,
    proves: true,
    count: true,
    rate: true,
    qos: true,
    payloadBytes: true,
    timeoutSeconds: true,
    maxLoss: true,
    prove: true,
    reach: true,
    progressUrn: true,
    sealed: true,
};
const probeOwn: Own<ProbeOutputs, ProbeInputs> = { results: true };

// State outlives every version of the package: keys may be added here, never changed or removed.
describe("the stored keys", () => {
    it("of local brokers are frozen", () => {
        expect(sorted(broker)).toBe(
            "apiKey apiSecret bind clusterName linkHost namesDir network ports progressUrn routeLifeSeconds siteName stateDir tls users version",
        );
        expect(sorted(brokerOwn)).toBe("boundPorts folder pid startTime storeId");
    });

    it("of delivery probes are frozen", () => {
        expect(sorted(probe)).toBe(
            "a b count directions maxLoss pair payloadBytes progressUrn prove proves qos rate reach sealed timeoutSeconds",
        );
        expect(sorted(probeOwn)).toBe("results");
    });
});
