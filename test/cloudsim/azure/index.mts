import { type Cloud, CloudError } from "../types.mts";
import { balancingTypes } from "./balancing.mts";
import { computeTypes } from "./compute.mts";
import { route } from "./doors.mts";
import { firewallTypes } from "./firewall.mts";
import { functions } from "./functions.mts";
import { identityTypes } from "./identity.mts";
import { machines } from "./machines.mts";
import { lookup, nameTypes } from "./names.mts";
import { kindOf } from "./naming.mts";
import { networkTypes } from "./network.mts";
import { networks } from "./tunnels.mts";
import { vpnTypes } from "./vpn.mts";

/** Microsoft Azure. */
export const azure: Cloud = {
    name: "azure-native",
    version: "3.28.0",
    types: { ...networkTypes, ...firewallTypes, ...identityTypes, ...computeTypes, ...balancingTypes, ...nameTypes, ...vpnTypes },
    functions,
    say: ({ code, message }) => `Status=400 Code="${code}" Message="${message}"`,
    missing: (type, handle) =>
        new CloudError(
            "InvalidResourceReference",
            `Resource ${handle} (${kindOf(type)}) referenced by this resource was not found.`,
        ),
    inUse: (object, by) =>
        new CloudError(
            `InUse${kindOf(object.type)}CannotBeDeleted`,
            `${kindOf(object.type)} ${object.id} is in use by ${by.id} and cannot be deleted.`,
        ),
    duplicate: (_type, id) => new CloudError("AlreadyExists", `cannot create already existing resource '${id}'`),
    machines,
    lookup,
    route,
    networks,
};
