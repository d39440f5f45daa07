import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** A licence as EMQX shows it. */
type Shown = Readonly<Record<string, string | number | boolean>>;

const kinds = {
    community: { type: "community", sessions: 10_000_000, start_at: "2025-03-02", expiry_at: "2029-03-01", customer_type: 11 },
    trial: { type: "trial", sessions: 25, start_at: "2025-03-02", expiry_at: "2029-03-01", customer_type: 10 },
    official: { type: "official", sessions: 100_000, start_at: "2026-01-01", expiry_at: "2036-01-01", customer_type: 1 },
} as const;

type Kind = keyof typeof kinds;

/** The licence of a broker, which enforces none of it. What was loaded is kept on disk as its kind, without the key. */
export class License {
    readonly #file: string;
    #kind: Kind;

    constructor(file: string) {
        this.#file = file;
        const stored = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
        this.#kind = isKind(stored) ? stored : "community";
    }

    get sessions(): number {
        return kinds[this.#kind].sessions;
    }

    show(): Shown {
        const { sessions, ...rest } = kinds[this.#kind];
        return {
            ...rest,
            max_connections: sessions,
            max_sessions: sessions,
            email: "contact@emqx.io",
            customer: "Developer",
            deployment: "Development",
            expiry: false,
        };
    }

    /** `false`: it is no key. Signatures are not verified: a text that has a key's form is one. */
    load(key: string): boolean {
        const kind = kindOf(key);
        if (kind === undefined) {
            return false;
        }
        this.#kind = kind;
        writeFileSync(this.#file, kind, { mode: 0o600 });
        return true;
    }
}

function isKind(text: string): text is Kind {
    return Object.hasOwn(kinds, text);
}

/** EMQX's keys are a payload and its signature, each in base64, with a dot between them. */
function kindOf(key: string): Kind | undefined {
    switch (key) {
        case "default":
            return "community";
        case "evaluation":
            return "trial";
        default:
            return /^[A-Za-z0-9+/]{8,}={0,2}\.[A-Za-z0-9+/]{8,}={0,2}$/.test(key) ? "official" : undefined;
    }
}
