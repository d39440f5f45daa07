import type { DeliveryProgress, DeliveryReport, DirectionReport } from "./deliveryReport.js";
import type { DeliveryResult } from "./deliveryResult.js";

/** What a run is judged by. */
export interface VerdictRules {
    readonly maxLoss: number;
    readonly timeoutSeconds: number;
}

/** Judges a run: one result per direction, with the reason where it failed. */
export function judge(report: DeliveryReport, rules: VerdictRules): DeliveryResult[] {
    return report.directions.map((direction) => {
        const reason = failureOf(direction, rules);
        return {
            from: direction.from,
            to: direction.to,
            status: reason === undefined ? "proven" : "failed",
            ...(reason === undefined ? {} : { reason }),
            sent: direction.sent,
            delivered: direction.delivered,
            lost: direction.lost,
            duplicated: direction.duplicated,
            outOfOrder: direction.outOfOrder,
            qosDowngraded: direction.qosDowngraded,
            ...(direction.p50Ms === undefined ? {} : { p50Ms: direction.p50Ms }),
            ...(direction.p99Ms === undefined ? {} : { p99Ms: direction.p99Ms }),
            ...(direction.maxMs === undefined ? {} : { maxMs: direction.maxMs }),
            ...(direction.firstArrivalMs === undefined ? {} : { firstArrivalMs: direction.firstArrivalMs }),
            ...(direction.rate === undefined ? {} : { rate: direction.rate }),
            provenAt: report.endedAt,
            runId: report.runId,
        };
    });
}

/** The results of a run that could not take place: nothing is known of any direction. */
export function unproven(
    directions: readonly { readonly from: string; readonly to: string }[],
    reason: string,
    runId = "none",
): DeliveryResult[] {
    return directions.map(({ from, to }) => ({ from, to, status: "unproven", reason, runId }));
}

/** Why a direction is not proven, from what the run itself saw; `undefined` where it is. */
function failureOf(direction: DirectionReport, { maxLoss, timeoutSeconds }: VerdictRules): string | undefined {
    const { from, to, sent, delivered, lost, acknowledged, silentFilters, ownEcho, topics, lostNumbers } = direction;
    if (delivered > 0 && lost <= maxLoss) {
        return undefined;
    }
    const found = [`${delivered} of ${sent} messages arrived${delivered === 0 ? ` within ${timeoutSeconds} s` : ""}`];
    const example = topics[0]?.topic ?? "";
    if (delivered === 0 && ownEcho === false) {
        found.push(
            `${from}'s own broker does not deliver them either, so they are lost before the link: ` +
                `the probe's user may not publish to "${example}" there, or may not subscribe to it`,
        );
    } else if (delivered === 0 && ownEcho === true) {
        found.push(`${from}'s own broker takes and delivers them, so the link to ${to} does not carry them`);
    } else if (silentFilters.length > 0) {
        found.push(
            `nothing arrived under ${silentFilters.map((filter) => `"${filter}"`).join(", ")}: ` +
                `the link on ${to} does not ask for it, or an access rule on either side forbids it`,
        );
    } else if (lostNumbers.length > 0) {
        found.push(`lost: number ${lostNumbers.join(", ")}`);
    }
    if (acknowledged < sent) {
        found.push(`${sent - acknowledged} were never acknowledged by ${from}'s broker`);
    }
    return `${found.join("; ")}.`;
}

/** One line for each direction: `aws -> gcp: 100 of 100, p50 0.9 ms`. */
export function summary(result: DeliveryResult): string {
    const way = `${result.from} -> ${result.to}`;
    if (result.delivered === undefined || result.sent === undefined) {
        return `${way}: unproven`;
    }
    const latency = result.p50Ms === undefined ? "" : `, p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms`;
    const duplicated = result.duplicated ? `, ${result.duplicated} duplicated` : "";
    return `${way}: ${result.delivered} of ${result.sent}${duplicated}${latency}`;
}

/** Where to look besides the links themselves, by tier. */
const besides: Readonly<Record<string, string>> = {
    vpn: " Look whether the pair's tunnels are up as well: the mesh's output `paths` says where each side shows them.",
};

/**
 * What the reader of a failed `up` needs: each direction's counts, why, and the most likely cause.
 *
 * @param tier how the two sites are joined, where that is known
 */
export function failureText(pair: string, results: readonly DeliveryResult[], cause: string | undefined, tier?: unknown): string {
    const failed = results.filter(({ status }) => status === "failed");
    const others = results.filter(({ status }) => status !== "failed").map(summary);
    const lines = failed.map(({ from, to, reason }) => `${from} -> ${to}: ${reason}`);
    return [
        `messages are lost between the sites of pair "${pair}". ${lines.join(" ")}`,
        others.length === 0 ? "" : ` (${others.join("; ")}.)`,
        cause === undefined ? "" : ` Most likely cause: ${cause.replace(/[.\s]+$/, "")}.`,
        typeof tier === "string" ? (besides[tier] ?? "") : "",
        " `linkspan doctor` shows every check with its fix.",
    ].join("");
}

/** A run's progress in one short line. */
export function progressText(progress: DeliveryProgress): string {
    switch (progress.stage) {
        case "connecting":
            return "connecting to both sites";
        case "waiting":
            return `waiting for the first message ${progress.directions.map(({ from, to }) => `${from} -> ${to}`).join(", ")}`;
        case "counting":
            return progress.directions
                .map(({ from, to, delivered, count }) => `${from} -> ${to} ${delivered}/${count}`)
                .join(", ");
    }
}
