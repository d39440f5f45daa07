import { textAt } from "../paths.mts";
import { CloudError, type CloudFunction } from "../types.mts";
import { offeredIn } from "./compute.mts";
import { nameIn } from "./naming.mts";
import { types } from "./tokens.mts";

/** Canonical's images; `gcp/ubuntu` is the number of the newest one. */
const getImage: CloudFunction = (args, { account }) => {
    const [family, project] = [textAt(args, "family"), textAt(args, "project")];
    const processor = /^ubuntu-2404-lts-(arm64|amd64)$/.exec(family)?.[1];
    if (processor === undefined || project !== "ubuntu-os-cloud") {
        throw new CloudError("404", `The resource 'projects/${project}/global/images/family/${family}' was not found`);
    }
    const name = `ubuntu-2404-noble-${processor}-v${20260101 + account.setting("gcp/ubuntu", 1)}`;
    const id = `projects/${project}/global/images/${name}`;
    return { id, name, family, project, status: "READY", selfLink: `https://www.googleapis.com/compute/v1/${id}` };
};

const getMachineTypes: CloudFunction = (args, { account, config }) => {
    const zone = textAt(args, "zone");
    if (!/^[a-z]+-[a-z]+\d+-[a-f]$/.test(zone)) {
        throw new CloudError("400", `Invalid value for field 'zone': '${zone}'. Unknown zone., invalid`);
    }
    const wanted = /^name = "([^"]+)"$/.exec(textAt(args, "filter"))?.[1];
    const project = textAt(args, "project") || textAt(config, "project");
    return {
        id: `projects/${project}/zones/${zone}/machineTypes`,
        project,
        zone,
        filter: args.filter,
        machineTypes: offeredIn(account, zone)
            .filter((name) => wanted === undefined || name === wanted)
            .map((name) => ({ name, guestCpus: Number(name.split("-").at(-1)), memoryMb: 8192 })),
    };
};

const getSubnetwork: CloudFunction = (args, { account }) => {
    const subnet = account.find(types.subnetwork, args.selfLink);
    if (subnet === undefined) {
        throw new CloudError("404", `The resource '${nameIn(textAt(args, "selfLink"))}' was not found, notFound`);
    }
    return { ...subnet.inputs, ...subnet.outputs, id: subnet.id, gatewayAddress: "", secondaryIpRanges: [] };
};

export const functions: Readonly<Record<string, CloudFunction>> = {
    "gcp:compute/getImage:getImage": getImage,
    "gcp:compute/getMachineTypes:getMachineTypes": getMachineTypes,
    "gcp:compute/getSubnetwork:getSubnetwork": getSubnetwork,
};
