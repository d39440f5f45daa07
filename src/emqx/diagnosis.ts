import { checkAccess, checkClientIds } from "./accessChecks.js";
import { checkEnd } from "./endChecks.js";
import type { EndFacts } from "./endFacts.js";
import { type Finding, type FindingId, finding } from "./finding.js";
import { checkLink, checkNames } from "./pairChecks.js";
import { releaseSkew } from "./releases.js";

export type { Finding, FindingId } from "./finding.js";

/** Everything that the facts of both ends say about why messages would or would not cross. Pure. */
export function diagnosePair(a: EndFacts, b: EndFacts): Finding[] {
    return [
        ...checkEnd(a),
        ...checkEnd(b),
        ...checkNames(a, b),
        ...checkSkew(a, b),
        ...checkLink(a, b),
        ...checkLink(b, a),
        ...checkAccess(a, b),
        ...checkAccess(b, a),
        ...checkClientIds(a, b),
        ...checkClientIds(b, a),
    ];
}

function checkSkew(a: EndFacts, b: EndFacts): Finding[] {
    const reason =
        a.identity.read && b.identity.read ? releaseSkew(a.identity.value.version, b.identity.value.version) : undefined;
    return reason === undefined
        ? []
        : [finding("version", "warn", b.site, `${a.site} and ${b.site} run different major versions`, { cause: `${reason}.` })];
}

/** What explains most comes first: with an earlier one, later ones are often only its consequence. */
const telling: readonly FindingId[] = [
    "link-app-down",
    "equal-names",
    "cluster-name",
    "license",
    "link-missing",
    "link-disabled",
    "version",
    "authentication",
    "tls",
    "acl",
    "client-id-clash",
    "link-status",
    "topics",
    "buffers",
    "nodes",
    "api",
];

/** Warnings that can be the reason for missing messages; the others are about safety and care. */
const explainingWarnings: readonly string[] = ["link-status", "buffers", "nodes"] satisfies FindingId[];

/**
 * The one finding that most likely explains why messages do not cross, in one sentence. Undefined where nothing does.
 */
export function likelyCause(findings: readonly Finding[]): string | undefined {
    const place = ({ id }: Finding) => ([...telling, id] as const).indexOf(id);
    const first = (wanted: readonly Finding[]) => wanted.toSorted((one, other) => place(one) - place(other))[0];
    const found =
        first(findings.filter(({ level }) => level === "fail")) ??
        first(findings.filter(({ level }) => level === "unknown")) ??
        first(findings.filter(({ id, level }) => level === "warn" && explainingWarnings.includes(id))) ??
        // No route is in order in itself, and yet all that is left when messages are missing.
        findings.find(({ id, cause }) => id === "routes" && cause !== undefined);
    if (found === undefined) {
        return undefined;
    }
    const cause = found.cause === undefined ? "" : `: ${found.cause.replace(/[.\s]+$/, "")}`;
    return `${found.title} (${found.site})${cause}`;
}
