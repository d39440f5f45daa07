import { checkFailures } from "../dynamic/checkFailures.js";
import { type Progress, progressFor } from "../dynamic/progress.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import type { ClientInfo, EmqxClient } from "../emqx/client.js";
import { OperationError, quote } from "../errors.js";
import { withApi } from "./apiCalls.js";
import { checkSwitch, comesFrom, type SwitchInputs, type SwitchOutputs } from "./pathSwitchRules.js";
import { sameData, withoutPulumiKeys } from "./stored.js";

/** Between two connections that are ended: the link is to have one of them up at any time. EMQX brings one back within 2 s. */
const spacingMs = 500;
/** How long ended connections may take to be back, and how often those that came back by the old path are ended again. */
const returnMs = 30_000;
const rounds = 3;
const pollMs = 250;

/** The lifecycle of a switch: it moves connections when the path has changed, and has nothing to delete. */
export const pathSwitchProvider: Lifecycle<SwitchInputs, SwitchOutputs> = {
    async check(news) {
        return { inputs: news, failures: hasUnknown(news) ? [] : checkFailures("remoteCluster", () => checkSwitch(news)) };
    },

    async diff(_id, olds, news) {
        const { movedAt: _at, moved: _moved, ...before } = olds;
        return { changes: hasUnknown(news) || !sameData(withoutPulumiKeys(before), withoutPulumiKeys(news)) };
    },

    async create(inputs) {
        // A link that is made now finds its way by itself.
        return { id: `${inputs.remoteCluster}/${inputs.clientIdPrefix}`, outs: { ...inputs, movedAt: "never", moved: 0 } };
    },

    async update(_id, olds, news) {
        if (olds.path === news.path) {
            return { ...news, movedAt: olds.movedAt, moved: olds.moved };
        }
        const moved = await move(news, progressFor(news.progressUrn));
        return { ...news, movedAt: new Date().toISOString(), moved };
    },
};

async function move(inputs: SwitchInputs, progress: Progress): Promise<number> {
    if (hasUnknown(withoutPulumiKeys(inputs))) {
        throw new Error(`connections to ${quote(inputs.remoteCluster)} were to be moved with values that are not known yet`);
    }
    progress(`waiting ${inputs.nameSeconds} s for old answers of name servers to expire`);
    await pause(inputs.nameSeconds * 1_000);
    return withApi(inputs, inputs.remoteCluster, async (client) => {
        let moved = 0;
        for (let round = 1; ; round++) {
            const before = await connectionsOf(client, inputs);
            const old = round === 1 ? before : before.filter((one) => isMisplaced(one, inputs));
            for (const [index, { clientId }] of old.entries()) {
                progress(`moving connection ${index + 1} of ${old.length}${round === 1 ? "" : `, try ${round}`}`);
                moved += (await client.kickClient(clientId)) ? 1 : 0;
                await pause(spacingMs);
            }
            const after = await settled(client, inputs, before.length, progress);
            const misplaced = after.filter((one) => isMisplaced(one, inputs));
            if (misplaced.length === 0 && after.length >= before.length) {
                return moved;
            }
            if (round === rounds) {
                throw stillThere(inputs, before.length, after, misplaced);
            }
            await pause(inputs.nameSeconds * 1_000);
        }
    });
}

/** Waits until as many connections are there as before, or the time is up. */
async function settled(
    client: EmqxClient,
    inputs: SwitchInputs,
    count: number,
    progress: Progress,
): Promise<readonly ClientInfo[]> {
    const end = Date.now() + returnMs;
    for (;;) {
        const now = await connectionsOf(client, inputs);
        if (now.length >= count || Date.now() > end) {
            return now;
        }
        progress(`${now.length} of ${count} connections are back`);
        await pause(pollMs);
    }
}

/** The connections that carry messages. The one that carries routes must not go together with them: then the remote forgets what to send. */
async function connectionsOf(client: EmqxClient, { clientIdPrefix }: SwitchInputs): Promise<readonly ClientInfo[]> {
    const clients = await client.clients({ likeClientId: clientIdPrefix });
    return clients.filter(
        ({ clientId, connected }) => connected && clientId.startsWith(clientIdPrefix) && clientId.includes(":msg:"),
    );
}

/** Whether a connection is known to come by another path. */
function isMisplaced({ address }: ClientInfo, { sources }: SwitchInputs): boolean {
    return sources.length > 0 && address !== undefined && !comesFrom(address, sources);
}

function stillThere(
    inputs: SwitchInputs,
    count: number,
    after: readonly ClientInfo[],
    misplaced: readonly ClientInfo[],
): OperationError {
    const seen = [...new Set(misplaced.map(({ address }) => address))].join(", ");
    const message =
        misplaced.length > 0
            ? `${misplaced.length} of ${after.length} connections still come from ${seen}, and not from ${inputs.sources.join(", ")}`
            : `${after.length} of ${count} connections came back`;
    return new OperationError({
        what: `move the links' connections to ${quote(inputs.remoteCluster)} to their new path`,
        where: inputs.path,
        message,
        todo: "Look whether the links' brokers resolve the stable name to this path; both paths are kept, and the next up tries again",
    });
}

function pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
}
