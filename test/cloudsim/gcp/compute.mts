import { textAt, textsAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType } from "../types.mts";
import { invalid, named, projectOf, refuse, regionOfZone, zoneOf } from "./naming.mts";
import { checkInside } from "./network.mts";
import { types } from "./tokens.mts";

/** Series that take Hyperdisk and no persistent disk. */
const hyperdiskOnly = ["c4", "c4a", "c4d", "n4", "n4a", "n4d"];
const armSeries = ["c4a", "n4a", "t2a"];
/** Machine types of every zone; setting `gcp/machineType/<zone>/<type>` 0 takes one away from a zone. */
const machineTypes = ["c4a-standard-2", "c4a-standard-4", "n2-standard-2", "n2-standard-4", "n4-standard-2", "e2-standard-2"];

/** The machine types that a zone offers. */
export function offeredIn(account: AccountView, zone: string): readonly string[] {
    return machineTypes.filter((type) => account.setting(`gcp/machineType/${zone}/${type}`, 1) === 1);
}

function seriesOf(machineType: string): string {
    return machineType.split("-")[0] ?? "";
}

const disk = named("zones", "disks", {
    defaults: () => ({ type: "pd-standard" }),
    replaceOn: (olds, news) =>
        ["name", "project", "zone", "type", "image", "snapshot", "diskEncryptionKey"]
            .filter((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]))
            // A smaller disk is a new one.
            .concat(Number(news.size) < Number(olds.size) ? ["size"] : []),
    verify: ({ inputs }) => {
        const size = Number(inputs.size ?? 0);
        invalid(size < 1 || size > 65536, "sizeGb", inputs.size, "Disk size must be from 1 to 65536 GB");
        const smallest = inputs.type === "hyperdisk-balanced" ? 4 : 10;
        invalid(
            size < smallest,
            "sizeGb",
            inputs.size,
            `Disk size: '${size} GB' is smaller than allowed minimum '${smallest} GB'`,
        );
    },
    inUse: (object, by) =>
        new CloudError("resourceInUseByAnotherResource", `The disk resource '${object.id}' is already being used by '${by.id}'`),
    outputs: ({ inputs }) => ({ physicalBlockSizeBytes: 4096, users: [], type: inputs.type }),
});

/** Longest value of one metadata key, bytes. */
const mostMetadata = 262_144;
/** Properties that Google changes on a stopped machine only. */
const stopped = ["machineType", "minCpuPlatform", "serviceAccount", "shieldedInstanceConfig", "networkPerformanceConfig"];

/** The subnetwork that an instance is in. */
export function subnetworkOf(account: AccountView, { inputs }: Pick<CloudObject, "inputs">): CloudObject | undefined {
    return account.find(types.subnetwork, textAt(inputs, "networkInterfaces[].subnetwork"));
}

const instance = named("zones", "instances", {
    required: ["machineType", "bootDisk", "networkInterfaces"],
    defaults: () => ({ canIpForward: false, deletionProtection: false }),
    references: [
        { path: "networkInterfaces[].subnetwork", to: types.subnetwork },
        { path: "attachedDisks[].source", to: types.disk },
        // A reserved address is held by the machine that has it; one that nobody reserved is no object.
        { path: "networkInterfaces[].networkIp", to: types.address, foreign: () => true },
        { path: "serviceAccount.email", to: types.account, holds: false },
    ],
    replaceOn: [
        "bootDisk",
        "networkInterfaces",
        "canIpForward",
        "hostname",
        "description",
        "metadataStartupScript",
        "scratchDisks",
        "resourcePolicies",
    ],
    verify: (scope) => {
        const { inputs, account, object } = scope;
        const zone = zoneOf(scope);
        const type = textAt(inputs, "machineType");
        refuse(
            !offeredIn(account, zone).includes(type),
            "404",
            `The resource 'projects/${projectOf(scope)}/zones/${zone}/machineTypes/${type}' was not found, notFound`,
        );
        checkImage(account, type, textAt(inputs, "bootDisk.initializeParams.image"));
        checkDisks(account, inputs, zone, object);
        checkInterface(account, inputs, zone, object);
        checkMetadata(inputs);
        if (object !== undefined && inputs.allowStoppingForUpdate !== true) {
            const moved = stopped.filter((key) => JSON.stringify(object.inputs[key]) !== JSON.stringify(inputs[key]));
            refuse(
                moved.length > 0,
                "allowStoppingForUpdate",
                "Changing the machine_type, min_cpu_platform, service_account, enable_display, shielded_instance_config, scheduling.node_affinities, scheduling.min_node_cpus or network_interface.[#d].(network/subnetwork/subnetwork_project) or advanced_machine_features on a started instance requires stopping it. To acknowledge this, please set allow_stopping_for_update = true in your config.",
            );
        }
    },
    outputs: ({ account, inputs, object }) => {
        const restarted =
            object !== undefined && stopped.some((key) => JSON.stringify(object.inputs[key]) !== JSON.stringify(inputs[key]));
        return {
            instanceId:
                textAt(object?.outputs, "instanceId") || `64000000000000${String(account.next("instance")).padStart(5, "0")}`,
            currentStatus: "RUNNING",
            cpuPlatform: armSeries.includes(seriesOf(textAt(inputs, "machineType"))) ? "Google Axion" : "Intel Cascade Lake",
            boots: Number(object?.outputs.boots ?? 1) + (restarted ? 1 : 0),
        };
    },
    guard: ({ id, inputs }) =>
        refuse(
            inputs.deletionProtection === true,
            "resourceInUse",
            `Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion. ${id}'.`,
        ),
    timing: { create: 120, update: 60, remove: 100 },
});

/** Ubuntu's images say their processor in their name. */
function checkImage(account: AccountView, machineType: string, image: string): void {
    const known = /\/images\/ubuntu-2404-noble-(arm64|amd64)-v\d+$/.exec(image)?.[1];
    refuse(
        known === undefined && account.setting(`gcp/image/${image}`, 0) === 0,
        "404",
        `The resource '${image}' was not found, notFound`,
    );
    refuse(
        known !== undefined && (known === "arm64") !== armSeries.includes(seriesOf(machineType)),
        "400",
        `Requested boot disk architecture (${known === "arm64" ? "ARM64" : "X86_64"}) is not compatible with machine type architecture of ${machineType}., badRequest`,
    );
}

function checkDisks(account: AccountView, inputs: Props, zone: string, object: CloudObject | undefined): void {
    const series = seriesOf(textAt(inputs, "machineType"));
    const data = textsAt(inputs, "attachedDisks[].source").map((source) => account.find(types.disk, source));
    for (const type of [textAt(inputs, "bootDisk.initializeParams.type"), ...data.map((each) => textAt(each?.inputs, "type"))]) {
        refuse(
            (type.startsWith("pd-") || type === "") === hyperdiskOnly.includes(series),
            "400",
            `[${type || "pd-standard"}, ${textAt(inputs, "machineType")}] features are not compatible for creating instance., badRequest`,
        );
    }
    for (const each of data) {
        refuse(
            textAt(each?.outputs, "zone") !== zone,
            "400",
            `Disk '${each?.id ?? ""}' is not in the zone of the instance, ${zone}`,
        );
        const other = account
            .list(types.instance)
            .find(
                (one) =>
                    one.serial !== object?.serial &&
                    textsAt(one.inputs, "attachedDisks[].source").some((source) => account.find(types.disk, source) === each),
            );
        refuse(
            other !== undefined,
            "resourceInUseByAnotherResource",
            `The disk resource '${each?.id ?? ""}' is already being used by '${other?.id ?? ""}'`,
        );
    }
}

function checkInterface(account: AccountView, inputs: Props, zone: string, object: CloudObject | undefined): void {
    const subnet = subnetworkOf(account, { inputs });
    refuse(
        textAt(subnet?.outputs, "region") !== regionOfZone(zone),
        "400",
        `Subnetwork '${subnet?.id ?? ""}' is not in the region of zone ${zone}`,
    );
    const address = textAt(inputs, "networkInterfaces[].networkIp");
    if (address === "") {
        return;
    }
    checkInside(address, subnet?.inputs.ipCidrRange);
    const other = account
        .list(types.instance)
        .find(
            (each) =>
                each.serial !== object?.serial &&
                subnetworkOf(account, each) === subnet &&
                textAt(each.inputs, "networkInterfaces[].networkIp") === address,
        );
    refuse(
        other !== undefined,
        "IP_IN_USE_BY_ANOTHER_RESOURCE",
        `IP '${address}' is already being used by another resource '${other?.id ?? ""}'.`,
    );
}

function checkMetadata({ metadata }: Props): void {
    for (const [key, value] of Object.entries((metadata as Props | undefined) ?? {})) {
        invalid(!/^[a-zA-Z0-9_-]{1,128}$/.test(key), "metadata.items[0].key", key, "Key is not valid");
        refuse(
            Buffer.byteLength(String(value)) > mostMetadata,
            "413",
            `Value for metadata key '${key}' is too large: maximum size ${mostMetadata} characters`,
        );
    }
}

export const computeTypes: Readonly<Record<string, ResourceType>> = { [types.disk]: disk, [types.instance]: instance };
