/** What strongSwan has of a connection. */
export interface Sas {
    /** Whether it is established. */
    readonly ike: boolean;
    /** Whether it is on its way. */
    readonly connecting: boolean;
    /** How many different children carry packets. */
    readonly installed: number;
    /** Names of children in whatever state. */
    readonly present: readonly string[];
}

/** Reads what `swanctl --list-sas` prints. */
export function readSas(text: string, connection: string): Sas {
    let within = false;
    const states: string[] = [];
    const children = new Map<string, boolean>();
    for (const line of text.split("\n")) {
        const head = /^(\S+): #\d+, (\w+)/.exec(line);
        if (head !== null) {
            within = head[1] === connection;
            states.push(...(within ? [head[2] ?? ""] : []));
        }
        const [, name, state] = /^\s+(\S+): #\d+, reqid \d+, (\w+)/.exec(line) ?? [];
        if (within && name !== undefined) {
            children.set(name, children.get(name) === true || state === "INSTALLED");
        }
    }
    const ike = states.includes("ESTABLISHED");
    return {
        ike,
        connecting: !ike && states.includes("CONNECTING"),
        installed: [...children.values()].filter(Boolean).length,
        present: [...children.keys()],
    };
}
