import * as pulumi from "@pulumi/pulumi";
import { InputError, quote } from "../errors.js";

/**
 * What an argument is made of. `input` is a text that may be an output; everything else is plain, because names, counts and resources follow
 * from it. `checked` is left to the code that reads it.
 */
export type Shape =
    | "text"
    | "number"
    | "flag"
    | "input"
    | "texts"
    | "checked"
    /** An object with these arguments. */
    | { readonly fields: Readonly<Record<string, Shape>>; readonly required?: readonly string[] }
    /** A list of such objects. */
    | { readonly listOf: Shape }
    /** An object of the user's own keys. */
    | { readonly byKey: Shape };

const words = { text: "text", number: "number", flag: "switch: set true or false" } as const;

/** Arguments that every cloud site takes. */
export const cloudSiteShapes = {
    siteNumber: "number",
    meshId: "text",
    identity: "checked",
    cidr: "text",
    license: "checked",
    broker: {
        fields: {
            nodes: "number",
            size: "text",
            architecture: "text",
            version: "text",
            package: { fields: { url: "text", sha256: "text" } },
            imageId: "input",
            imageRelease: "text",
            dataDiskGb: "number",
            protectData: "flag",
            retainData: "flag",
            sessionQueueMessages: "number",
        },
    },
    adminCidrs: "texts",
    clientCidrs: "checked",
    reach: "checked",
    users: { listOf: { fields: { username: "text", password: "checked" } } },
    clientNames: "texts",
    tags: { byKey: "text" },
} as const satisfies Readonly<Record<string, Shape>>;

/**
 * Checks what arguments are made of, before anything reads them: plain JavaScript is held to the types by nothing else, and a program in
 * TypeScript reads its configuration as it likes.
 *
 * @throws InputError naming the argument
 */
export function checkShapes(args: unknown, fields: Readonly<Record<string, Shape>>): void {
    checkFields(args, fields, [], "");
}

function checkFields(
    value: unknown,
    fields: Readonly<Record<string, Shape>>,
    required: readonly string[],
    argument: string,
): void {
    for (const [name, shape] of Object.entries(fields)) {
        const path = argument === "" ? name : `${argument}.${name}`;
        const found = Reflect.get(objectAt(value, argument), name);
        if (found === undefined && required.includes(name)) {
            throw new InputError(path, "it is missing");
        }
        checkShape(found, shape, path);
    }
}

function checkShape(value: unknown, shape: Shape, argument: string): void {
    if (shape === "checked" || value === undefined) {
        return;
    }
    if (value === null) {
        throw new InputError(argument, "it is null; leave it out");
    }
    const deferred = pulumi.Output.isInstance(value) || value instanceof Promise;
    if (shape === "input") {
        if (!deferred) {
            expectKind(value, "text", argument);
        }
        return;
    }
    if (deferred) {
        throw new InputError(argument, "it is an output; give a plain value: names, counts and resources follow from it");
    }
    if (shape === "text" || shape === "number" || shape === "flag") {
        expectKind(value, shape, argument);
    } else if (shape === "texts") {
        for (const [index, one] of listAt(value, argument).entries()) {
            expectKind(one, "text", `${argument}[${index}]`);
        }
    } else if ("listOf" in shape) {
        for (const [index, one] of listAt(value, argument).entries()) {
            checkShape(objectAt(one, `${argument}[${index}]`), shape.listOf, `${argument}[${index}]`);
        }
    } else if ("byKey" in shape) {
        for (const [key, one] of Object.entries(objectAt(value, argument))) {
            checkShape(one, shape.byKey, `${argument}[${quote(key)}]`);
        }
    } else {
        checkFields(value, shape.fields, shape.required ?? [], argument);
    }
}

function expectKind(value: unknown, kind: "text" | "number" | "flag", argument: string): void {
    if (typeof value !== { text: "string", number: "number", flag: "boolean" }[kind]) {
        throw new InputError(argument, `${quote(value)} is no ${words[kind]}`);
    }
}

function listAt(value: unknown, argument: string): readonly unknown[] {
    if (!Array.isArray(value)) {
        throw new InputError(argument, `${quote(value)} is no list; write it in brackets`);
    }
    return value;
}

function objectAt(value: unknown, argument: string): object {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new InputError(argument === "" ? "args" : argument, `${quote(value)} is no object; write its arguments in braces`);
    }
    return value;
}
