import { type Cloud, CloudError } from "../types.mts";
import { balancingTypes } from "./balancing.mts";
import { computeTypes } from "./compute.mts";
import { route } from "./doors.mts";
import { firewallTypes } from "./firewall.mts";
import { functions } from "./functions.mts";
import { identityTypes } from "./identity.mts";
import { machines } from "./machines.mts";
import { lookup, nameTypes } from "./names.mts";
import { kindOf, usedBy } from "./naming.mts";
import { networkTypes } from "./network.mts";
import { networks } from "./tunnels.mts";
import { vpnTypes } from "./vpn.mts";

const verbs = { create: "creating", read: "reading", update: "updating", delete: "deleting" } as const;

/** Google Cloud. */
export const gcp: Cloud = {
    name: "gcp",
    version: "9.37.0",
    types: { ...networkTypes, ...firewallTypes, ...identityTypes, ...computeTypes, ...balancingTypes, ...nameTypes, ...vpnTypes },
    functions,
    say: ({ code, message }, operation, type) =>
        `Error ${verbs[operation]} ${type.split(":").at(-1)}: googleapi: Error ${code}: ${message}`,
    missing: (type, handle) => new CloudError("404", `The ${kindOf(type)} '${handle}' was not found, notFound`),
    inUse: usedBy,
    duplicate: (_type, text) => new CloudError("409", `The resource '${text}' already exists, alreadyExists`),
    machines,
    lookup,
    route,
    networks,
};
