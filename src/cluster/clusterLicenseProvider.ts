import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import type { LicenseInfo } from "../emqx/client.js";
import { OperationError, quote } from "../errors.js";
import { keysOn, readOrKeep, statusOf, warn, withApi } from "../link/apiCalls.js";
import { again } from "../link/builtInUser.js";
import { checkClusterName } from "../link/clusterCheck.js";
import { sameData, withoutPulumiKeys } from "../link/stored.js";
import { checkLicenseInputs, digestOf, type LicenseInputs, type LicenseOutputs, plainKey } from "./clusterLicenseRules.js";

/** The lifecycle of a cluster's licence, over its REST API. There is nothing to delete: a cluster has always a licence. */
export const clusterLicenseProvider: Lifecycle<LicenseInputs, LicenseOutputs> = {
    async check(news) {
        return { inputs: news, failures: checkFailures("clusterName", () => checkLicenseInputs({ ...news })) };
    },

    outside(inputs) {
        const { api, clusterName } = inputs;
        return hasUnknown(clusterName)
            ? undefined
            : { what: describe(inputs), keys: keysOn({ api, localCluster: clusterName }, "licence"), property: "clusterName" };
    },

    async diff(_id, olds, news) {
        if (olds.clusterName !== news.clusterName && !hasUnknown(news.clusterName)) {
            return { changes: true, replaces: ["clusterName"] };
        }
        const rest = ({ api, timeouts }: LicenseInputs) => [api, timeouts];
        return { changes: isNewKey(olds, news) || hasUnknown(rest(news)) || !sameData(rest(olds), rest(news)) };
    },

    async create(inputs) {
        return { id: `${inputs.clusterName}/license`, outs: await load(inputs) };
    },

    async read(_id, olds) {
        const found = await readOrKeep(olds, describe(olds), (client) => client.license());
        return { outs: found === "unread" ? olds : withFacts(olds, olds.keyDigest, found) };
    },

    async update(_id, olds, news) {
        // Another way to the API, say: the licence is what it was.
        const { keyDigest, licenseType } = olds;
        return isNewKey(olds, news) ? load(news) : { ...withoutKey(news), keyDigest, licenseType, ...facts(olds) };
    },
};

function describe({ clusterName }: Pick<LicenseInputs, "clusterName">): string {
    return `the licence of ${quote(clusterName)}`;
}

function isNewKey(olds: LicenseOutputs, { key }: LicenseInputs): boolean {
    return key === undefined || hasUnknown(key) || digestOf(key) !== olds.keyDigest;
}

async function load(inputs: LicenseInputs): Promise<LicenseOutputs> {
    const { api, clusterName, key } = inputs;
    if (key === undefined || hasUnknown(withoutPulumiKeys(inputs))) {
        throw new Error(`${describe(inputs)} was to be loaded from values that are not known yet`);
    }
    const progress = progressFor(inputs.progressUrn);
    return withApi(inputs, clusterName, async (client) => {
        progress("reading the cluster");
        // A key never goes to a cluster that it is not for.
        await checkClusterName(client, { api, clusterName, argument: "clusterName" });
        progress("loading the licence");
        const loaded = await again(() => client.setLicense(plainKey(key))).catch((error: unknown) => {
            throw statusOf(error) === 400 && error instanceof OperationError ? refused(error, clusterName) : error;
        });
        if (loaded.expired) {
            warn(
                `${describe(inputs)} (${loaded.type}) has expired${loaded.expiresAt === undefined ? "" : ` on ${loaded.expiresAt}`}; EMQX takes no new sessions beyond its limit. Set another key`,
            );
        }
        return withFacts(inputs, digestOf(key), loaded);
    });
}

function refused({ detail }: OperationError, clusterName: string): OperationError {
    return new OperationError({
        ...detail,
        what: `load the licence on ${quote(clusterName)}`,
        todo: "Set license to the whole key as EMQ sent it; the licence that was loaded before still holds",
    });
}

function withFacts(inputs: LicenseInputs, keyDigest: string, found: LicenseInfo): LicenseOutputs {
    return { ...withoutKey(inputs), keyDigest, licenseType: found.type, ...facts(found) };
}

function facts({ maxSessions, expiresAt }: { readonly maxSessions?: number; readonly expiresAt?: string }) {
    return {
        ...(maxSessions === undefined ? {} : { maxSessions }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
    };
}

/** State holds the key once, among the inputs, which are secret. */
function withoutKey(inputs: LicenseInputs): Omit<LicenseInputs, "key"> {
    const { api, clusterName, timeouts, progressUrn } = inputs;
    return {
        api,
        clusterName,
        ...(timeouts === undefined ? {} : { timeouts }),
        ...(progressUrn === undefined ? {} : { progressUrn }),
    };
}
