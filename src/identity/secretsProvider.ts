import { randomBytes } from "node:crypto";
import { checkFailures } from "../dynamic/checkFailures.js";
import type { Lifecycle } from "../dynamic/provider.js";
import { hasUnknown } from "../dynamic/provider.js";
import { identityDefaults } from "./certificateRules.js";
import { checkSecretNames } from "./secretRules.js";

/** What state holds of the arguments of generated secrets. */
export interface SecretsInputs {
    readonly names: readonly string[];
    readonly bytes?: number;
    readonly rotation?: Readonly<Record<string, number>>;
    readonly progressUrn?: string;
}

/** What state holds of generated secrets. `values` is secret. */
export interface SecretsOutputs extends SecretsInputs {
    readonly values: Readonly<Record<string, string>>;
}

/** Makes secrets that stay what they are until their own rotation counter is raised. */
export const secretsProvider: Lifecycle<SecretsInputs, SecretsOutputs> = {
    async check(news) {
        return { inputs: news, failures: hasUnknown(news) ? [] : checkFailures("names", () => checkSecretNames(news)) };
    },

    async diff(_id, olds, news) {
        const had = Object.keys(olds.values);
        return {
            changes:
                had.length !== news.names.length || news.names.some((name) => !had.includes(name) || isRotated(name, olds, news)),
        };
    },

    async create(inputs) {
        return { id: randomBytes(8).toString("hex"), outs: make(inputs) };
    },

    async update(_id, olds, news) {
        return make(news, olds);
    },
};

function isRotated(name: string, olds: SecretsInputs, news: SecretsInputs): boolean {
    return (olds.rotation?.[name] ?? 0) !== (news.rotation?.[name] ?? 0);
}

function make(inputs: SecretsInputs, before?: SecretsOutputs): SecretsOutputs {
    const bytes = inputs.bytes ?? identityDefaults.secretBytes;
    const value = (name: string) => {
        const had = before?.values[name];
        return had === undefined || before === undefined || isRotated(name, before, inputs)
            ? randomBytes(bytes).toString("base64url")
            : had;
    };
    return { ...inputs, values: Object.fromEntries(inputs.names.map((name) => [name, value(name)])) };
}
