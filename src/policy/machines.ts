import { at, isOff, isOn, isSet, listAt, numberAt, textAt } from "./properties.js";
import type { Rule } from "./rule.js";

const awsInstance = "aws:ec2/instance:Instance";
const awsTemplate = "aws:ec2/launchTemplate:LaunchTemplate";
const awsVolume = "aws:ebs/volume:Volume";
const gcpInstance = "gcp:compute/instance:Instance";
const gcpTemplate = "gcp:compute/instanceTemplate:InstanceTemplate";
const gcpDisk = "gcp:compute/disk:Disk";
const azureMachine = "azure-native:compute:VirtualMachine";
const azureScaleSet = "azure-native:compute:VirtualMachineScaleSet";
const azureDisk = "azure-native:compute:Disk";
const azureInterface = "azure-native:network:NetworkInterface";

/** A rule that one property of one resource decides. */
function machineRule(
    rule: Omit<Rule, "area" | "needs" | "check">,
    faults: (props: unknown, type: string) => readonly string[],
): Rule {
    return { ...rule, area: "machines", needs: "resource", check: ({ props, type }) => faults(props, type) };
}

/** `[text]` where a fault is there. */
const when = (fault: boolean, text: string): readonly string[] => (fault ? [text] : []);

const metadata = (props: unknown) => textAt(props, "metadataOptions.httpTokens");

const aws: readonly Rule[] = [
    machineRule(
        {
            id: "AWS-0028",
            alsoKnownAs: ["CKV_AWS_79"],
            title: "Machines answer the metadata service's second version only.",
            severity: "HIGH",
            types: [awsInstance],
        },
        (props) =>
            when(
                metadata(props) !== "required" && textAt(props, "metadataOptions.httpEndpoint") !== "disabled",
                "metadataOptions.httpTokens is not required",
            ),
    ),
    machineRule(
        {
            id: "AWS-0130",
            alsoKnownAs: ["CKV_AWS_79"],
            title: "Templates ask for the metadata service's second version.",
            severity: "HIGH",
            types: [awsTemplate],
        },
        (props) => when(metadata(props) !== "required", "metadataOptions.httpTokens is not required"),
    ),
    machineRule(
        {
            id: "CKV_AWS_341",
            alsoKnownAs: [],
            title: "The metadata service does not answer beyond the machine.",
            severity: "HIGH",
            types: [awsInstance, awsTemplate],
        },
        (props) =>
            when(
                (numberAt(props, "metadataOptions.httpPutResponseHopLimit") ?? 2) > 1,
                "metadataOptions.httpPutResponseHopLimit is not 1",
            ),
    ),
    machineRule(
        {
            id: "AWS-0009",
            alsoKnownAs: ["CKV_AWS_88"],
            title: "Machines have no public address.",
            severity: "HIGH",
            types: [awsInstance, awsTemplate],
        },
        (props) =>
            when(
                isOn(props, "associatePublicIpAddress") ||
                    listAt(props, "networkInterfaces").some((one) => isOn(one, "associatePublicIpAddress")),
                "associatePublicIpAddress is on",
            ),
    ),
    machineRule(
        {
            id: "AWS-0131",
            alsoKnownAs: ["CKV_AWS_8", "AWS-0008"],
            title: "Machines' own disks are encrypted.",
            severity: "HIGH",
            types: [awsInstance],
        },
        (props) => [
            ...when(!isOn(props, "rootBlockDevice.encrypted"), "rootBlockDevice.encrypted is not on"),
            ...listAt(props, "ebsBlockDevices").flatMap((disk) =>
                when(!isOn(disk, "encrypted"), "a disk in ebsBlockDevices is not encrypted"),
            ),
        ],
    ),
    machineRule(
        {
            id: "AWS-0026",
            alsoKnownAs: ["CKV_AWS_3"],
            title: "Volumes are encrypted.",
            severity: "HIGH",
            types: [awsVolume],
        },
        (props) => when(!isOn(props, "encrypted"), "encrypted is not on"),
    ),
    machineRule(
        {
            id: "AWS-0027",
            alsoKnownAs: ["CKV_AWS_189"],
            title: "Volumes are encrypted with a key of your own.",
            severity: "LOW",
            types: [awsVolume],
        },
        (props) => when(!isSet(props, "kmsKeyId"), "kmsKeyId is not set"),
    ),
    machineRule(
        {
            id: "CKV2_AWS_41",
            alsoKnownAs: [],
            title: "Machines have a role, so that no key needs to be kept on them.",
            severity: "MEDIUM",
            types: [awsInstance],
        },
        (props) => when(!isSet(props, "iamInstanceProfile"), "iamInstanceProfile is not set"),
    ),
];

/** Whether an entry of a machine's metadata is on; Google takes several words for it. */
const inMetadata = (props: unknown, key: string): boolean => isOn(at(props, "metadata"), key);

const gcp: readonly Rule[] = [
    machineRule(
        {
            id: "GCP-0031",
            alsoKnownAs: ["CKV_GCP_40"],
            title: "Machines have no public address.",
            severity: "HIGH",
            types: [gcpInstance, gcpTemplate],
        },
        (props) =>
            when(
                listAt(props, "networkInterfaces").some(
                    (one) => at(one, "accessConfigs") !== undefined && listAt(one, "accessConfigs").length > 0,
                ),
                "accessConfigs gives it a public address",
            ),
    ),
    machineRule(
        {
            id: "GCP-0033",
            alsoKnownAs: ["CKV_GCP_38"],
            title: "Machines' own disks are encrypted with a key of your own.",
            severity: "LOW",
            types: [gcpInstance],
        },
        (props) => when(!isSet(props, "bootDisk.kmsKeySelfLink"), "bootDisk.kmsKeySelfLink is not set"),
    ),
    machineRule(
        {
            id: "GCP-0034",
            alsoKnownAs: ["CKV_GCP_37"],
            title: "Disks are encrypted with a key of your own.",
            severity: "LOW",
            types: [gcpDisk],
        },
        (props) => when(!isSet(props, "diskEncryptionKey.kmsKeySelfLink"), "diskEncryptionKey.kmsKeySelfLink is not set"),
    ),
    machineRule(
        {
            id: "GCP-0037",
            alsoKnownAs: [],
            title: "No key of a disk is given in plain text.",
            severity: "CRITICAL",
            types: [gcpInstance, gcpDisk],
        },
        (props) =>
            ["bootDisk.diskEncryptionKeyRaw", "diskEncryptionKey.rawKey"].flatMap((path) =>
                when(isSet(props, path), `${path} is set`),
            ),
    ),
    machineRule(
        {
            id: "GCP-0044",
            alsoKnownAs: ["CKV_GCP_30", "CKV_GCP_31"],
            title: "Machines have a service account of their own, not the project's default one.",
            severity: "CRITICAL",
            types: [gcpInstance, gcpTemplate],
        },
        (props) => {
            const account = textAt(props, "serviceAccount.email");
            return when(
                account === "" || /-compute@developer\.gserviceaccount\.com$/.test(account),
                "serviceAccount.email is not one of its own",
            );
        },
    ),
    machineRule(
        {
            id: "GCP-0030",
            alsoKnownAs: ["CKV_GCP_32"],
            title: "The project's SSH keys do not open machines.",
            severity: "MEDIUM",
            types: [gcpInstance],
        },
        (props) => when(!inMetadata(props, "block-project-ssh-keys"), "metadata block-project-ssh-keys is not on"),
    ),
    machineRule(
        {
            id: "GCP-0032",
            alsoKnownAs: ["CKV_GCP_35"],
            title: "The serial console takes no login.",
            severity: "MEDIUM",
            types: [gcpInstance],
        },
        (props) => when(inMetadata(props, "serial-port-enable"), "metadata serial-port-enable is on"),
    ),
    machineRule(
        {
            id: "GCP-0036",
            alsoKnownAs: ["CKV_GCP_34"],
            title: "Machines do not turn OS Login off.",
            severity: "MEDIUM",
            types: [gcpInstance],
        },
        (props) => when(isOff(at(props, "metadata"), "enable-oslogin"), "metadata enable-oslogin is off"),
    ),
    ...(
        [
            ["GCP-0041", "enableVtpm", "have a virtual TPM"],
            ["GCP-0045", "enableIntegrityMonitoring", "have their integrity watched"],
            ["GCP-0067", "enableSecureBoot", "start signed software only"],
        ] as const
    ).map(([id, property, what]) =>
        machineRule(
            {
                id,
                alsoKnownAs: ["CKV_GCP_39"],
                title: `Machines ${what}.`,
                severity: "MEDIUM",
                types: [gcpInstance, gcpTemplate],
            },
            (props) => when(!isOn(props, `shieldedInstanceConfig.${property}`), `shieldedInstanceConfig.${property} is not on`),
        ),
    ),
    machineRule(
        {
            id: "GCP-0043",
            alsoKnownAs: ["CKV_GCP_36"],
            title: "Machines forward no packets.",
            severity: "HIGH",
            types: [gcpInstance, gcpTemplate],
        },
        (props) => when(isOn(props, "canIpForward"), "canIpForward is on"),
    ),
];

const noPasswords = (props: unknown) => isOn(props, "osProfile.linuxConfiguration.disablePasswordAuthentication");

const azure: readonly Rule[] = [
    machineRule(
        {
            id: "AZU-0076",
            alsoKnownAs: ["CKV2_AZURE_39"],
            title: "Machines' interfaces have no public address.",
            severity: "MEDIUM",
            types: [azureInterface],
        },
        (props) =>
            when(
                listAt(props, "ipConfigurations").some((one) => isSet(one, "publicIPAddress")),
                "an entry of ipConfigurations has a publicIPAddress",
            ),
    ),
    machineRule(
        {
            id: "AZU-0075",
            alsoKnownAs: ["CKV_AZURE_118"],
            title: "Machines' interfaces forward no packets.",
            severity: "MEDIUM",
            types: [azureInterface],
        },
        (props) => when(isOn(props, "enableIPForwarding"), "enableIPForwarding is on"),
    ),
    machineRule(
        {
            id: "AZU-0038",
            alsoKnownAs: ["CKV_AZURE_2"],
            title: "Encryption of disks is not turned off.",
            severity: "HIGH",
            types: [azureDisk],
        },
        (props) => when(isOff(props, "encryptionSettingsCollection.enabled"), "encryptionSettingsCollection.enabled is off"),
    ),
    machineRule(
        {
            id: "CKV_AZURE_93",
            alsoKnownAs: [],
            title: "Disks are encrypted with a key of your own.",
            severity: "LOW",
            types: [azureDisk],
        },
        (props) => when(!isSet(props, "encryption.diskEncryptionSetId"), "encryption.diskEncryptionSetId is not set"),
    ),
    machineRule(
        {
            id: "CKV_AZURE_97",
            alsoKnownAs: [],
            title: "Caches and temporary disks are encrypted on the host.",
            severity: "MEDIUM",
            types: [azureMachine, azureScaleSet],
        },
        (props) => when(!isOn(props, "securityProfile.encryptionAtHost"), "securityProfile.encryptionAtHost is not on"),
    ),
    machineRule(
        {
            id: "AZU-0039",
            alsoKnownAs: ["CKV_AZURE_1", "CKV_AZURE_49", "CKV_AZURE_149", "CKV_AZURE_178"],
            title: "Machines take no password.",
            severity: "HIGH",
            types: [azureMachine],
        },
        (props) => [
            ...when(!noPasswords(props), "osProfile.linuxConfiguration.disablePasswordAuthentication is not on"),
            ...when(isSet(props, "osProfile.adminPassword"), "osProfile.adminPassword is set"),
        ],
    ),
    machineRule(
        {
            id: "CKV_AZURE_50",
            alsoKnownAs: [],
            title: "No extensions run on machines.",
            severity: "MEDIUM",
            types: ["azure-native:compute:VirtualMachineExtension"],
        },
        () => ["it runs software with all rights on the machine"],
    ),
];

const own: readonly Rule[] = [
    machineRule(
        {
            id: "LINKSPAN-0015",
            alsoKnownAs: ["AWS-0344"],
            title: "Machines start from one image, not from whatever is the newest.",
            severity: "MEDIUM",
            types: [awsInstance, gcpInstance, azureMachine],
        },
        (props, type) => {
            switch (type) {
                case awsInstance:
                    return when(!isSet(props, "ami") && !isSet(props, "launchTemplate"), "ami is not set");
                case gcpInstance: {
                    const image = textAt(props, "bootDisk.initializeParams.image");
                    return when(
                        image !== "" && (!image.includes("/") || image.includes("/family/")),
                        "bootDisk.initializeParams.image is a family",
                    );
                }
                default:
                    return when(
                        textAt(props, "storageProfile.imageReference.version") === "latest",
                        "storageProfile.imageReference.version is latest",
                    );
            }
        },
    ),
    machineRule(
        {
            id: "LINKSPAN-0016",
            alsoKnownAs: [],
            title: "Machines carry no SSH key of a person.",
            severity: "MEDIUM",
            types: [awsInstance, gcpInstance],
        },
        (props) => [
            ...when(isSet(props, "keyName"), "keyName is set"),
            ...when(isSet(at(props, "metadata"), "ssh-keys"), "metadata ssh-keys is set"),
        ],
    ),
];

/** What machines, their disks and their interfaces must hold. */
export const machineRules: readonly Rule[] = [...aws, ...gcp, ...azure, ...own];
