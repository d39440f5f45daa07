import { appendFileSync } from "node:fs";

/** What happened in the simulated world, line by line: the first thing to read when a test fails. */
export class WorldLog {
    readonly #file: string;
    readonly lines: string[] = [];
    readonly #last = new Map<string, string>();

    constructor(file: string) {
        this.#file = file;
    }

    /** Says something; what the same one has just said is not repeated. */
    say(who: string, what: string): void {
        if (this.#last.get(who) === what) {
            return;
        }
        this.#last.set(who, what);
        const line = `${new Date().toISOString()} ${who}: ${what}`;
        this.lines.push(line);
        appendFileSync(this.#file, `${line}\n`);
    }
}
