import { setTimeout as sleep } from "node:timers/promises";
import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import { hasUnknown, IncompleteError, type Lifecycle } from "../dynamic/provider.js";
import { sealedPart, storedForms } from "../dynamic/storedForm.js";
import { type EmqxClient, type RemoteLink, UnknownOutcomeError } from "../emqx/client.js";
import { diffLink, type LinkSpec } from "../emqx/linkSpec.js";
import { quote } from "../errors.js";
import { clientIdPrefix } from "../naming.js";
import { keysOn, readOrKeep, removeOrLeave, withApi } from "./apiCalls.js";
import { checkCluster } from "./clusterCheck.js";
import { ensureLink, UnclearLinkError } from "./linkEnsure.js";
import { checkLinkInputs, type LinkInputs, type LinkOutputs, openSpecOf, shownSpecOf, specOf, tlsShapeOf } from "./linkInputs.js";
import { sameData, withoutPulumiKeys } from "./stored.js";
import { timeoutDefaults } from "./timeouts.js";

/** The lifecycle of a cluster link, over the REST API of the cluster that has it. */
export const linkProvider: Lifecycle<LinkInputs, LinkOutputs> = {
    async check(news) {
        return { inputs: news, failures: checkFailures("topics", () => checkLinkInputs({ ...news })) };
    },

    outside(inputs) {
        const { api, localCluster, name } = inputs;
        return hasUnknown([localCluster, name])
            ? undefined
            : { what: describe(inputs), keys: keysOn({ api, localCluster }, name), property: "name" };
    },

    canonical(inputs) {
        try {
            const { tls } = specOf(inputs);
            return { tls: tls.enable ? tls : undefined };
        } catch {
            // What is not accepted is compared as it is written.
            return {};
        }
    },

    async diff(_id, olds, news) {
        const replaces = (["name", "localCluster"] as const).filter((key) => olds[key] !== news[key] && !hasUnknown(news[key]));
        if (replaces.length > 0) {
            return { changes: true, replaces: [...replaces] };
        }
        return { changes: olds.status === "unknown" || (olds.drift ?? []).length > 0 || !sameLink(olds, news) };
    },

    async create(inputs) {
        const outs = await apply(inputs);
        return { id: idOf(inputs), outs };
    },

    async read(_id, olds) {
        const remote = await readOrKeep(olds, describe(olds), (client) => client.getLink(olds.name));
        if (remote === "unread") {
            return { outs: olds };
        }
        return remote === undefined ? undefined : withDrift(olds, remote);
    },

    async update(_id, olds, news) {
        return apply(news, olds);
    },

    async delete(_id, olds) {
        const byHand = `DELETE ${olds.api.url}/api/v5/cluster/links/link/${olds.name}`;
        await removeOrLeave(olds, describe(olds), byHand, (client, signal) => removeLink(client, olds, signal));
    },
};

function idOf(inputs: LinkInputs): string {
    return `${inputs.localCluster}/${inputs.name}`;
}

function describe(inputs: LinkInputs): string {
    return `the cluster link ${quote(inputs.name)} on ${quote(inputs.localCluster)}`;
}

/** Whether two descriptions mean the same link, reached the same way. What only has another spelling is no change. */
function sameLink(olds: LinkInputs, news: LinkInputs): boolean {
    const rest = ({ sealed, timeouts, adopt, allowLoopback, storeId }: LinkInputs) => [
        sealed,
        timeouts,
        adopt ?? false,
        allowLoopback ?? false,
        storeId,
    ];
    if (hasUnknown(withoutPulumiKeys(news)) || !sameData(rest(olds), rest(news))) {
        return false;
    }
    try {
        return sameData(openSpecOf(olds), openSpecOf(news));
    } catch {
        // What an earlier version stored is not accepted any more: let update say what is wrong.
        return false;
    }
}

async function apply(inputs: LinkInputs, olds?: LinkOutputs): Promise<LinkOutputs> {
    if (hasUnknown(withoutPulumiKeys(inputs))) {
        throw new Error(`${describe(inputs)} was to be made from values that are not known yet`);
    }
    const progress = progressFor(inputs.progressUrn);
    const spec = specOf(inputs);
    const { password: _password, tls: _tls, ...open } = inputs;
    const kept = { ...open, tlsShape: tlsShapeOf(spec.tls), ...(spec.password === undefined ? {} : { hasPassword: true }) };
    return withApi(inputs, inputs.localCluster, async (client) => {
        progress("reading the cluster");
        await checkCluster(client, {
            api: inputs.api,
            clusterName: inputs.localCluster,
            argument: "localCluster",
            tls: spec.tls.enable,
        });
        const ours = [spec.clientId, ...(olds === undefined ? [] : [olds.clientIdPrefix ?? clientIdPrefix(olds.localCluster)])];
        const outcome = await ensureLink(client, spec, {
            secretsWritten: olds === undefined || olds.status === "unknown" ? undefined : sameSecrets(olds, inputs),
            isOurs: (clientId) => inputs.adopt === true || (clientId !== undefined && ours.includes(clientId)),
            settleSeconds: inputs.timeouts?.settleSeconds ?? timeoutDefaults.settleSeconds,
            where: inputs.api.url,
            progress,
        }).catch((error: unknown) => {
            if (!(error instanceof UnclearLinkError)) {
                throw error;
            }
            // It may have been made: it stands in state, so that the next run looks after it and destroy removes it.
            throw new IncompleteError(error.message, idOf(inputs), {
                ...kept,
                status: "unknown",
                changedAt: new Date().toISOString(),
            });
        });
        if (outcome.changed || olds === undefined) {
            return { ...kept, status: outcome.link.status, changedAt: new Date().toISOString() };
        }
        return { ...kept, status: olds.status, changedAt: olds.changedAt };
    });
}

/** Whether the cluster was last given the same password and certificates. The way to its API is no part of the link. */
function sameSecrets({ sealed: one = "" }: LinkInputs, { sealed: other = "" }: LinkInputs): boolean {
    const part = (sealed: string, key: string) => sealedPart(storedForms.clusterLink, sealed, key);
    return ["password", "tls"].every((key) => part(one, key) === part(other, key));
}

function storedSpec(olds: LinkOutputs): LinkSpec | undefined {
    try {
        return shownSpecOf(olds);
    } catch {
        return undefined;
    }
}

/** A broker that is busy with a silent remote may take a minute to remove its link, and answer nothing meanwhile. */
async function removeLink(client: EmqxClient, olds: LinkOutputs, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
        const remote = await client.getLink(olds.name);
        const own = olds.clientIdPrefix ?? clientIdPrefix(olds.localCluster);
        if (remote === undefined || (remote.clientId !== own && olds.adopt !== true)) {
            // It is gone, or somebody has put another link in its place, which is not ours to remove.
            return;
        }
        try {
            await client.deleteLink(olds.name);
            return;
        } catch (error) {
            if (!(error instanceof UnknownOutcomeError)) {
                throw error;
            }
            await sleep(500);
        }
    }
}

/** The stored link with what was changed by hand: as arguments where they can say it, else by name. */
function withDrift(olds: LinkOutputs, remote: RemoteLink): { outs: LinkOutputs; inputs?: Partial<LinkInputs> } {
    const spec = storedSpec(olds);
    const changed = spec === undefined ? [] : diffLink(spec, remote);
    const shown: Record<string, unknown> = {};
    const drift: string[] = [];
    const values: Readonly<Record<string, unknown>> = {
        topics: remote.topics,
        server: remote.server,
        enable: remote.enable,
        poolSize: remote.poolSize,
        retryInterval: remote.retryInterval,
        maxInflight: remote.maxInflight,
        username: remote.username,
    };
    for (const key of changed) {
        if (values[key] === undefined) {
            drift.push(key);
        } else {
            shown[key] = values[key];
        }
    }
    const { status, changedAt, drift: _before, tlsShape, hasPassword, ...inputs } = olds;
    const now = { ...inputs, ...shown };
    const shape = { ...(tlsShape && { tlsShape }), ...(hasPassword && { hasPassword }) };
    const outs = { ...now, status, changedAt, ...shape, ...(drift.length === 0 ? {} : { drift }) };
    // Of what has not changed the engine keeps what the program sent.
    return Object.keys(shown).length === 0 ? { outs } : { outs, inputs: now };
}
