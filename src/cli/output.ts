import Table from "cli-table3";

/** Where a command writes, and what it may use. Tests replace it. */
export interface CliIo {
    readonly out: (text: string) => void;
    readonly err: (text: string) => void;
    readonly env: NodeJS.ProcessEnv;
    readonly cwd: string;
    readonly now: () => Date;
    /** Whether the output is a terminal that shows colours. */
    readonly color: boolean;
    /** Aborted when the reader has had enough (Ctrl-C). */
    readonly signal: AbortSignal;
}

/** How a word is to be taken. */
export type Mood = "good" | "bad" | "warn" | "dim" | "plain";

const codes: Readonly<Record<Mood, string>> = { good: "32", bad: "31", warn: "33", dim: "2", plain: "0" };

/** Writes words in colour where the terminal has any. */
export type Paint = (text: string, mood: Mood) => string;

export function painter(color: boolean): Paint {
    return (text, mood) => (color && mood !== "plain" ? `\u001b[${codes[mood]}m${text}\u001b[0m` : text);
}

/** A table with a head line. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
    const shown = new Table({
        head: head.map((title) => paint(title, "dim")),
        style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
        chars: {
            top: "",
            "top-mid": "",
            "top-left": "",
            "top-right": "",
            bottom: "",
            "bottom-mid": "",
            "bottom-left": "",
            "bottom-right": "",
            left: "",
            "left-mid": "",
            mid: "",
            "mid-mid": "",
            right: "",
            "right-mid": "",
            middle: "",
        },
    });
    shown.push(...rows.map((row) => [...row]));
    return shown
        .toString()
        .split("\n")
        .map((line) => line.trimEnd())
        .join("\n");
}

/** A figure, or a dash where nothing was measured. */
export function figure(value: number | undefined, unit = ""): string {
    return value === undefined ? "-" : `${value}${unit}`;
}

/** How long ago something was: `3 min`, `2 days`. */
export function age(from: string | undefined, now: Date): string {
    const seconds = ageSeconds(from, now);
    if (seconds === undefined) {
        return "never";
    }
    const steps: readonly (readonly [number, string])[] = [
        [86_400 * 2, "days"],
        [3_600 * 2, "h"],
        [60 * 2, "min"],
    ];
    for (const [limit, unit] of steps) {
        if (seconds >= limit) {
            return `${Math.floor((seconds / limit) * 2)} ${unit}`;
        }
    }
    return `${seconds} s`;
}

/** The same in whole seconds; `undefined` where the time is not known. */
export function ageSeconds(from: string | undefined, now: Date): number | undefined {
    const then = from === undefined ? Number.NaN : Date.parse(from);
    return Number.isNaN(then) ? undefined : Math.max(0, Math.round((now.getTime() - then) / 1000));
}

/** One JSON document, for programs. */
export function json(value: unknown): string {
    return `${JSON.stringify(value, null, 2)}\n`;
}
