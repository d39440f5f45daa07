import { createHash } from "node:crypto";
import { textAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType, type Scope } from "../types.mts";
import { types } from "./tokens.mts";

export const subscription = "/subscriptions/00000000-1111-2222-3333-444444444444";
export const tenantId = "99999999-8888-7777-6666-555555555555";

/** Refuses inputs that fit no object. */
export function refuse(condition: boolean, code: string, message: string): void {
    if (condition) {
        throw new CloudError(code, message);
    }
}

/** A UUID that a text always gives. */
export function uuid(text: string): string {
    const digits = createHash("sha256").update(text).digest("hex");
    return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20, 32)].join("-");
}

/** The next public address of Azure's: documentation addresses, so that nothing that escapes the simulation reaches anybody. */
export function publicAddress(account: AccountView): string {
    return `203.0.113.${100 + ((account.next("public address") - 1) % 150)}`;
}

/** How resources of one type are named. */
export interface Naming {
    /** Such as `Microsoft.Network/virtualNetworks`. */
    readonly kind: string;
    /** The input that holds the name. */
    readonly property: string;
    /** Longest name. */
    readonly max: number;
    /** What a name must look like. @default letters, digits, `-`, `_` and `.` */
    readonly form?: RegExp;
    /** The object that it is a part of, such as a subnet's network; its id begins with that one's. */
    readonly within?: (scope: Pick<Scope, "account" | "inputs">) => CloudObject | undefined;
    /** Whether the provider makes a name where none is given. @default true */
    readonly auto?: boolean;
}

const usualForm = /^[A-Za-z0-9](?:[\w.-]*\w)?$/;

/** What all resources of Azure have in common: ids, names, the resource group that holds them. */
export function named(naming: Naming, type: Omit<ResourceType, "id">): ResourceType {
    const { kind, property, max, within } = naming;
    const { verify, outputs, references = [], replaceOn = [], handles } = type;
    return {
        timing: { create: 20, update: 10, remove: 10 },
        ...(naming.auto === false ? {} : { autoName: { property, max, separator: "" } }),
        ...type,
        required: ["resourceGroupName", ...(naming.auto === false ? [property] : []), ...(type.required ?? [])],
        references: [{ path: "resourceGroupName", to: types.resourceGroup, missing: groupMissing }, ...references],
        replaceOn: Array.isArray(replaceOn) ? [property, "resourceGroupName", "location", ...replaceOn] : replaceOn,
        verify: (scope) => {
            const name = textAt(scope.inputs, property);
            refuse(
                name.length > max || !(naming.form ?? usualForm).test(name),
                "InvalidResourceName",
                `Resource name ${name} is invalid. The name can be up to ${max} characters long.`,
            );
            checkTags(scope.inputs);
            verify?.(scope);
        },
        id: (scope) => idOf(naming, scope),
        outputs: (scope) => ({
            name: textAt(scope.inputs, property),
            type: kind,
            provisioningState: "Succeeded",
            ...outputs?.(scope),
        }),
        // A child's name means nothing without the one it is a part of.
        handles: (object) => [
            object.id,
            ...(within === undefined ? [textAt(object.inputs, property)] : []),
            ...(handles?.(object) ?? []),
        ],
    };
}

function idOf({ kind, property, within }: Naming, scope: Pick<Scope, "account" | "inputs">): string {
    const name = textAt(scope.inputs, property);
    const own = kind.split("/");
    const outer = within?.(scope)?.id;
    return outer === undefined
        ? `${subscription}/resourceGroups/${textAt(scope.inputs, "resourceGroupName")}/providers/${kind}/${name}`
        : `${outer}/${own.at(-1) ?? ""}/${name}`;
}

function groupMissing(name: string): CloudError {
    return new CloudError("ResourceGroupNotFound", `Resource group '${name}' could not be found.`);
}

function checkTags(inputs: Props): void {
    const tags = Object.entries((inputs.tags ?? {}) as Props);
    refuse(tags.length > 50, "InvalidTags", "The maximum number of tags is 50");
    for (const [key, value] of tags) {
        refuse(
            key.length > 512 || /[<>%&\\?/]/.test(key) || String(value).length > 256,
            "InvalidTagNameCharacters",
            `The tag '${key}' is not valid`,
        );
    }
}

/** Whether two objects, or what names them, are in one resource group. */
export function inGroup(object: CloudObject | undefined, resourceGroupName: unknown): boolean {
    return object !== undefined && textAt(object.inputs, "resourceGroupName") === resourceGroupName;
}

/** The object of a type with this name in a resource group: names are unique in their group only. */
export function byName(account: AccountView, type: string, resourceGroupName: unknown, property: string, name: unknown) {
    return account.list(type).find((each) => inGroup(each, resourceGroupName) && each.inputs[property] === name);
}

/** What Azure calls the objects of a type: `VirtualNetwork` of `azure-native:network:VirtualNetwork`. */
export function kindOf(type: string): string {
    return type.split(":").at(-1) ?? type;
}
