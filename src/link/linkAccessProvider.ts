import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import { type AuthzRule, linkAclRules } from "../emqx/acl.js";
import { builtInUsers, type EmqxClient } from "../emqx/client.js";
import { OperationError, quote } from "../errors.js";
import { askedOnce, forgetAnswers, keysOn, readOrKeep, removeOrLeave, withApi } from "./apiCalls.js";
import { again, ensureUser } from "./builtInUser.js";
import { checkClusterName } from "./clusterCheck.js";
import { type AccessInputs, type AccessOutputs, checkAccessInputs, loginOf } from "./linkAccessRules.js";
import { sameData, withoutPulumiKeys } from "./stored.js";

/** The lifecycle of a peer's access: a user and its rules in the built-in database of the cluster that lets the peer in. */
export const linkAccessProvider: Lifecycle<AccessInputs, AccessOutputs> = {
    async check(news) {
        return { inputs: news, failures: checkFailures("peer", () => checkAccessInputs({ ...news })) };
    },

    outside(inputs) {
        const { api, localCluster, peer, username } = inputs;
        return hasUnknown([localCluster, peer, username])
            ? undefined
            : { what: describe(inputs), keys: keysOn({ api, localCluster }, loginOf(inputs)), property: "peer" };
    },

    async diff(_id, olds, news) {
        const replaces = (["localCluster", "peer"] as const).filter(
            (key) => olds[key] !== news[key] && !hasUnknown(news[key]),
        ) as string[];
        if (!hasUnknown([news.peer, news.username]) && loginOf(olds) !== loginOf(news) && !replaces.includes("peer")) {
            replaces.push("username");
        }
        if (replaces.length > 0) {
            return { changes: true, replaces };
        }
        const changed = hasUnknown(withoutPulumiKeys(news)) || !sameData(comparable(olds), comparable(news));
        return { changes: (olds.drift ?? []).length > 0 || changed };
    },

    async create(inputs) {
        return { id: `${inputs.localCluster}/${loginOf(inputs)}`, outs: await apply(inputs) };
    },

    async read(_id, olds) {
        const found = await readOrKeep(olds, describe(olds), async (client) => ({
            user: await client.getUser(olds.login),
            rules: await client.getUserRules(olds.login),
        }));
        if (found === "unread") {
            return { outs: olds };
        }
        if (found.user === undefined) {
            return undefined;
        }
        const { drift: _before, ...rest } = olds;
        const changed = sameRules(found.rules, linkAclRules(olds.peer)) ? [] : ["rules"];
        return { outs: { ...rest, ...(changed.length === 0 ? {} : { drift: changed }) } };
    },

    async update(_id, _olds, news) {
        return apply(news);
    },

    async delete(_id, olds) {
        const base = `DELETE ${olds.api.url}/api/v5`;
        const user = encodeURIComponent(olds.login);
        const byHand = `${base}/authentication/password_based:built_in_database/users/${user} and ${base}/authorization/sources/built_in_database/rules/users/${user}`;
        await removeOrLeave(olds, describe(olds), byHand, async (client) => {
            await again(() => client.deleteUserRules(olds.login));
            await again(() => client.deleteUser(olds.login));
        });
    },
};

/** All that a change of asks for an update; the secrets by their digests. */
function comparable(inputs: AccessInputs | AccessOutputs): unknown {
    const { sealed, peer, username, localCluster, manageSources, allowLoopback, timeouts, storeId } = inputs;
    return [sealed, peer, username, localCluster, manageSources ?? false, allowLoopback ?? false, timeouts, storeId];
}

function describe(inputs: Pick<AccessInputs, "peer" | "username" | "localCluster">): string {
    return `the user ${quote(loginOf(inputs))} for the links of ${quote(inputs.peer)} on ${quote(inputs.localCluster)}`;
}

async function apply(inputs: AccessInputs): Promise<AccessOutputs> {
    if (hasUnknown(withoutPulumiKeys(inputs))) {
        throw new Error(`${describe(inputs)} was to be made from values that are not known yet`);
    }
    const progress = progressFor(inputs.progressUrn);
    const login = loginOf(inputs);
    return withApi(inputs, inputs.localCluster, async (client) => {
        progress("reading the cluster");
        await checkClusterName(client, { api: inputs.api, clusterName: inputs.localCluster, argument: "localCluster" });
        await ensureSources(client, inputs);
        // The rules come first: the user never has more rights than it should.
        progress("setting the rules");
        await again(() => client.putUserRules(login, linkAclRules(inputs.peer)));
        progress("setting the user");
        await again(() => ensureUser(client, { username: login, password: inputs.password }));
        const { password: _password, ...kept } = inputs;
        return { ...kept, login };
    });
}

/** Users and rules are stored in the built-in database only; nothing is stored where the cluster would not look. */
async function ensureSources(client: EmqxClient, inputs: AccessInputs): Promise<void> {
    const [authenticators, sources] = await Promise.all([
        askedOnce(client, "authenticators", () => client.listAuthenticators()),
        askedOnce(client, "sources", () => client.listAuthorizationSources()),
    ]);
    const hasUsers = authenticators.some(({ id }) => id === builtInUsers);
    const hasRules = sources.some(({ type }) => type === "built_in_database");
    if (hasUsers && hasRules) {
        return;
    }
    // Whatever follows, the next resource must look for itself.
    forgetAnswers(client);
    if (inputs.manageSources !== true) {
        const missing = [...(hasUsers ? [] : ["authentication"]), ...(hasRules ? [] : ["authorization"])].join(" and ");
        throw new OperationError({
            what: `make ${describe(inputs)}`,
            where: inputs.api.url,
            message: `the cluster has no built-in database for ${missing}`,
            todo:
                "Add it there (it must come before a source that would refuse), or say that this cluster's link login is a user that exists, or none. " +
                "manageSources: true adds it, and locks out every device that has no user. Nothing was changed",
        });
    }
    if (!hasUsers) {
        await client.createAuthenticator({
            mechanism: "password_based",
            backend: "built_in_database",
            user_id_type: "username",
            password_hash_algorithm: { name: "sha256", salt_position: "suffix" },
        });
    }
    if (!hasRules) {
        await client.createAuthorizationSource({ type: "built_in_database", enable: true });
    }
}

function sameRules(found: readonly AuthzRule[] | undefined, wanted: readonly AuthzRule[]): boolean {
    const plain = (rules: readonly AuthzRule[]) => rules.map(({ topic, permission, action }) => ({ topic, permission, action }));
    return found !== undefined && sameData(plain(found), plain(wanted));
}
