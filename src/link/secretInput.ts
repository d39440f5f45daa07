import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../errors.js";

/**
 * Refuses a secret that is given as plain text: it would stand in the program, and Pulumi would not keep it from outputs made of it.
 *
 * @param where what may hold the secret: the value itself, or an object with it under `key`
 * @throws InputError naming the argument, never showing the value
 */
export function refusePlainSecret(argument: string, where: unknown, key?: string): void {
    const value = key === undefined ? where : plainObject(where)?.[key];
    if (typeof value === "string") {
        throw new InputError(
            argument,
            "it is given as a plain value and would stand in the program; pass config.requireSecret(...) or pulumi.secret(...)",
        );
    }
}

function plainObject(value: unknown): Record<string, unknown> | undefined {
    const isPlain =
        typeof value === "object" && value !== null && !pulumi.Output.isInstance(value) && !(value instanceof Promise);
    return isPlain ? (value as Record<string, unknown>) : undefined;
}

/** An argument as a secret, whatever it holds; outputs inside it are resolved. */
export function asSecret(value: unknown): pulumi.Output<unknown> {
    return pulumi.secret<unknown>(value);
}
