/** Reads what a provider calls a list; anything else is an empty one. */
export function listAt(value: unknown, path: string): readonly unknown[] {
    const found = at(value, path);
    return Array.isArray(found) ? found : [];
}

/** Reads a list of texts; other elements are left out. */
export function textsAt(value: unknown, path: string): readonly string[] {
    return listAt(value, path).filter((one) => typeof one === "string");
}

/** Reads a text; anything else is "". */
export function textAt(value: unknown, path: string): string {
    const found = at(value, path);
    return typeof found === "string" ? found : "";
}

/** Reads a number, also where a provider writes it as text; `undefined` where there is none. */
export function numberAt(value: unknown, path: string): number | undefined {
    const found = at(value, path);
    const number = typeof found === "string" && found !== "" ? Number(found) : found;
    return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** Whether a switch is on: `true`, or the same word as some providers write it. */
export function isOn(value: unknown, path: string): boolean {
    const found = at(value, path);
    return found === true || (typeof found === "string" && /^(true|enabled?|1)$/i.test(found));
}

/** Whether a switch is off in so many words. What is not set is not off. */
export function isOff(value: unknown, path: string): boolean {
    const found = at(value, path);
    return found === false || (typeof found === "string" && /^(false|disabled?|0)$/i.test(found));
}

/** Whether anything stands at a path. */
export function isSet(value: unknown, path: string): boolean {
    const found = at(value, path);
    return found !== undefined && found !== null && found !== "" && !(Array.isArray(found) && found.length === 0);
}

/** What stands at a path such as `properties.networkAcls.defaultAction`. */
export function at(value: unknown, path: string): unknown {
    let here = value;
    for (const key of path.split(".")) {
        if (typeof here !== "object" || here === null) {
            return undefined;
        }
        // One property only: in a policy pack, looking at one that is not known yet ends the rule.
        here = Reflect.get(here, key);
    }
    return here;
}
