import type { AuthzRule } from "./acl.js";
import { type Asker, type FileRule, means, parseAclFile } from "./aclFile.js";
import type { AuthorizationSource } from "./answers.js";
import { covers, intersects } from "./topicFilter.js";

/** What somebody wants to do. */
export interface Access extends Asker {
    readonly action: "publish" | "subscribe";
    /** A topic, or for `subscribe` a filter. */
    readonly topic: string;
}

/** What is known of the rules of a cluster. */
export interface RuleBook {
    readonly sources: readonly AuthorizationSource[];
    readonly noMatch: "allow" | "deny";
    /** Rules of the asker's user in the built-in database. Undefined: it has none. */
    readonly userRules?: readonly AuthzRule[] | undefined;
}

/** `unknown` where it hangs on rules that EMQX's REST API does not show. */
export type Decision = "allow" | "deny" | "unknown";

/**
 * What EMQX would answer to an access, as far as its rules can be read: sources in their order, in each the first rule that fits.
 */
export function decide(access: Access, { sources, noMatch, userRules }: RuleBook): Decision {
    let fallback: Decision = noMatch;
    for (const source of sources) {
        if (!source.enable) {
            continue;
        }
        const decision = source.type === "built_in_database" ? byUser(access, userRules) : byFile(access, source);
        if (decision !== undefined && decision !== "silent") {
            return decision;
        }
        // A file of comments may be all that is shown of rules that the broker has built in.
        fallback = decision === "silent" ? "unknown" : fallback;
    }
    return fallback;
}

/** Rules of the database for client ids and for all are not read; a user's own come after those for a client id only. */
function byUser({ action, topic }: Access, rules: readonly AuthzRule[] | undefined): Decision | undefined {
    for (const rule of rules ?? []) {
        if (rule.action === "all" || rule.action === action) {
            const filter = rule.topic.replace(/^eq /, "");
            const fits = rule.topic.startsWith("eq ") ? filter === topic : covers(filter, topic);
            if (fits) {
                return rule.permission;
            }
        }
    }
    return undefined;
}

function byFile(access: Access, { type, rules }: AuthorizationSource): Decision | "silent" | undefined {
    const parsed = type === "file" && rules !== undefined ? parseAclFile(rules) : undefined;
    if (parsed === undefined || parsed.length === 0) {
        return parsed === undefined ? "unknown" : "silent";
    }
    for (const rule of parsed) {
        const fits = ruleFits(rule, access);
        if (fits !== false) {
            return fits === undefined ? "unknown" : rule.permission;
        }
    }
    return undefined;
}

function ruleFits(rule: FileRule, access: Access): boolean | undefined {
    if (rule.action !== "all" && rule.action !== access.action) {
        return false;
    }
    const topics = rule.topics === undefined ? true : topicsFit(rule.topics, access);
    const who = means(rule.who, access);
    return topics === false || who === false ? false : topics === undefined || who === undefined ? undefined : true;
}

function topicsFit(topics: NonNullable<FileRule["topics"]>, { topic, username }: Access): boolean | undefined {
    const fits = topics.map(({ filter, exact }) => {
        const filled = username === undefined ? filter : filter.replaceAll(/\$\{username\}|%u/g, username);
        if (/\$\{|%[cu]/.test(filled)) {
            // A placeholder for what is not known stands for one level at most.
            return intersects(filled.replaceAll(/[^/]*(?:\$\{[^}]*\}|%[cu])[^/]*/g, "+"), topic) ? undefined : false;
        }
        return exact ? filled === topic : covers(filled, topic);
    });
    return fits.includes(true) ? true : fits.includes(undefined) ? undefined : false;
}
