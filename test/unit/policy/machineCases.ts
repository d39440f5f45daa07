import { oneResource, type RuleCase, resource } from "./ruleCase.js";

const awsInstance = "aws:ec2/instance:Instance";
const awsTemplate = "aws:ec2/launchTemplate:LaunchTemplate";
const awsVolume = "aws:ebs/volume:Volume";
const gcpInstance = "gcp:compute/instance:Instance";
const gcpDisk = "gcp:compute/disk:Disk";
const azureMachine = "azure-native:compute:VirtualMachine";
const azureDisk = "azure-native:compute:Disk";
const azureInterface = "azure-native:network:NetworkInterface";

const tokens = { metadataOptions: { httpTokens: "required" } };
const linux = (more: Record<string, unknown>) => ({
    osProfile: { linuxConfiguration: { disablePasswordAuthentication: true }, ...more },
});

export const machineCases: readonly RuleCase[] = [
    oneResource(
        "AWS-0028",
        awsInstance,
        [tokens, { metadataOptions: { httpEndpoint: "disabled" } }],
        [
            [{}, "metadataOptions.httpTokens is not required"],
            [{ metadataOptions: { httpTokens: "optional" } }, "metadataOptions.httpTokens is not required"],
        ],
    ),
    oneResource("AWS-0130", awsTemplate, [tokens], [[{}, "metadataOptions.httpTokens is not required"]]),
    oneResource(
        "CKV_AWS_341",
        awsInstance,
        [{ metadataOptions: { httpPutResponseHopLimit: 1 } }],
        [
            [{}, "metadataOptions.httpPutResponseHopLimit is not 1"],
            [{ metadataOptions: { httpPutResponseHopLimit: 2 } }, "metadataOptions.httpPutResponseHopLimit is not 1"],
        ],
    ),
    {
        rule: "AWS-0009",
        good: [[resource(awsInstance, { associatePublicIpAddress: false })], [resource(awsInstance)]],
        bad: [
            [[resource(awsInstance, { associatePublicIpAddress: true })], "associatePublicIpAddress is on"],
            [
                [resource(awsTemplate, { networkInterfaces: [{ associatePublicIpAddress: "true" }] })],
                "associatePublicIpAddress is on",
            ],
        ],
    },
    oneResource(
        "AWS-0131",
        awsInstance,
        [{ rootBlockDevice: { encrypted: true } }],
        [
            [{}, "rootBlockDevice.encrypted is not on"],
            [
                { rootBlockDevice: { encrypted: true }, ebsBlockDevices: [{ encrypted: true }, {}] },
                "a disk in ebsBlockDevices is not encrypted",
            ],
        ],
    ),
    oneResource("AWS-0026", awsVolume, [{ encrypted: true }], [[{}, "encrypted is not on"]]),
    oneResource("AWS-0027", awsVolume, [{ kmsKeyId: "arn:aws:kms:x" }], [[{ encrypted: true }, "kmsKeyId is not set"]]),
    oneResource("CKV2_AWS_41", awsInstance, [{ iamInstanceProfile: "p" }], [[{}, "iamInstanceProfile is not set"]]),
    oneResource(
        "GCP-0031",
        gcpInstance,
        [{ networkInterfaces: [{ network: "n" }, { accessConfigs: [] }] }],
        [[{ networkInterfaces: [{ accessConfigs: [{}] }] }, "accessConfigs gives it a public address"]],
    ),
    oneResource("GCP-0033", gcpInstance, [{ bootDisk: { kmsKeySelfLink: "k" } }], [[{}, "bootDisk.kmsKeySelfLink is not set"]]),
    oneResource(
        "GCP-0034",
        gcpDisk,
        [{ diskEncryptionKey: { kmsKeySelfLink: "k" } }],
        [[{}, "diskEncryptionKey.kmsKeySelfLink is not set"]],
    ),
    {
        rule: "GCP-0037",
        good: [[resource(gcpInstance)], [resource(gcpDisk, { diskEncryptionKey: { kmsKeySelfLink: "k" } })]],
        bad: [
            [[resource(gcpInstance, { bootDisk: { diskEncryptionKeyRaw: "AAAA" } })], "bootDisk.diskEncryptionKeyRaw is set"],
            [[resource(gcpDisk, { diskEncryptionKey: { rawKey: "AAAA" } })], "diskEncryptionKey.rawKey is set"],
        ],
    },
    oneResource(
        "GCP-0044",
        gcpInstance,
        [{ serviceAccount: { email: "brokers@p.iam.gserviceaccount.com", scopes: ["cloud-platform"] } }],
        [
            [{}, "serviceAccount.email is not one of its own"],
            [
                { serviceAccount: { email: "123-compute@developer.gserviceaccount.com" } },
                "serviceAccount.email is not one of its own",
            ],
        ],
    ),
    oneResource(
        "GCP-0030",
        gcpInstance,
        [{ metadata: { "block-project-ssh-keys": "TRUE" } }],
        [[{}, "metadata block-project-ssh-keys is not on"]],
    ),
    oneResource(
        "GCP-0032",
        gcpInstance,
        [{}, { metadata: { "serial-port-enable": "FALSE" } }],
        [[{ metadata: { "serial-port-enable": "1" } }, "metadata serial-port-enable is on"]],
    ),
    oneResource(
        "GCP-0036",
        gcpInstance,
        [{}, { metadata: { "enable-oslogin": "TRUE" } }],
        [[{ metadata: { "enable-oslogin": "FALSE" } }, "metadata enable-oslogin is off"]],
    ),
    oneResource(
        "GCP-0041",
        gcpInstance,
        [{ shieldedInstanceConfig: { enableVtpm: true } }],
        [[{}, "shieldedInstanceConfig.enableVtpm is not on"]],
    ),
    oneResource(
        "GCP-0045",
        gcpInstance,
        [{ shieldedInstanceConfig: { enableIntegrityMonitoring: true } }],
        [[{}, "shieldedInstanceConfig.enableIntegrityMonitoring is not on"]],
    ),
    oneResource(
        "GCP-0067",
        gcpInstance,
        [{ shieldedInstanceConfig: { enableSecureBoot: true } }],
        [[{ shieldedInstanceConfig: { enableSecureBoot: false } }, "shieldedInstanceConfig.enableSecureBoot is not on"]],
    ),
    oneResource("GCP-0043", gcpInstance, [{}, { canIpForward: false }], [[{ canIpForward: true }, "canIpForward is on"]]),
    oneResource(
        "AZU-0076",
        azureInterface,
        [{ ipConfigurations: [{ privateIPAddress: "10.3.0.4" }] }],
        [[{ ipConfigurations: [{ publicIPAddress: { id: "p" } }] }, "an entry of ipConfigurations has a publicIPAddress"]],
    ),
    oneResource(
        "AZU-0075",
        azureInterface,
        [{}, { enableIPForwarding: false }],
        [[{ enableIPForwarding: true }, "enableIPForwarding is on"]],
    ),
    oneResource(
        "AZU-0038",
        azureDisk,
        [{}, { encryptionSettingsCollection: { enabled: true } }],
        [[{ encryptionSettingsCollection: { enabled: false } }, "encryptionSettingsCollection.enabled is off"]],
    ),
    oneResource(
        "CKV_AZURE_93",
        azureDisk,
        [{ encryption: { diskEncryptionSetId: "s" } }],
        [[{}, "encryption.diskEncryptionSetId is not set"]],
    ),
    oneResource(
        "CKV_AZURE_97",
        azureMachine,
        [{ securityProfile: { encryptionAtHost: true } }],
        [[{}, "securityProfile.encryptionAtHost is not on"]],
    ),
    oneResource(
        "AZU-0039",
        azureMachine,
        [linux({})],
        [
            [{}, "osProfile.linuxConfiguration.disablePasswordAuthentication is not on"],
            [linux({ adminPassword: "x" }), "osProfile.adminPassword is set"],
        ],
    ),
    {
        rule: "CKV_AZURE_50",
        good: [[resource(azureMachine)]],
        bad: [[[resource("azure-native:compute:VirtualMachineExtension")], "it runs software with all rights on the machine"]],
    },
    {
        rule: "LINKSPAN-0015",
        good: [
            [resource(awsInstance, { ami: "ami-1" })],
            [
                resource(gcpInstance, {
                    bootDisk: {
                        initializeParams: { image: "projects/ubuntu-os-cloud/global/images/ubuntu-2404-noble-arm64-v20261001" },
                    },
                }),
            ],
            [resource(azureMachine, { storageProfile: { imageReference: { version: "24.04.202610010" } } })],
        ],
        bad: [
            [[resource(awsInstance)], "ami is not set"],
            [
                [
                    resource(gcpInstance, {
                        bootDisk: { initializeParams: { image: "ubuntu-os-cloud/global/images/family/ubuntu-2404" } },
                    }),
                ],
                "bootDisk.initializeParams.image is a family",
            ],
            [
                [resource(azureMachine, { storageProfile: { imageReference: { version: "latest" } } })],
                "storageProfile.imageReference.version is latest",
            ],
        ],
    },
    {
        rule: "LINKSPAN-0016",
        good: [[resource(awsInstance)], [resource(gcpInstance, { metadata: { "enable-oslogin": "TRUE" } })]],
        bad: [
            [[resource(awsInstance, { keyName: "me" })], "keyName is set"],
            [[resource(gcpInstance, { metadata: { "ssh-keys": "me:ssh-ed25519 AAAA" } })], "metadata ssh-keys is set"],
        ],
    },
];
