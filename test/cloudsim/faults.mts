import type { CloudName } from "./types.mts";

/** What goes wrong with which operations. */
export interface FaultRule {
    readonly operation: "create" | "read" | "update" | "delete";
    /** Pulumi's type token, or its last part such as `NatGateway`. @default every type */
    readonly type?: string;
    /** Logical name of the resource. @default every name */
    readonly name?: string | RegExp;
    /** Which of the fitting operations fails, from 1. @default 1 */
    readonly nth?: number;
    /** How many fail from then on. @default 1 */
    readonly times?: number;
    /**
     * `before`: nothing was done. `after`: it was done, and the provider knows and reports the object as not ready. `lost`: it was done
     * and the provider does not know. `kill`: the plugin ends before anything was done. `kill-after`: it ends after it was done.
     * `slow`: the operation takes `delayMs` longer and succeeds.
     */
    readonly what: "before" | "after" | "lost" | "kill" | "kill-after" | "slow";
    /** @default "InternalError: An internal error has occurred" */
    readonly message?: string;
    readonly delayMs?: number;
}

export interface Operation {
    readonly operation: FaultRule["operation"];
    readonly cloud: CloudName;
    readonly type: string;
    readonly name: string;
}

/** The faults that a test has asked for. */
export class Faults {
    #rules: { readonly rule: FaultRule; seen: number }[] = [];
    /** Every fault that has happened. */
    readonly happened: (Operation & { readonly what: FaultRule["what"] })[] = [];

    add(rule: FaultRule): void {
        this.#rules.push({ rule, seen: 0 });
    }

    clear(): void {
        this.#rules = [];
    }

    /** What goes wrong with an operation that begins now; counts it. */
    next(operation: Operation): FaultRule | undefined {
        for (const entry of this.#rules) {
            if (!fits(entry.rule, operation)) {
                continue;
            }
            entry.seen += 1;
            const { nth = 1, times = 1, what } = entry.rule;
            if (entry.seen >= nth && entry.seen < nth + times) {
                this.happened.push({ ...operation, what });
                return entry.rule;
            }
        }
        return undefined;
    }
}

function fits(rule: FaultRule, { operation, type, name }: Operation): boolean {
    const { type: wanted, name: named } = rule;
    return (
        rule.operation === operation &&
        (wanted === undefined || wanted === type || type.split(":").at(-1) === wanted) &&
        (named === undefined || (typeof named === "string" ? named === name : named.test(name)))
    );
}
