import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import { quote } from "../errors.js";
import { forgetAnswers, readOrKeep, withApi } from "./apiCalls.js";
import { checkCluster } from "./clusterCheck.js";
import { checkPreflightInputs, type PreflightInputs, type PreflightOutputs } from "./preflightRules.js";
import { sameData, withoutPulumiKeys } from "./stored.js";

/** The lifecycle of a preflight: it reads, changes nothing, and has nothing to delete. */
export const preflightProvider: Lifecycle<PreflightInputs, PreflightOutputs> = {
    async check(news) {
        return { inputs: news, failures: checkFailures("expectedClusterName", () => checkPreflightInputs({ ...news })) };
    },

    async diff(_id, olds, news) {
        const { version: _version, licenseType: _license, nodes: _nodes, ...before } = olds;
        return { changes: !sameData(withoutPulumiKeys(before), withoutPulumiKeys(news)) };
    },

    async create(inputs) {
        return { id: inputs.expectedClusterName, outs: await inspect(inputs) };
    },

    async read(_id, olds) {
        const found = await readOrKeep(olds, `the cluster ${quote(olds.expectedClusterName)}`, async (client) =>
            checkCluster(client, needsOf(olds)),
        );
        if (found === "unread") {
            return { outs: olds };
        }
        const { version, licenseType, nodes } = found;
        return { outs: { ...olds, version, licenseType, nodes } };
    },

    async update(_id, _olds, news) {
        return inspect(news);
    },
};

async function inspect(inputs: PreflightInputs): Promise<PreflightOutputs> {
    if (hasUnknown(withoutPulumiKeys(inputs))) {
        throw new Error(`the cluster ${quote(inputs.expectedClusterName)} was to be read with values that are not known yet`);
    }
    progressFor(inputs.progressUrn)("reading version, licence and name");
    const { version, licenseType, nodes } = await withApi(inputs, inputs.expectedClusterName, (client) => {
        // This is the resource whose whole work is to look.
        forgetAnswers(client);
        return checkCluster(client, needsOf(inputs));
    });
    const { ...kept } = inputs;
    return { ...kept, version, licenseType, nodes };
}

function needsOf(inputs: PreflightInputs) {
    return { api: inputs.api, clusterName: inputs.expectedClusterName, argument: "expectedClusterName", tls: inputs.tls ?? true };
}
