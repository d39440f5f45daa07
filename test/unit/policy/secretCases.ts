import { oneResource, type RuleCase, resource } from "./ruleCase.js";

const instance = "aws:ec2/instance:Instance";
const template = "aws:ec2/launchTemplate:LaunchTemplate";
const gcpInstance = "gcp:compute/instance:Instance";
const azureMachine = "azure-native:compute:VirtualMachine";
const parameter = "aws:ssm/parameter:Parameter";
const key = "aws:kms/key:Key";
const vault = "azure-native:keyvault:Vault";
const vaultSecret = "azure-native:keyvault:Secret";

const pem = "#cloud-config\nwrite_files:\n  - content: |\n      -----BEGIN EC PRIVATE KEY-----\n      AAAA\n";
const password = "#cloud-config\nruncmd:\n  - echo\nenvironment:\n  admin_password: 3q2vGkXl0mYt8PzB\n";
const clean = [
    "#cloud-config",
    "write_files:",
    "  - content: |",
    '      cookie="$(fetch_item cookie)"',
    '      password = "$PASSWORD"',
    "      keyfile = /etc/emqx/certs/link-key.pem",
    "      secret: /run/linkspan/secrets/cookie",
    "      -----BEGIN CERTIFICATE-----",
].join("\n");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const allow = (principal: unknown) => JSON.stringify({ Statement: [{ Effect: "Allow", Principal: principal, Action: "kms:*" }] });
const secretOf = (name: string) => resource("aws:secretsmanager/secret:Secret", {}, { name });

export const secretCases: readonly RuleCase[] = [
    oneResource(
        "AWS-0029",
        instance,
        [{ userData: clean }, { userDataBase64: base64(clean) }, {}],
        [
            [{ userData: pem }, "userData holds a private key"],
            [{ userDataBase64: base64(password) }, "userDataBase64 holds a password or key"],
            [{ userData: "export X=AKIAABCDEFGHIJKLMNOP" }, "userData holds an access key of AWS"],
        ],
    ),
    oneResource(
        "AWS-0129",
        template,
        [{ userData: base64(clean) }],
        [[{ userData: base64(pem) }, "userData holds a private key"]],
    ),
    oneResource("AWS-0098", "aws:secretsmanager/secret:Secret", [{ kmsKeyId: "k" }], [[{}, "kmsKeyId is not set"]]),
    {
        rule: "CKV2_AWS_57",
        good: [
            [
                resource("aws:secretsmanager/secretRotation:SecretRotation", {}, { propertyDependencies: { secretId: ["one"] } }),
                secretOf("one"),
            ],
        ],
        bad: [[[secretOf("one")], "nothing rotates it"]],
    },
    oneResource(
        "CKV_AWS_337",
        parameter,
        [{ type: "SecureString", keyId: "k" }, { type: "String" }],
        [[{ type: "SecureString" }, "keyId is not set"]],
    ),
    oneResource("AWS-0065", key, [{ enableKeyRotation: true }], [[{}, "enableKeyRotation is not on"]]),
    oneResource(
        "CKV_AWS_33",
        key,
        [{ policy: allow({ AWS: "arn:aws:iam::1:root" }) }],
        [
            [{}, "policy is not set"],
            [{ policy: allow("*") }, "policy lets everybody use it"],
            [{ policy: allow({ AWS: ["*"] }) }, "policy lets everybody use it"],
        ],
    ),
    oneResource(
        "GCP-0065",
        "gcp:kms/cryptoKey:CryptoKey",
        [{ rotationPeriod: "7776000s" }],
        [
            [{}, "rotationPeriod is not 90 days or less"],
            [{ rotationPeriod: "7776001s" }, "rotationPeriod is not 90 days or less"],
        ],
    ),
    oneResource(
        "AZU-0037",
        azureMachine,
        [{ osProfile: { customData: base64(clean) } }],
        [
            [{ osProfile: { customData: base64(pem) } }, "osProfile.customData holds a private key"],
            [{ userData: base64(password) }, "userData holds a password or key"],
        ],
    ),
    oneResource(
        "AZU-0013",
        vault,
        [{ properties: { networkAcls: { defaultAction: "Deny" } } }, { properties: { publicNetworkAccess: "disabled" } }],
        [
            [{}, "properties.networkAcls.defaultAction is not Deny"],
            [{ properties: { networkAcls: { defaultAction: "Allow" } } }, "properties.networkAcls.defaultAction is not Deny"],
        ],
    ),
    oneResource(
        "AZU-0014",
        "azure-native:keyvault:Key",
        [{ properties: { attributes: { exp: 1 } } }],
        [[{}, "properties.attributes.exp is not set"]],
    ),
    oneResource(
        "AZU-0015",
        vaultSecret,
        [{ properties: { contentType: "text/plain" } }],
        [[{}, "properties.contentType is not set"]],
    ),
    oneResource(
        "AZU-0016",
        vault,
        [{ properties: { enablePurgeProtection: true } }],
        [
            [{}, "properties.enablePurgeProtection is not on"],
            [{ properties: { enablePurgeProtection: true, enableSoftDelete: false } }, "properties.enableSoftDelete is off"],
        ],
    ),
    oneResource(
        "AZU-0017",
        vaultSecret,
        [{ properties: { attributes: { expires: 1 } } }],
        [[{}, "properties.attributes.expires is not set"]],
    ),
    oneResource(
        "AZU-0011",
        "azure-native:storage:StorageAccount",
        [{ minimumTlsVersion: "TLS1_2" }],
        [
            [{}, "minimumTlsVersion is not TLS1_2 or newer"],
            [{ minimumTlsVersion: "TLS1_0" }, "minimumTlsVersion is not TLS1_2 or newer"],
        ],
    ),
    oneResource(
        "LINKSPAN-0006",
        gcpInstance,
        [{ metadata: { "user-data": clean } }],
        [
            [{ metadata: { "user-data": pem } }, "metadata.user-data holds a private key"],
            [
                { metadataStartupScript: `curl -H "Authorization: Bearer ${"x".repeat(40)}"` },
                "metadataStartupScript holds a token of an EMQX or other web interface",
            ],
            [
                { metadata: { "startup-script": '{"private_key_id": "1"}' } },
                "metadata.startup-script holds a key of a Google service account",
            ],
        ],
    ),
    {
        rule: "LINKSPAN-0012",
        good: [
            [resource(parameter, { value: "x" }, { secrets: ["value"] })],
            [resource(vaultSecret, { properties: { value: "x" } }, { secrets: ["properties"] })],
            [resource("gcp:secretmanager/secretVersion:SecretVersion", { secretData: "x" })],
        ],
        bad: [
            [[resource(parameter, { value: "x" }, { secrets: [] })], "value is no Pulumi secret"],
            [
                [resource(vaultSecret, { properties: { value: "x" } }, { secrets: ["properties.contentType"] })],
                "properties.value is no Pulumi secret",
            ],
        ],
    },
    oneResource(
        "LINKSPAN-0013",
        parameter,
        [{ type: "SecureString", value: "x" }],
        [
            [{ type: "String", value: "x" }, "type is not SecureString"],
            [{ type: "SecureString", insecureValue: "x" }, "type is not SecureString"],
        ],
    ),
    {
        rule: "LINKSPAN-0014",
        good: [[resource(key)], [resource("gcp:kms/cryptoKey:CryptoKey")]],
        bad: [
            [[resource(key, { deletionWindowInDays: 7 })], "deletionWindowInDays is less than 14"],
            [
                [resource("gcp:kms/cryptoKey:CryptoKey", { destroyScheduledDuration: "86400s" })],
                "destroyScheduledDuration is one day",
            ],
        ],
    },
];
