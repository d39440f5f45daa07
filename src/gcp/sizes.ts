import * as compute from "@pulumi/gcp/compute/index.js";
import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../errors.js";
import { failOn } from "../input.js";
import { defaultSizes } from "./regions.js";
import type { GcpScope } from "./scope.js";

/**
 * The machine type, once GCP has said that every zone with a node offers it: which it does not everywhere, and a zone without it would be
 * found out when half of the site exists.
 */
export function offeredSize({ parent, plan, project }: GcpScope): pulumi.Output<string> {
    const zones = [...new Set(plan.nodes.map(({ zone }) => zone))];
    const answers = zones.map((zone) =>
        compute
            .getMachineTypesOutput({ zone, project, filter: `name = "${plan.size}"` }, { parent })
            .apply(({ machineTypes }) => ({ zone, names: machineTypes.map(({ name }) => name) })),
    );
    return pulumi.all(answers).apply((offers) => failOn(parent, () => checkOffered(plan.size, offers)));
}

/**
 * Checks that every zone offers a machine type.
 *
 * @throws InputError naming the argument and the zones that do not
 */
export function checkOffered(
    size: string,
    offers: readonly { readonly zone: string; readonly names: readonly string[] }[],
): string {
    const without = offers.filter(({ names }) => !names.includes(size)).map(({ zone }) => zone);
    if (without.length > 0) {
        throw new InputError(
            "broker.size",
            `${without.join(", ")} has no ${size}; set zones that have it, another broker.size, or broker.architecture to "x86_64" (${defaultSizes.x86_64})`,
        );
    }
    return size;
}
