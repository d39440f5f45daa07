/** An alarm as EMQX's REST shows it. Times are RFC 3339. */
export interface Alarm {
    readonly name: string;
    readonly message: string;
    readonly details: Record<string, unknown>;
    readonly activatedAt: number;
    readonly deactivatedAt?: number;
}

const historyLength = 1000;

/** Active alarms and the history of former ones. */
export class Alarms {
    readonly #active = new Map<string, Alarm>();
    #history: Alarm[] = [];

    raise(name: string, message: string, details: Record<string, unknown>): void {
        const before = this.#active.get(name);
        if (before?.message !== message) {
            this.#active.set(name, { name, message, details, activatedAt: before?.activatedAt ?? Date.now() });
        }
    }

    clear(name: string): void {
        const alarm = this.#active.get(name);
        if (alarm !== undefined) {
            this.#active.delete(name);
            this.#history = [{ ...alarm, deactivatedAt: Date.now() }, ...this.#history].slice(0, historyLength);
        }
    }

    clearHistory(): void {
        this.#history = [];
    }

    list(active: boolean): readonly Alarm[] {
        return active ? [...this.#active.values()] : this.#history;
    }
}
