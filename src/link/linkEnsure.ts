import type { Progress } from "../dynamic/progress.js";
import { type EmqxClient, type RemoteLink, UnknownOutcomeError } from "../emqx/client.js";
import { diffLink, type LinkSpec, toRequest } from "../emqx/linkSpec.js";
import { settleAfterUnknown } from "../emqx/settle.js";
import { messageOf, OperationError, quote } from "../errors.js";
import { codeOf, isUnreachable, statusOf, warn } from "./apiCalls.js";

/** How a link is brought to what it should be. */
export interface EnsureRules {
    /**
     * Whether the secrets that the link is to have are those that were last written; `undefined` where nobody knows what was. They
     * cannot be read back, so only this tells whether they must be written.
     */
    readonly secretsWritten: boolean | undefined;
    /** Whether a link that carries this client id may be changed. */
    readonly isOurs: (clientId: string | undefined) => boolean;
    /** How long a change without an answer is followed up. */
    readonly settleSeconds: number;
    /** The API's address, for messages. */
    readonly where: string;
    readonly progress: Progress;
}

/** A link that is as it should be. */
export interface EnsureOutcome {
    readonly link: RemoteLink;
    /** Whether anything was written. Every write disturbs traffic, so none is made without need. */
    readonly changed: boolean;
}

/** A link may have been written, and nobody can say: it must stand in state, so that it is looked after. */
export class UnclearLinkError extends Error {}

/** Another creator, or somebody who deletes, may come between a look and a write; more often than this is no coincidence. */
const mostRounds = 4;

/**
 * Makes sure that a link exists as described: looks first, takes over its own, writes only what differs, and follows up a write that had
 * no answer until it is clear what became of it.
 *
 * @throws OperationError when it cannot be done
 * @throws UnclearLinkError when a write may or may not have had effect
 */
export async function ensureLink(client: EmqxClient, spec: LinkSpec, rules: EnsureRules): Promise<EnsureOutcome> {
    let last: WriteOutcome | undefined;
    let changed = false;
    try {
        for (let round = 1; round <= mostRounds; round++) {
            rules.progress(round === 1 ? "reading the link" : "reading the link again");
            const remote = await client.getLink(spec.name);
            if (remote !== undefined) {
                refuseStranger(remote, spec, rules);
                const differing = diffLink(spec, remote);
                if (last === "applied" || (differing.length === 0 && !hiddenChange(spec, rules.secretsWritten))) {
                    warnOfDifference(spec, rules, differing);
                    return { link: remote, changed };
                }
            }
            last = await write(client, spec, remote, rules);
            changed ||= last !== "lost-race";
        }
    } catch (error) {
        if (error instanceof UnknownOutcomeError || (changed && isUnreachable(error))) {
            throw new UnclearLinkError(messageOf(error));
        }
        throw error;
    }
    throw failed(
        spec,
        rules,
        "it was made and removed again several times: somebody else is at work on it",
        "Look who else manages this link",
    );
}

function warnOfDifference(spec: LinkSpec, { where }: EnsureRules, differing: readonly string[]): void {
    if (differing.length > 0) {
        warn(
            `the cluster link ${quote(spec.name)} at ${where} was written, but shows other values for ${differing.join(", ")}; somebody else may be changing it`,
        );
    }
}

/** Secrets are hidden in every answer: whether they must be written follows from what was written last. */
function hiddenChange({ password, tls }: LinkSpec, secretsWritten: boolean | undefined): boolean {
    const hasSecrets = [password, tls.ca, tls.cert, tls.key].some((part) => part !== undefined);
    return secretsWritten === undefined ? hasSecrets : !secretsWritten;
}

function refuseStranger(remote: RemoteLink, spec: LinkSpec, rules: EnsureRules): void {
    if (!rules.isOurs(remote.clientId)) {
        const carried = remote.clientId === undefined ? "no client id" : `the client id ${quote(remote.clientId)}`;
        throw failed(
            spec,
            rules,
            `a link of this name exists already and carries ${carried}, not ${quote(spec.clientId)}: it was made by somebody else`,
            "Set adopt: true to take it over, or delete it there",
        );
    }
}

/**
 * What became of a write. "lost-race": somebody was faster, nothing was changed. "unclear": it had no answer and shows no effect.
 */
type WriteOutcome = "applied" | "lost-race" | "unclear";

async function write(
    client: EmqxClient,
    spec: LinkSpec,
    remote: RemoteLink | undefined,
    rules: EnsureRules,
): Promise<WriteOutcome> {
    const body = toRequest(spec);
    try {
        if (remote === undefined) {
            rules.progress("creating the link");
            await client.createLink(body);
        } else {
            rules.progress("changing the link");
            await client.updateLink(spec.name, body);
        }
        return "applied";
    } catch (error) {
        if (codeOf(error) === "ALREADY_EXISTS" || (remote !== undefined && statusOf(error) === 404)) {
            return "lost-race";
        }
        if (error instanceof UnknownOutcomeError) {
            return settle(client, spec, remote, rules, error);
        }
        throw error;
    }
}

/** A link that was to be created and does not show up may be asked for again soon: EMQX refuses a second one of the same name. */
const createSettleSeconds = 15;

/**
 * Waits after a write without an answer until the cluster shows what was written or has had its time: a broker that is busy with a
 * silent remote may take a minute to apply what it has accepted.
 *
 * @throws the write's own error when the cluster cannot be asked
 */
async function settle(
    client: EmqxClient,
    spec: LinkSpec,
    before: RemoteLink | undefined,
    rules: EnsureRules,
    cause: UnknownOutcomeError,
): Promise<WriteOutcome> {
    rules.progress("the change had no answer; looking what became of it");
    const isVisible = before === undefined || diffLink(spec, before).length > 0;
    const seconds = before === undefined ? Math.min(rules.settleSeconds, createSettleSeconds) : rules.settleSeconds;
    let reached = false;
    const outcome = await settleAfterUnknown({
        read: async () => {
            const remote = await client.getLink(spec.name);
            reached = true;
            return remote;
        },
        // A change of secrets alone cannot be seen; as soon as the cluster answers it is written once more, which does no harm.
        done: (remote) => !isVisible || (remote !== undefined && diffLink(spec, remote).length === 0),
        deadlineSeconds: seconds,
    }).then(
        (remote): WriteOutcome =>
            isVisible && remote !== undefined && diffLink(spec, remote).length === 0 ? "applied" : "unclear",
        (): WriteOutcome => "unclear",
    );
    if (!reached) {
        throw cause;
    }
    return outcome;
}

function failed(spec: LinkSpec, { where }: EnsureRules, message: string, todo?: string): OperationError {
    return new OperationError({ what: `make the cluster link ${quote(spec.name)}`, where, message, todo });
}
