import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import { quote } from "../errors.js";
import { keysOn, readOrKeep, removeOrLeave, withApi } from "../link/apiCalls.js";
import { again, ensureUser } from "../link/builtInUser.js";
import { checkClusterName } from "../link/clusterCheck.js";
import { sameData, withoutPulumiKeys } from "../link/stored.js";
import { checkDeviceUserInputs, type DeviceUserInputs, type DeviceUserOutputs } from "./deviceLoginRules.js";

/** The lifecycle of a device's user in the built-in database of its cluster. */
export const deviceLoginProvider: Lifecycle<DeviceUserInputs, DeviceUserOutputs> = {
    async check(news) {
        return { inputs: news, failures: checkFailures("username", () => checkDeviceUserInputs({ ...news })) };
    },

    outside(inputs) {
        const { api, clusterName, username } = inputs;
        return hasUnknown([clusterName, username])
            ? undefined
            : { what: describe(inputs), keys: keysOn({ api, localCluster: clusterName }, username), property: "username" };
    },

    async diff(_id, olds, news) {
        const replaces = (["clusterName", "username"] as const).filter(
            (key) => olds[key] !== news[key] && !hasUnknown(news[key]),
        );
        if (replaces.length > 0) {
            return { changes: true, replaces: [...replaces] };
        }
        const { drift = [], ...before } = olds;
        return { changes: drift.length > 0 || !sameData(withoutPulumiKeys(before), withoutPulumiKeys(news)) };
    },

    async create(inputs) {
        return { id: `${inputs.clusterName}/${inputs.username}`, outs: await apply(inputs) };
    },

    async read(_id, olds) {
        const found = await readOrKeep(olds, describe(olds), (client) => client.getUser(olds.username));
        if (found === "unread") {
            return { outs: olds };
        }
        if (found === undefined) {
            return undefined;
        }
        const { drift: _before, ...rest } = olds;
        return { outs: { ...rest, ...(found.superuser ? { drift: ["superuser"] } : {}) } };
    },

    async update(_id, _olds, news) {
        return apply(news);
    },

    async delete(_id, olds) {
        const user = encodeURIComponent(olds.username);
        const byHand = `DELETE ${olds.api.url}/api/v5/authentication/password_based:built_in_database/users/${user}`;
        await removeOrLeave(olds, describe(olds), byHand, async (client) => {
            await again(() => client.deleteUser(olds.username));
        });
    },
};

function describe({ username, clusterName }: Pick<DeviceUserInputs, "username" | "clusterName">): string {
    return `the device user ${quote(username)} on ${quote(clusterName)}`;
}

async function apply(inputs: DeviceUserInputs): Promise<DeviceUserOutputs> {
    if (hasUnknown(withoutPulumiKeys(inputs))) {
        throw new Error(`${describe(inputs)} was to be made from values that are not known yet`);
    }
    const { api, clusterName, username, password } = inputs;
    const progress = progressFor(inputs.progressUrn);
    return withApi(inputs, clusterName, async (client) => {
        progress("reading the cluster");
        await checkClusterName(client, { api, clusterName, argument: "clusterName" });
        progress("setting the user");
        await again(() => ensureUser(client, { username, password }));
        return { ...inputs };
    });
}
