import { textAt } from "../paths.mts";
import { CloudError, type CloudObject, type Props, type ResourceType, type Scope } from "../types.mts";

const root = "https://www.googleapis.com/compute/v1/";
/** What Google's names look like. */
const rfc1035 = /^(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$/;

/** Refuses inputs that fit no object. */
export function refuse(condition: boolean, code: string, message: string): void {
    if (condition) {
        throw new CloudError(code, message);
    }
}

/** A wrong value, as Compute Engine words it. */
export function invalid(condition: boolean, field: string, value: unknown, why: string): void {
    refuse(condition, "400", `Invalid value for field 'resource.${field}': '${String(value)}'. ${why}, invalid`);
}

type Place = Pick<Scope, "inputs" | "config">;

/** Project of a resource: its own, else the provider's. */
export function projectOf({ inputs, config }: Place): string {
    const project = textAt(inputs, "project") || textAt(config, "project");
    refuse(project === "", "project", "required field is not set");
    return project;
}

/** Region of a resource: its own, else the provider's. */
export function regionOf({ inputs, config }: Place): string {
    const region = textAt(inputs, "region") || textAt(config, "region");
    refuse(region === "", "region", "Cannot determine region: set in this resource, or set provider-level 'region' or 'zone'.");
    return region;
}

/** Zone of a resource: its own, else the provider's. */
export function zoneOf({ inputs, config }: Place): string {
    const zone = textAt(inputs, "zone") || textAt(config, "zone");
    refuse(zone === "", "zone", "Cannot determine zone: set in this resource, or set provider-level zone.");
    return zone;
}

/** The region that a zone is in. */
export function regionOfZone(zone: string): string {
    return zone.slice(0, zone.lastIndexOf("-"));
}

/** The region in a self link or id; "" for what is global. */
export function regionIn(link: string): string {
    return /\/regions\/([^/]+)/.exec(link)?.[1] ?? regionOfZone(/\/zones\/([^/]+)/.exec(link)?.[1] ?? "-");
}

/** The last part of a self link: the name. */
export function nameIn(link: string): string {
    return link.split("/").at(-1) ?? "";
}

/** Where a resource of Compute Engine is, as the middle of its id. */
export type Location = "global" | "regions" | "zones";

/** What all named resources of Compute Engine have in common: ids, self links, names. */
export function named(location: Location, collection: string, type: Omit<ResourceType, "id">): ResourceType {
    const { outputs, verify, replaceOn = [] } = type;
    const placed = location === "global" ? [] : [location === "regions" ? "region" : "zone"];
    const keys = ["name", "project", ...placed];
    return {
        autoName: { max: 63 },
        handles: ({ id, outputs: made, inputs }) => [id, textAt(made, "selfLink"), textAt(inputs, "name")],
        timing: { create: 20, update: 10, remove: 10 },
        ...type,
        replaceOn: Array.isArray(replaceOn) ? [...keys, ...replaceOn] : replaceOn,
        verify: (scope) => {
            const name = textAt(scope.inputs, "name");
            refuse(!rfc1035.test(name), "name", `"name" ("${name}") doesn't match regexp "${rfc1035.source}"`);
            checkLabels(scope.inputs);
            verify?.(scope);
        },
        id: (scope) => {
            const where =
                location === "global" ? "global" : `${location}/${location === "regions" ? regionOf(scope) : zoneOf(scope)}`;
            return `projects/${projectOf(scope)}/${where}/${collection}/${textAt(scope.inputs, "name")}`;
        },
        outputs: (scope) => ({
            selfLink: `${root}${scope.id}`,
            project: projectOf(scope),
            ...(location === "regions" ? { region: regionOf(scope) } : location === "zones" ? { zone: zoneOf(scope) } : {}),
            ...outputs?.(scope),
        }),
    };
}

function checkLabels(inputs: Props): void {
    const labels = inputs.labels as Props | undefined;
    for (const [key, value] of Object.entries(labels ?? {})) {
        invalid(!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key), "labels", key, "Label key is not valid");
        invalid(!/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(String(value)), "labels", value, "Label value is not valid");
    }
}

/** The refusal to delete what another object uses. */
export function usedBy(object: CloudObject, by: CloudObject): CloudError {
    return new CloudError(
        "resourceInUseByAnotherResource",
        `The ${kindOf(object.type)} resource '${object.id}' is already being used by '${by.id}'`,
    );
}

/** What Google calls the objects of a type: `network` of `gcp:compute/network:Network`. */
export function kindOf(type: string): string {
    return type.split("/").at(-1)?.split(":")[0] ?? type;
}
