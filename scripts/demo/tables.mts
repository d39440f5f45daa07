import Table from "cli-table3";

/** Anything that a stack may have as an output. */
type Row = Readonly<Record<string, unknown>>;

/** What the tables need of the stack's outputs, read with caution: a run that went wrong may have any of it missing. */
export interface DemoOutputs {
    readonly sites: readonly Row[];
    readonly links: readonly Row[];
    readonly notProven: readonly string[];
}

export function readOutputs(json: string): DemoOutputs {
    let all: unknown;
    try {
        all = JSON.parse(json);
    } catch {
        all = undefined;
    }
    const outputs = isRow(all) ? all : {};
    return {
        sites: rows(outputs.sites),
        links: rows(outputs.links),
        notProven: Array.isArray(outputs.notProven)
            ? outputs.notProven.filter((line): line is string => typeof line === "string")
            : [],
    };
}

function isRow(value: unknown): value is Row {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list of rows, or rows by name. */
function rows(value: unknown): Row[] {
    if (Array.isArray(value)) {
        return value.filter(isRow);
    }
    return isRow(value) ? Object.entries(value).flatMap(([name, row]) => (isRow(row) ? [{ name, ...row }] : [])) : [];
}

/** A value as a cell; what is unknown is a question mark, never a zero. */
export function cell(value: unknown): string {
    if (typeof value === "number" && Number.isFinite(value)) {
        return String(value);
    }
    return typeof value === "string" && value !== "" ? value : typeof value === "boolean" ? String(value) : "?";
}

/** Milliseconds with as many digits as mean something. */
export function milliseconds(value: unknown): string {
    if (typeof value !== "number" || !Number.isFinite(value)) {
        return "?";
    }
    return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}

export function siteTable(sites: readonly Row[], running?: ReadonlyMap<string, boolean>): string {
    const withProcess = running !== undefined;
    const head = ["site", "where", "clients connect to", "broker", ...(withProcess ? ["process"] : [])];
    return table(
        head,
        sites.map((site) => [
            cell(site.name),
            cell(site.platform),
            endpointOf(site),
            cell(site.version),
            ...(withProcess ? [running.get(cell(site.name)) === true ? "runs" : "not running"] : []),
        ]),
    );
}

/** A site's door for clients: a ready text, or host and port. */
function endpointOf(site: Row): string {
    const { endpoint } = site;
    if (isRow(endpoint)) {
        return endpoint.url !== undefined ? cell(endpoint.url) : `${cell(endpoint.host)}:${cell(endpoint.port)}`;
    }
    return cell(endpoint);
}

export function linkTable(links: readonly Row[]): string {
    const head = [
        "messages from -> to",
        "tier",
        "status",
        "delivered",
        "lost",
        "duplicated",
        "p50 ms",
        "p99 ms",
        "first after ms",
    ];
    const align = ["left", "left", "left", "right", "right", "right", "right", "right", "right"] as const;
    return table(
        head,
        links.map((link) => [
            `${cell(link.from)} -> ${cell(link.to)}`,
            cell(link.tier),
            cell(link.status),
            cell(link.delivered),
            cell(link.lost),
            cell(link.duplicated),
            milliseconds(link.p50Ms),
            milliseconds(link.p99Ms),
            milliseconds(link.firstArrivalMs),
        ]),
        align,
    );
}

function table(head: string[], body: string[][], colAligns: readonly ("left" | "right")[] = []): string {
    // Without the tool's own colours: the same text on a terminal, in a log and in a pull request.
    const made = new Table({ head, colAligns: [...colAligns], style: { head: [], border: [] } });
    made.push(...body);
    return made.toString();
}

/** Directions that are not proven without a loss, as `from -> to: why`. */
export function unprovenLinks(links: readonly Row[]): string[] {
    return links
        .filter((link) => link.status !== "proven" || link.lost !== 0)
        .map((link) => `${cell(link.from)} -> ${cell(link.to)}: ${cell(link.status)}, ${cell(link.lost)} lost`);
}
