import { checkFailures } from "../dynamic/checkFailures.js";
import { progressFor } from "../dynamic/progress.js";
import { hasUnknown, type Lifecycle } from "../dynamic/provider.js";
import { alarmCause } from "../emqx/alarmCause.js";
import { linkTls } from "../emqx/linkTls.js";
import { messageOf, OperationError, quote } from "../errors.js";
import { isUnreachable, warn, withApi } from "./apiCalls.js";
import { checkPath, type PathInputs, type PathOutputs, pathSeconds } from "./linkPathRules.js";
import { sameData } from "./stored.js";

/** Pause between two tries; a try into silence takes EMQX 5 s by itself. */
const pauseMs = 3_000;
/** The door has answered and asked who comes: the path is fine, and the user may be made only after it. */
const refusedLogin = /not_authorized|bad_username_or_password|malformed_username|unauthorized_client/i;

/** What a path is: anything else that changes (a password, how the API is reached) needs no new try. */
const identity = (path: PathInputs) => [path.localCluster, path.remoteCluster, path.host, path.port, path.tier];

/** The lifecycle of a path: it tries, and changes nothing anywhere. */
export const linkPathProvider: Lifecycle<PathInputs, PathOutputs> = {
    async check(news) {
        const known = (value: unknown) => !hasUnknown(value);
        return { inputs: news, failures: checkFailures("tier", () => checkPath({ ...news }, known)) };
    },

    async diff(_id, olds, news) {
        return { changes: hasUnknown(identity(news)) || !sameData(identity(olds), identity(news)) };
    },

    async create(inputs) {
        return { id: `${inputs.localCluster}/${inputs.remoteCluster}`, outs: await tryPath(inputs) };
    },

    async update(_id, _olds, news) {
        return tryPath(news);
    },
};

async function tryPath(inputs: PathInputs): Promise<PathOutputs> {
    const { localCluster, remoteCluster, host, port, tier, tls, username, password } = inputs;
    if (hasUnknown([inputs.api, ...identity(inputs)])) {
        throw new Error(`the path from ${quote(localCluster)} was to be tried with values that are not known yet`);
    }
    const server = `${host}:${port}`;
    const seconds = pathSeconds(inputs);
    const end = Date.now() + seconds * 1_000;
    const progress = progressFor(inputs.progressUrn);
    const { requestSeconds } = inputs.timeouts ?? {};
    const target = { from: localCluster, server, tls: linkTls(tls, server), username, password };
    for (let reason = ""; ; ) {
        progress(`${localCluster} tries ${server}${reason === "" ? "" : `: ${reason}`}`);
        const api = { api: inputs.api, ...(requestSeconds === undefined ? {} : { timeouts: { requestSeconds } }) };
        const answer = await withApi(api, localCluster, (client) => client.probeBroker(target)).catch((error: unknown) => {
            // A broker that is busy or starting is asked again; one that refuses will refuse again.
            if (!isUnreachable(error)) {
                throw error;
            }
            return { reason: messageOf(error) };
        });
        if (answer === "unsupported" || (answer !== "reached" && "denied" in answer)) {
            const why = answer === "unsupported" ? "cannot" : `may not (${answer.denied.replace(/[.\s]+$/, "")})`;
            warn(`the brokers of ${quote(localCluster)} ${why} try a connection; the path to ${server} is used unchecked`);
            return { ...inputs, reached: host, verdict: "unchecked" };
        }
        if (answer === "reached" || refusedLogin.test(answer.reason)) {
            return { ...inputs, reached: host, verdict: "checked" };
        }
        reason = answer.reason;
        if (Date.now() + pauseMs > end) {
            throw new OperationError({
                what: `use the path from ${quote(localCluster)} to ${quote(remoteCluster)} (tier ${tier})`,
                where: server,
                message: `its brokers could not connect within ${seconds} s: ${reason}`,
                todo: `${causeOf(reason, tier)} What was in use before is still in use`,
            });
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
}

const silent: Readonly<Record<PathInputs["tier"], string>> = {
    nat: "Nothing answers: look whether the remote's allow-list for port 8884 holds the addresses that these brokers come from, and whether their way out is running.",
    vpn: "Nothing answers: look whether the pair's tunnels are up (the mesh's output `paths` says where), whether both sides have routes to each other's range, and the remote's rule for port 8884.",
    interconnect:
        "Nothing answers: look whether the private link carries routes to the remote's range, and the remote's rule for port 8884.",
};

function causeOf(reason: string, tier: PathInputs["tier"]): string {
    if (/timeout|etimedout|unreach/i.test(reason)) {
        return silent[tier];
    }
    const cause = alarmCause(reason);
    return cause === undefined ? silent[tier] : `${cause.cause} ${cause.fix}`;
}
