import { InputError, quote } from "../errors.js";

/** Longest topic in bytes of UTF-8: MQTT sends the length in 16 bits. */
const longestTopic = 65_535;

/**
 * Checks the topic filters of a link, as a set.
 *
 * Refused: what MQTT refuses; EMQX's own topics (`$LINK`, `$SYS`), shared subscriptions (`$share/…` is a way to subscribe, not a
 * filter), duplicates, and a filter that another one covers already (EMQX answers 400 redundant_topics). An empty list is a link that
 * receives nothing.
 *
 * @throws InputError naming the filter
 */
export function checkTopicFilters(filters: readonly string[], argument = "topics"): readonly string[] {
    for (const [index, filter] of filters.entries()) {
        checkTopicFilter(filter, `${argument}[${index}]`);
    }
    for (const [index, filter] of filters.entries()) {
        for (const [other, wider] of filters.entries()) {
            if (other === index) {
                continue;
            }
            if (filter === wider) {
                if (index > other) {
                    throw new InputError(
                        `${argument}[${index}]`,
                        `${quote(filter)} stands in ${argument}[${other}] already; leave one of them out`,
                    );
                }
            } else if (covers(wider, filter)) {
                throw new InputError(
                    `${argument}[${index}]`,
                    `${quote(filter)} is covered by ${quote(wider)}; leave it out, EMQX refuses redundant topics`,
                );
            }
        }
    }
    return filters;
}

/** Checks one topic filter of a link; see {@link checkTopicFilters}. */
export function checkTopicFilter(filter: string, argument = "topic"): void {
    const shown = quote(filter);
    if (typeof filter !== "string" || filter === "") {
        throw new InputError(argument, `${shown} is no topic filter; set for example "fleet/#"`);
    }
    if (filter.includes("\u0000")) {
        throw new InputError(argument, `${shown} holds a NUL character, which MQTT forbids`);
    }
    if (!filter.isWellFormed()) {
        throw new InputError(argument, `${shown} is no valid Unicode (a lone surrogate), so it has no UTF-8 form`);
    }
    if (Buffer.byteLength(filter) > longestTopic) {
        throw new InputError(argument, `${shown} has ${Buffer.byteLength(filter)} bytes; MQTT allows ${longestTopic}`);
    }
    const levels = filter.split("/");
    if (
        levels[0] === "$LINK" ||
        levels[0] === "$SYS" ||
        levels[0] === "$queue" ||
        levels[0] === "$exclusive" ||
        levels[0] === "$delayed"
    ) {
        throw new InputError(
            argument,
            `${shown} is of EMQX's own topics, which must not cross a link; set the topics of your devices`,
        );
    }
    if (levels[0] === "$share") {
        throw new InputError(
            argument,
            `${shown} is a shared subscription; set the filter inside it, ${quote(levels.slice(2).join("/") || "a/b")}`,
        );
    }
    for (const [position, level] of levels.entries()) {
        if (level.includes("#") && (level !== "#" || position !== levels.length - 1)) {
            throw new InputError(argument, `${shown} has a "#" that is not alone in the last level; set for example "a/#"`);
        }
        if (level.includes("+") && level !== "+") {
            throw new InputError(argument, `${shown} has a "+" that is not alone in its level; set for example "a/+/b"`);
        }
    }
}

/** Whether a topic matches a filter, by MQTT's rules: wildcards at the beginning do not match topics that begin with `$`. */
export function matches(filter: string, topic: string): boolean {
    if (topic.startsWith("$") && !filter.startsWith("$")) {
        return false;
    }
    const wanted = filter.split("/");
    const given = topic.split("/");
    for (const [position, level] of wanted.entries()) {
        if (level === "#") {
            return true;
        }
        if (position >= given.length || (level !== "+" && level !== given[position])) {
            return false;
        }
    }
    return wanted.length === given.length;
}

/** Whether every topic that matches `narrow` matches `wide` too. */
export function covers(wide: string, narrow: string): boolean {
    if (narrow.startsWith("$") && !wide.startsWith("$")) {
        return false;
    }
    const outer = wide.split("/");
    const inner = narrow.split("/");
    for (const [position, level] of outer.entries()) {
        if (level === "#") {
            return true;
        }
        const given = inner[position];
        // A topic has at least one level, so "#" alone asks no more of the first than "+" does.
        if (position === 0 && level === "+" && given === "#") {
            return outer[1] === "#";
        }
        if (given === undefined || given === "#" || (level !== "+" && level !== given)) {
            return false;
        }
    }
    return outer.length === inner.length;
}

/** Whether some topic matches both filters. */
export function intersects(one: string, other: string): boolean {
    if (one.startsWith("$") !== other.startsWith("$")) {
        return false;
    }
    const left = one.split("/");
    const right = other.split("/");
    for (let position = 0; ; position++) {
        const a = left[position];
        const b = right[position];
        if (a === "#" || b === "#") {
            return true;
        }
        if (a === undefined || b === undefined) {
            return a === b;
        }
        if (a !== b && a !== "+" && b !== "+") {
            return false;
        }
    }
}
