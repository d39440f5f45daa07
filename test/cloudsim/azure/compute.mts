import { same, textAt, textsAt, valuesAt } from "../paths.mts";
import { type AccountView, CloudError, type CloudObject, type Props, type ResourceType } from "../types.mts";
import { machineOf } from "./balancing.mts";
import { named, refuse, uuid } from "./naming.mts";
import { types } from "./tokens.mts";

const disk = named(
    { kind: "Microsoft.Compute/disks", property: "diskName", max: 80 },
    {
        required: ["creationData"],
        replaceOn: ["zones", "creationData"],
        verify: ({ inputs, object }) => {
            const size = Number(inputs.diskSizeGB ?? 0);
            refuse(
                object !== undefined && size < Number(object.inputs.diskSizeGB ?? 0),
                "OperationNotAllowed",
                "Disks cannot be made smaller",
            );
            refuse(
                textAt(inputs, "creationData.createOption") === "Empty" && (size < 1 || size > 32_767),
                "InvalidParameter",
                `Invalid value ${size} for diskSizeGB`,
            );
        },
        outputs: ({ name }) => ({ diskState: "Unattached", uniqueId: uuid(name), timeCreated: "2026-01-01T00:00:00Z" }),
        inUse: (object, by) => new CloudError("OperationNotAllowed", `Disk ${object.id} is attached to VM ${by.id}.`),
        timing: { create: 20, update: 10, remove: 10 },
    },
);

/** Largest boot data, bytes. */
const mostCustomData = 65_535;
/** What cannot be changed of a machine that is there. */
const fixed = [
    "osProfile.customData",
    "osProfile.adminUsername",
    "osProfile.computerName",
    "zones",
    "storageProfile.imageReference",
];

const virtualMachine = named(
    { kind: "Microsoft.Compute/virtualMachines", property: "vmName", max: 64 },
    {
        references: [
            { path: "networkProfile.networkInterfaces[].id", to: types.networkInterface },
            { path: "storageProfile.dataDisks[].managedDisk.id", to: types.disk },
            { path: "identity.userAssignedIdentities[]", to: types.identity, holds: false },
        ],
        verify: ({ inputs, account, object }) => {
            for (const path of object === undefined ? [] : fixed) {
                refuse(
                    !same(valuesAt(object?.inputs, path), valuesAt(inputs, path)),
                    "PropertyChangeNotAllowed",
                    `Changing property '${path}' is not allowed.`,
                );
            }
            checkSize(account, inputs, object);
            checkImage(account, inputs);
            checkProfile(inputs);
            checkSecurity(account, inputs);
            checkDisks(account, inputs, object);
            checkInterfaces(account, inputs, object);
        },
        outputs: ({ account, inputs, object }) => {
            const resized =
                object !== undefined &&
                textAt(object.inputs, "hardwareProfile.vmSize") !== textAt(inputs, "hardwareProfile.vmSize");
            return {
                vmId: textAt(object?.outputs, "vmId") || uuid(`machine ${account.next("machine")}`),
                boots: Number(object?.outputs.boots ?? 1) + (resized ? 1 : 0),
            };
        },
        timing: { create: 120, update: 60, remove: 80 },
    },
);

/** A size's letter p behind its number says ARM. */
function isArm(size: string): boolean {
    return /^Standard_[A-Z]+\d+p/.test(size);
}

function checkSize(account: AccountView, inputs: Props, object: CloudObject | undefined): void {
    const size = textAt(inputs, "hardwareProfile.vmSize");
    refuse(
        !/^Standard_[A-Z]+\d+[a-z]*(_v\d)?$/.test(size) || account.setting(`azure/absent/${size}`, 0) > 0,
        "SkuNotAvailable",
        `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${size}' is currently not available in location '${textAt(inputs, "location")}'.`,
    );
    const cores = (each: Props) => Number(/^Standard_[A-Z]+(\d+)/.exec(textAt(each, "hardwareProfile.vmSize"))?.[1] ?? 0);
    const used = account
        .list(types.virtualMachine)
        .filter(({ serial }) => serial !== object?.serial)
        .reduce((sum, each) => sum + cores(each.inputs), 0);
    refuse(
        used + cores(inputs) > account.setting("azure/cores", 350),
        "OperationNotAllowed",
        "Operation could not be completed as it results in exceeding approved Total Regional Cores quota.",
    );
}

function checkImage(account: AccountView, inputs: Props): void {
    const image = (inputs.storageProfile as { readonly imageReference?: Props } | undefined)?.imageReference ?? {};
    const urn = ["publisher", "offer", "sku", "version"].map((part) => textAt(image, part)).join(":");
    const ubuntu = /^Canonical:ubuntu-24_04-lts:server(-arm64)?:24\.04\.\d{9}$/.exec(urn);
    refuse(
        ubuntu === null && account.setting(`azure/image/${urn}`, 0) === 0,
        "PlatformImageNotFound",
        `The platform image '${urn}' is not available. Verify that all fields in the storage profile are correct.`,
    );
    const size = textAt(inputs, "hardwareProfile.vmSize");
    refuse(
        ubuntu !== null && (ubuntu[1] !== undefined) !== isArm(size),
        "BadRequest",
        `Cannot create a VM of size '${size}' because this VM size only supports a CPU Architecture of '${isArm(size) ? "Arm64" : "x64"}', but an image or disk with another CPU Architecture was given.`,
    );
}

function checkProfile(inputs: Props): void {
    const keys = textsAt(inputs, "osProfile.linuxConfiguration.ssh.publicKeys[].keyData");
    const closed = valuesAt(inputs, "osProfile.linuxConfiguration.disablePasswordAuthentication")[0] === true;
    refuse(
        closed ? keys.length === 0 : textAt(inputs, "osProfile.adminPassword") === "",
        "InvalidParameter",
        closed
            ? "At least one SSH key needs to be specified for a Linux machine without passwords."
            : "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
    );
    for (const key of keys) {
        refuse(
            !/^(ssh-rsa AAAAB3NzaC1yc2E|ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI)[A-Za-z0-9+/]+=*/.test(key),
            "InvalidParameter",
            "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.",
        );
    }
    const data = textAt(inputs, "osProfile.customData");
    const bytes = Buffer.from(data, "base64");
    refuse(
        bytes.length > mostCustomData || bytes.toString("base64") !== data,
        "InvalidParameter",
        `Custom data in OSProfile must be in Base64 encoding and with a maximum length of ${mostCustomData} bytes.`,
    );
}

function checkSecurity(account: AccountView, inputs: Props): void {
    const security = (inputs.securityProfile ?? {}) as Props;
    refuse(
        security.encryptionAtHost === true && account.setting("azure/encryptionAtHost", 0) === 0,
        "InvalidParameter",
        "The property 'securityProfile.encryptionAtHost' is not valid because the 'Microsoft.Compute/EncryptionAtHost' feature is not enabled for this subscription.",
    );
    refuse(
        security.securityType === "TrustedLaunch" && isArm(textAt(inputs, "hardwareProfile.vmSize")),
        "BadRequest",
        "The VM size does not support security type 'TrustedLaunch'.",
    );
}

function checkDisks(account: AccountView, inputs: Props, object: CloudObject | undefined): void {
    for (const id of textsAt(inputs, "storageProfile.dataDisks[].managedDisk.id")) {
        const found = account.find(types.disk, id);
        refuse(
            !same(valuesAt(found?.inputs, "zones[]"), valuesAt(inputs, "zones[]")),
            "BadRequest",
            `Disk ${id} cannot be attached to the VM because it is not in the zone of the VM.`,
        );
        const other = account
            .list(types.virtualMachine)
            .find(
                (each) =>
                    each.serial !== object?.serial &&
                    textsAt(each.inputs, "storageProfile.dataDisks[].managedDisk.id").some(
                        (one) => account.find(types.disk, one) === found,
                    ),
            );
        refuse(
            other !== undefined,
            "AttachDiskWhileBeingDetached",
            `Cannot attach data disk '${id}' to the VM because the disk is attached to ${other?.id ?? ""}.`,
        );
    }
}

function checkInterfaces(account: AccountView, inputs: Props, object: CloudObject | undefined): void {
    const ids = textsAt(inputs, "networkProfile.networkInterfaces[].id");
    refuse(ids.length === 0, "InvalidParameter", "Required parameter 'networkProfile' is missing (null).");
    for (const id of ids) {
        const card = account.find(types.networkInterface, id);
        const other = card === undefined ? undefined : machineOf(account, card);
        refuse(
            other !== undefined && other.serial !== object?.serial,
            "NicInUse",
            `Network Interface ${id} is used by existing resource ${other?.id ?? ""}.`,
        );
    }
}

export const computeTypes: Readonly<Record<string, ResourceType>> = {
    [types.disk]: disk,
    [types.virtualMachine]: virtualMachine,
};
