/** A part of an Erlang term as far as rule files use them. */
type Term =
    | { readonly kind: "atom" | "text"; readonly value: string }
    | { readonly kind: "tuple" | "list"; readonly items: readonly Term[] };

/** One rule of a rule file (`acl.conf`). */
export interface FileRule {
    readonly permission: "allow" | "deny";
    readonly who: Term;
    /** Undefined: every action on every topic. */
    readonly action: "publish" | "subscribe" | "all";
    /** Undefined: every topic. */
    readonly topics?: readonly { readonly filter: string; readonly exact: boolean }[];
}

const longestPattern = 100;

/** Somebody who asks for something. */
export interface Asker {
    /** Undefined: a stranger, of whom nothing is known. */
    readonly username?: string | undefined;
}

/**
 * The rules of a rule file. Undefined where it has a form that is not understood here: then nothing is claimed about it.
 */
export function parseAclFile(source: string): readonly FileRule[] | undefined {
    const reader = new TermReader(source);
    const rules: FileRule[] = [];
    while (!reader.atEnd()) {
        const term = reader.term();
        const rule = term === undefined || !reader.take(".") ? undefined : ruleOf(term);
        if (rule === undefined) {
            return undefined;
        }
        rules.push(rule);
    }
    return rules;
}

function ruleOf(term: Term): FileRule | undefined {
    if (term.kind !== "tuple") {
        return undefined;
    }
    const [permission, who, action, topics] = term.items;
    const granted = nameOf(permission);
    if ((granted !== "allow" && granted !== "deny") || who === undefined) {
        return undefined;
    }
    if (action === undefined) {
        return { permission: granted, who, action: "all" };
    }
    const [done] = action.kind === "tuple" ? action.items : [action];
    const verb = nameOf(done);
    if (verb !== "publish" && verb !== "subscribe" && verb !== "all") {
        return undefined;
    }
    const filters = topics?.kind === "list" ? topics.items.map(filterOf) : undefined;
    return filters === undefined || filters.some((filter) => filter === undefined)
        ? undefined
        : { permission: granted, who, action: verb, topics: filters.filter((filter) => filter !== undefined) };
}

function filterOf(term: Term): { filter: string; exact: boolean } | undefined {
    if (term.kind === "text") {
        return { filter: term.value, exact: false };
    }
    if (term.kind === "tuple" && nameOf(term.items[0]) === "eq" && term.items[1]?.kind === "text") {
        return { filter: term.items[1].value, exact: true };
    }
    return undefined;
}

function nameOf(term: Term | undefined): string | undefined {
    return term?.kind === "atom" ? term.value : undefined;
}

/** Whether a rule's first part means somebody; undefined where that hangs on what is not known of them. */
export function means(who: Term, asker: Asker): boolean | undefined {
    if (who.kind === "atom") {
        return who.value === "all" ? true : undefined;
    }
    if (who.kind !== "tuple") {
        return undefined;
    }
    const [kind, value] = who.items;
    const parts = value?.kind === "list" ? value.items.map((part) => means(part, asker)) : [];
    switch (nameOf(kind)) {
        case "and":
            return parts.includes(false) ? false : parts.includes(undefined) ? undefined : true;
        case "or":
            return parts.includes(true) ? true : parts.includes(undefined) ? undefined : false;
        case "user":
        case "username":
            return meansName(value, asker.username);
        case "ipaddr":
        case "ipaddrs":
        case "client":
        case "clientid":
            // A stranger is the one for whom nobody wrote a rule of their own.
            return asker.username === undefined ? false : undefined;
        default:
            return undefined;
    }
}

function meansName(value: Term | undefined, username: string | undefined): boolean | undefined {
    if (value?.kind === "text") {
        return value.value === username;
    }
    if (username === undefined) {
        return false;
    }
    const [kind, pattern] = value?.kind === "tuple" ? value.items : [];
    return nameOf(kind) === "re" && pattern?.kind === "text" ? fitsPattern(pattern.value, username) : undefined;
}

/** EMQX's patterns are PCRE; what JavaScript cannot read or what is long enough to take time is left open. */
function fitsPattern(pattern: string, text: string): boolean | undefined {
    if (pattern.length > longestPattern) {
        return undefined;
    }
    try {
        return new RegExp(pattern, "u").test(text);
    } catch {
        return undefined;
    }
}

class TermReader {
    readonly #source: string;
    #at = 0;

    constructor(source: string) {
        this.#source = source;
    }

    atEnd(): boolean {
        this.#skip();
        return this.#at >= this.#source.length;
    }

    take(mark: string): boolean {
        this.#skip();
        if (!this.#source.startsWith(mark, this.#at)) {
            return false;
        }
        this.#at += mark.length;
        return true;
    }

    term(): Term | undefined {
        if (this.take("{")) {
            return this.#sequence("tuple", "}");
        }
        if (this.take("[")) {
            return this.#sequence("list", "]");
        }
        if (this.take("<<")) {
            const text = this.term();
            return text?.kind === "text" && this.take(">>") ? text : undefined;
        }
        return this.#text() ?? this.#atom();
    }

    #sequence(kind: "tuple" | "list", end: string): Term | undefined {
        const items: Term[] = [];
        if (this.take(end)) {
            return { kind, items };
        }
        do {
            const item = this.term();
            if (item === undefined) {
                return undefined;
            }
            items.push(item);
        } while (this.take(","));
        return this.take(end) ? { kind, items } : undefined;
    }

    #text(): Term | undefined {
        const found = this.#match(/"((?:[^"\\]|\\.)*)"/sy);
        return found === undefined ? undefined : { kind: "text", value: found.replace(/\\(.)/gs, "$1") };
    }

    #atom(): Term | undefined {
        const found = this.#match(/'([^']*)'/y) ?? this.#match(/([A-Za-z0-9_@]+)/y);
        return found === undefined ? undefined : { kind: "atom", value: found };
    }

    #match(pattern: RegExp): string | undefined {
        this.#skip();
        pattern.lastIndex = this.#at;
        const found = pattern.exec(this.#source);
        if (found === null) {
            return undefined;
        }
        this.#at = pattern.lastIndex;
        return found[1];
    }

    #skip(): void {
        const blank = /(?:\s+|%[^\n]*)*/y;
        blank.lastIndex = this.#at;
        blank.exec(this.#source);
        this.#at = blank.lastIndex;
    }
}
