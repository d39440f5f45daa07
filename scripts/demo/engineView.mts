import { stripVTControlCharacters } from "node:util";
import { elapsed } from "../output.mts";

/** What a resource's end is called, by the last part of its type; everything else is only counted. */
const shown: Readonly<Record<string, readonly [noun: string, made: string]>> = {
    LocalBroker: ["broker", "runs"],
    ClusterLink: ["link", "set up"],
    DeliveryProbe: ["proof", "messages counted"],
    ClusterPreflight: ["preflight", "passed"],
};

const past: Readonly<Record<string, string>> = {
    update: "updated",
    delete: "removed",
    replace: "replaced",
    "create-replacement": "replaced",
    "delete-replaced": "old one removed",
};

interface Step {
    readonly label: string;
    readonly since: number;
    note?: string;
}

/**
 * Turns the engine's events into few readable lines. Pure but for the clock: what is to be printed is returned.
 */
export class EngineView {
    readonly #startedAt: number;
    readonly #working = new Map<string, Step>();
    readonly #seen = new Set<string>();
    #counted = 0;
    #lastLineAt: number;
    /** Messages of errors, in their order. */
    readonly errors: string[] = [];

    /** @param startedAt what the elapsed time of the lines counts from */
    constructor(startedAt: number, now = startedAt) {
        this.#startedAt = startedAt;
        this.#lastLineAt = now;
    }

    /** Lines for one event, given as a line of the engine's log. */
    read(line: string, now: number): string[] {
        let event: EngineEvent;
        try {
            event = JSON.parse(line) as EngineEvent;
        } catch {
            return [];
        }
        const lines = [
            ...this.#begin(event.resourcePreEvent?.metadata, now),
            ...this.#end(event.resOutputsEvent?.metadata, now),
            ...this.#fail(event.resOpFailedEvent?.metadata, now),
            ...this.#diagnose(event.diagnosticEvent),
        ];
        if (lines.length > 0) {
            this.#lastLineAt = now;
        }
        return lines;
    }

    /** A sign of life after `quietMs` without a line: what is being worked on, longest first. */
    heartbeat(now: number, quietMs = 5000): string[] {
        if (now - this.#lastLineAt < quietMs) {
            return [];
        }
        this.#lastLineAt = now;
        if (this.#working.size === 0) {
            return [`${elapsed(this.#startedAt, now)} waiting for Pulumi`];
        }
        const steps = [...this.#working.values()].sort((a, b) => a.since - b.since).slice(0, 3);
        const more = this.#working.size - steps.length;
        const list = steps.map(
            (step) =>
                `${step.label} (${Math.round((now - step.since) / 1000)} s${step.note === undefined ? "" : `: ${step.note}`})`,
        );
        return [`${elapsed(this.#startedAt, now)} working on ${list.join(", ")}${more > 0 ? ` and ${more} more` : ""}`];
    }

    /** Closing words on what was only counted. */
    rest(): string | undefined {
        return this.#counted === 0 ? undefined : `and ${this.#counted} more resources (certificates, passwords, access rules)`;
    }

    #begin(step: Metadata | undefined, now: number): string[] {
        if (step !== undefined && step.op !== "same" && isManaged(step)) {
            this.#working.set(step.urn, { label: labelOf(step), since: now });
        }
        return [];
    }

    #end(step: Metadata | undefined, now: number): string[] {
        if (step === undefined || !this.#working.delete(step.urn)) {
            return [];
        }
        const kind = shown[kindOf(step)];
        if (kind === undefined || step.op === "replace" || step.op === "delete-replaced") {
            this.#counted += step.op === "replace" || step.op === "delete-replaced" ? 0 : 1;
            return [];
        }
        const result =
            step.op === "create" || (step.op === "update" && kind[0] === "proof") ? kind[1] : (past[step.op] ?? step.op);
        return [`${elapsed(this.#startedAt, now)} ${kind[0].padEnd(9)} ${nameOf(step).padEnd(36)} ${result}`];
    }

    #fail(step: Metadata | undefined, now: number): string[] {
        if (step === undefined) {
            return [];
        }
        this.#working.delete(step.urn);
        return [`${elapsed(this.#startedAt, now)} ${labelOf(step)} FAILED`];
    }

    #diagnose(event: Diagnostic | undefined): string[] {
        if (event === undefined) {
            return [];
        }
        const text = plain(event.message ?? "");
        if (event.ephemeral === true) {
            const step = this.#working.get(event.urn ?? "");
            if (step !== undefined && text !== "") {
                step.note = text.split("\n")[0] ?? "";
            }
            return [];
        }
        const isNoise = text === "" || text === "update failed" || /^using pulumi-\S+ from \$PATH/.test(text);
        if (isNoise || (event.severity !== "error" && event.severity !== "warning")) {
            return [];
        }
        const where = event.urn === undefined || event.urn === "" ? "" : `${nameOf({ urn: event.urn })}: `;
        if (this.#seen.has(where + text)) {
            return [];
        }
        this.#seen.add(where + text);
        if (event.severity === "error") {
            this.errors.push(`${where}${text}`);
        }
        return [`${event.severity}: ${where}${text}`];
    }
}

interface EngineEvent {
    readonly resourcePreEvent?: { readonly metadata: Metadata };
    readonly resOutputsEvent?: { readonly metadata: Metadata };
    readonly resOpFailedEvent?: { readonly metadata: Metadata };
    readonly diagnosticEvent?: Diagnostic;
}

interface Metadata {
    readonly op: string;
    readonly urn: string;
    readonly type: string;
}

interface Diagnostic {
    readonly urn?: string;
    readonly message?: string;
    readonly severity?: string;
    readonly ephemeral?: boolean;
}

/** Resources with a life of their own: no components, no stack, no providers. */
function isManaged({ type }: Metadata): boolean {
    return type.startsWith("pulumi-nodejs:");
}

function kindOf({ type }: Metadata): string {
    return type.slice(type.lastIndexOf(":") + 1);
}

function labelOf(step: Metadata): string {
    const kind = kindOf(step);
    return `${shown[kind]?.[0] ?? kind} ${nameOf(step)}`;
}

function nameOf({ urn }: Pick<Metadata, "urn">): string {
    return urn.slice(urn.lastIndexOf("::") + 2);
}

/** Without the engine's colour marks and the terminal's. */
function plain(text: string): string {
    return stripVTControlCharacters(text.replace(/<\{%[^%]*%\}>/g, "")).trim();
}
