import { appendFileSync } from "node:fs";

/** What happened in the simulated world, line by line: the first thing to read when a test fails. */
export class WorldLog {
    readonly #file: string;
    readonly lines: string[] = [];

    constructor(file: string) {
        this.#file = file;
    }

    say(who: string, what: string): void {
        const line = `${new Date().toISOString()} ${who}: ${what}`;
        this.lines.push(line);
        appendFileSync(this.#file, `${line}\n`);
    }
}
