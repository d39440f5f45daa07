/** What the engine sends for a value that is not known yet, at any depth. Nothing that contains it may reach the network. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value, at any depth, is not known yet (preview of something that depends on a resource still to be made). */
export function hasUnknown(value: unknown): boolean {
    if (value === unknownValue) {
        return true;
    }
    if (Array.isArray(value)) {
        return value.some(hasUnknown);
    }
    return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
