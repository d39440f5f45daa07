import { quote } from "../errors.js";

/** The release that new clusters are made with, and that all figures of this library about links were measured on. */
export const defaultRelease = "5.10.3";

/** What holds for a range of EMQX releases: `from` is the first one, `below` the first one after it. */
export interface ReleaseRow {
    readonly from: string;
    /** Absent: no end is known. */
    readonly below?: string;
    readonly level: "ok" | "warn" | "refuse";
    /** When the row applies. @default always */
    readonly when?: "tls" | "unlicensed";
    /** What a reader is told. Absent for `ok`. */
    readonly reason?: string;
    /** How long a cluster keeps the routes of a remote that has fallen silent, in seconds. */
    readonly routeLifeSeconds: number;
    /** Where this is known from. */
    readonly source: string;
    /** When it was looked up, ISO 8601 date. */
    readonly date: string;
}

const routeLifeSeconds = 30;
const looked = "2026-11-23";
const licenceReason =
    "cluster linking needs a licence that is not the community one (EMQX answers 400); load a licence key, or use 5.10";
const tlsReason =
    "cluster links over TLS stop delivering shortly after they connect in this release; use the next patch release or 5.10";
const tlsSource = "EMQX issue 17617 of 2026-06-17, which lists exactly 6.1.2 and 6.2.1; not measured";
const licenceSource = "source of 6.0.3, 6.1.4 and 6.2.2: commit 4c3e70325e";

/** Known facts about releases. All rows that fit a release hold; the gravest speaks. */
export const releases: readonly ReleaseRow[] = [
    {
        from: "0.0.0",
        below: "5.8.0",
        level: "refuse",
        reason: "this release has no cluster linking; use 5.10",
        routeLifeSeconds: 0,
        source: "source: emqx_cluster_link appears in 5.8.0",
        date: looked,
    },
    {
        from: "5.8.0",
        below: "5.8.4",
        level: "refuse",
        reason: "the REST API for cluster links is not complete before 5.8.4; use 5.10",
        routeLifeSeconds,
        source: "source: emqx_cluster_link_api.erl of 5.8.0 and 5.8.4",
        date: looked,
    },
    {
        from: "5.8.4",
        below: "5.11.0",
        level: "ok",
        routeLifeSeconds,
        source: "measured on 5.10.3; the same REST paths in the source of 5.8.4 to 5.10.4",
        date: looked,
    },
    {
        from: "5.11.0",
        level: "warn",
        reason: "its cluster links were never measured with this library, only 5.10.3's were; run `linkspan verify` after each change",
        routeLifeSeconds,
        source: "source of 6.0.0 to 6.2.2, read only",
        date: looked,
    },
    { from: "6.1.2", below: "6.1.3", level: "refuse", when: "tls", reason: tlsReason, ...known(tlsSource) },
    { from: "6.2.1", below: "6.2.2", level: "refuse", when: "tls", reason: tlsReason, ...known(tlsSource) },
    { from: "6.0.3", below: "6.1.0", level: "refuse", when: "unlicensed", reason: licenceReason, ...known(licenceSource) },
    { from: "6.1.4", below: "6.2.0", level: "refuse", when: "unlicensed", reason: licenceReason, ...known(licenceSource) },
    { from: "6.2.2", level: "refuse", when: "unlicensed", reason: licenceReason, ...known(licenceSource) },
];

function known(source: string): Pick<ReleaseRow, "routeLifeSeconds" | "source" | "date"> {
    return { routeLifeSeconds, source, date: looked };
}

/** What {@link checkRelease} says of a release. */
export interface ReleaseVerdict {
    readonly level: "ok" | "warn" | "refuse";
    /** A sentence that names the release and what to do. Absent for `ok`. */
    readonly reason?: string;
}

/**
 * Whether a cluster of this release can be linked.
 *
 * @param version as EMQX reports it: `5.10.3`, `e5.10.3`, `v5.10.3`, `5.10.0-rc.1`
 * @param needs `tls`: links use TLS. `licensed`: whether a licence other than the community one is loaded; undefined where that is not known
 */
export function checkRelease(
    version: string,
    needs: { readonly tls: boolean; readonly licensed?: boolean | undefined },
): ReleaseVerdict {
    const parsed = parseVersion(version);
    if (parsed === undefined) {
        return { level: "warn", reason: `EMQX reports the version ${quote(version)}, which is no release that is known here` };
    }
    const shown = `EMQX ${parsed.join(".")}`;
    const fitting = releases.filter((row) => isWithin(parsed, row) && applies(row, needs));
    const refused = fitting.find(({ level }) => level === "refuse");
    // A licence that is merely unknown must not stop anybody: EMQX itself refuses, and says why.
    if (refused !== undefined && !(refused.when === "unlicensed" && needs.licensed === undefined)) {
        return { level: "refuse", reason: `${shown}: ${refused.reason}` };
    }
    const spoken = refused ?? fitting.find(({ level }) => level === "warn");
    return spoken === undefined ? { level: "ok" } : { level: "warn", reason: `${shown}: ${spoken.reason}` };
}

function applies({ when }: ReleaseRow, needs: { readonly tls: boolean; readonly licensed?: boolean | undefined }): boolean {
    return when === undefined || (when === "tls" ? needs.tls : needs.licensed !== true);
}

/** How long (seconds) a cluster of this release keeps the routes of a remote that has fallen silent, which no buffer outlives. */
export function routeLife(version: string = defaultRelease): number {
    const parsed = parseVersion(version) ?? [];
    const lives = releases.filter((row) => isWithin(parsed, row)).map((row) => row.routeLifeSeconds);
    return lives.length === 0 ? routeLifeSeconds : Math.min(...lives);
}

/** Whether links between two releases are within what EMQX was read to support: undefined when so, else the reason for a warning. */
export function releaseSkew(one: string, other: string): string | undefined {
    const [left, right] = [parseVersion(one), parseVersion(other)];
    if (left === undefined || right === undefined || left[0] === right[0]) {
        return undefined;
    }
    return `EMQX ${left.join(".")} and ${right.join(".")} are of different major versions; links between them were never measured, upgrade one side or run \`linkspan verify\` after each change`;
}

/** Major, minor and patch of a version as EMQX writes it. Undefined when it is none. */
export function parseVersion(version: string): readonly [number, number, number] | undefined {
    const match = /^[ev]?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+.].*)?$/.exec(version.trim());
    return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

function isWithin(version: readonly number[], { from, below }: ReleaseRow): boolean {
    return (
        compare(version, parseVersion(from) ?? []) >= 0 &&
        (below === undefined || compare(version, parseVersion(below) ?? []) < 0)
    );
}

function compare(one: readonly number[], other: readonly number[]): number {
    for (const position of [0, 1, 2]) {
        const difference = (one[position] ?? 0) - (other[position] ?? 0);
        if (difference !== 0) {
            return difference;
        }
    }
    return 0;
}
