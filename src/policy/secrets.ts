import { isOff, isOn, isSet, numberAt, textAt } from "./properties.js";
import type { PlainResource, Rule } from "./rule.js";

/** What must not stand in a machine's boot data, with the name that a message uses. Values of variables (`$X`, `{{x}}`) are no secrets. */
const secretPatterns: readonly (readonly [string, RegExp])[] = [
    ["a private key", /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
    ["an access key of AWS", /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
    ["a key of a Google service account", /"private_key_id"\s*:/],
    ["a token of an EMQX or other web interface", /\bBearer\s+[A-Za-z0-9._~+/-]{20,}=*/],
    [
        "a password or key",
        /(?:^|[\s_.-])(?:password|passwd|secret|api_?key|access_?key|license|licence|cookie|psk|token)["']?[ \t]*[:=][ \t]*["']?(?![$<{%"'\s]|\/[a-z]+\/)[A-Za-z0-9+/!@#^&*_.-]{12,}["']?[ \t]*(?:$|\n)/im,
    ],
];

/** Where boot data stands in a machine; base64 is read as what it means. */
const bootData: Readonly<Record<string, readonly string[]>> = {
    "aws:ec2/instance:Instance": ["userData", "userDataBase64"],
    "aws:ec2/launchTemplate:LaunchTemplate": ["userData"],
    "gcp:compute/instance:Instance": ["metadata.user-data", "metadata.startup-script", "metadataStartupScript"],
    "gcp:compute/instanceTemplate:InstanceTemplate": ["metadata.user-data", "metadata.startup-script", "metadataStartupScript"],
    "azure-native:compute:VirtualMachine": ["osProfile.customData", "userData"],
};

function bootSecrets({ type, props }: PlainResource): readonly string[] {
    return (bootData[type] ?? []).flatMap((path) => {
        const texts = readable(textAt(props, path));
        return secretPatterns
            .filter(([, pattern]) => texts.some((text) => pattern.test(text)))
            .map(([what]) => `${path} holds ${what}`);
    });
}

function readable(text: string): readonly string[] {
    return /^[A-Za-z0-9+/\r\n]+=*\s*$/.test(text) ? [text, Buffer.from(text, "base64").toString("utf8")] : [text];
}

const bootRule = (id: string, alsoKnownAs: readonly string[], types: readonly string[]): Rule => ({
    id,
    alsoKnownAs,
    area: "secrets",
    title: "No secret stands in boot data, which everybody who may describe a machine can read.",
    severity: "CRITICAL",
    types,
    needs: "resource",
    check: bootSecrets,
});

const day = 24 * 60 * 60;
const vault = "azure-native:keyvault:Vault";
const vaultSecret = "azure-native:keyvault:Secret";

function secretRule(rule: Omit<Rule, "area" | "needs" | "check">, faults: (resource: PlainResource) => readonly string[]): Rule {
    return { ...rule, area: "secrets", needs: "resource", check: faults };
}

const when = (fault: boolean, text: string): readonly string[] => (fault ? [text] : []);

const aws: readonly Rule[] = [
    bootRule("AWS-0029", ["CKV_AWS_46"], ["aws:ec2/instance:Instance"]),
    bootRule("AWS-0129", [], ["aws:ec2/launchTemplate:LaunchTemplate"]),
    secretRule(
        {
            id: "AWS-0098",
            alsoKnownAs: ["CKV_AWS_149"],
            title: "Secrets are encrypted with a key of your own.",
            severity: "LOW",
            types: ["aws:secretsmanager/secret:Secret"],
        },
        ({ props }) => when(!isSet(props, "kmsKeyId"), "kmsKeyId is not set"),
    ),
    {
        id: "CKV2_AWS_57",
        alsoKnownAs: [],
        area: "secrets",
        title: "Secrets are rotated.",
        severity: "LOW",
        types: ["aws:secretsmanager/secret:Secret"],
        needs: "stack",
        check: (secret, graph) =>
            when(
                !graph
                    .ofTypes("aws:secretsmanager/secretRotation:SecretRotation")
                    .some((rotation) => graph.refers(rotation, "secretId", secret)),
                "nothing rotates it",
            ),
    },
    secretRule(
        {
            id: "CKV_AWS_337",
            alsoKnownAs: [],
            title: "Parameters are encrypted with a key of your own.",
            severity: "LOW",
            types: ["aws:ssm/parameter:Parameter"],
        },
        ({ props }) => when(textAt(props, "type") === "SecureString" && !isSet(props, "keyId"), "keyId is not set"),
    ),
    secretRule(
        {
            id: "AWS-0065",
            alsoKnownAs: ["CKV_AWS_7"],
            title: "Keys are rotated by AWS.",
            severity: "MEDIUM",
            types: ["aws:kms/key:Key"],
        },
        ({ props }) => when(!isOn(props, "enableKeyRotation"), "enableKeyRotation is not on"),
    ),
    secretRule(
        {
            id: "CKV_AWS_33",
            alsoKnownAs: ["CKV2_AWS_64"],
            title: "Keys say who may use them, and that is not everybody.",
            severity: "HIGH",
            types: ["aws:kms/key:Key"],
        },
        ({ props }) => [
            ...when(!isSet(props, "policy"), "policy is not set"),
            ...when(
                /"Principal"\s*:\s*(?:"\*"|\{\s*"AWS"\s*:\s*\[?\s*"\*")/.test(textAt(props, "policy")),
                "policy lets everybody use it",
            ),
        ],
    ),
];

const gcp: readonly Rule[] = [
    secretRule(
        {
            id: "GCP-0065",
            alsoKnownAs: ["CKV_GCP_43"],
            title: "Keys are rotated every 90 days.",
            severity: "HIGH",
            types: ["gcp:kms/cryptoKey:CryptoKey"],
        },
        ({ props }) => {
            const seconds = Number(/^(\d+)(?:\.\d+)?s$/.exec(textAt(props, "rotationPeriod"))?.[1]);
            return when(!(seconds <= 90 * day), "rotationPeriod is not 90 days or less");
        },
    ),
];

const azure: readonly Rule[] = [
    bootRule("AZU-0037", ["CKV_AZURE_45"], ["azure-native:compute:VirtualMachine"]),
    secretRule(
        {
            id: "AZU-0013",
            alsoKnownAs: ["CKV_AZURE_109", "CKV_AZURE_189", "CKV2_AZURE_32"],
            title: "Vaults answer listed networks only.",
            severity: "CRITICAL",
            types: [vault],
        },
        ({ props }) =>
            when(
                textAt(props, "properties.publicNetworkAccess").toLowerCase() !== "disabled" &&
                    textAt(props, "properties.networkAcls.defaultAction") !== "Deny",
                "properties.networkAcls.defaultAction is not Deny",
            ),
    ),
    secretRule(
        {
            id: "AZU-0014",
            alsoKnownAs: ["CKV_AZURE_40"],
            title: "Keys expire.",
            severity: "MEDIUM",
            types: ["azure-native:keyvault:Key"],
        },
        ({ props }) => when(!isSet(props, "properties.attributes.exp"), "properties.attributes.exp is not set"),
    ),
    secretRule(
        {
            id: "AZU-0015",
            alsoKnownAs: ["CKV_AZURE_114"],
            title: "Secrets say what they are.",
            severity: "LOW",
            types: [vaultSecret],
        },
        ({ props }) => when(!isSet(props, "properties.contentType"), "properties.contentType is not set"),
    ),
    secretRule(
        {
            id: "AZU-0016",
            alsoKnownAs: ["CKV_AZURE_42", "CKV_AZURE_110", "CKV_AZURE_111"],
            title: "Vaults can be recovered, and not purged at once.",
            severity: "MEDIUM",
            types: [vault],
        },
        ({ props }) => [
            ...when(isOff(props, "properties.enableSoftDelete"), "properties.enableSoftDelete is off"),
            ...when(!isOn(props, "properties.enablePurgeProtection"), "properties.enablePurgeProtection is not on"),
        ],
    ),
    secretRule(
        {
            id: "AZU-0017",
            alsoKnownAs: ["CKV_AZURE_41"],
            title: "Secrets expire.",
            severity: "LOW",
            types: [vaultSecret],
        },
        ({ props }) => when(!isSet(props, "properties.attributes.expires"), "properties.attributes.expires is not set"),
    ),
    secretRule(
        {
            id: "AZU-0011",
            alsoKnownAs: ["CKV_AZURE_44"],
            title: "Storage takes TLS 1.2 and nothing older.",
            severity: "CRITICAL",
            types: ["azure-native:storage:StorageAccount"],
        },
        ({ props }) =>
            when(!["TLS1_2", "TLS1_3"].includes(textAt(props, "minimumTlsVersion")), "minimumTlsVersion is not TLS1_2 or newer"),
    ),
];

/** Property that holds the secret, by the type of its item in a cloud's store. */
const stored: Readonly<Record<string, string>> = {
    "aws:ssm/parameter:Parameter": "value",
    "aws:secretsmanager/secretVersion:SecretVersion": "secretString",
    "gcp:secretmanager/secretVersion:SecretVersion": "secretData",
    [vaultSecret]: "properties.value",
};

const own: readonly Rule[] = [
    bootRule("LINKSPAN-0006", [], ["gcp:compute/instance:Instance", "gcp:compute/instanceTemplate:InstanceTemplate"]),
    secretRule(
        {
            id: "LINKSPAN-0012",
            alsoKnownAs: [],
            title: "What goes into a secret store is a Pulumi secret, so that state keeps it encrypted.",
            severity: "CRITICAL",
            types: Object.keys(stored),
        },
        ({ type, props, secrets }) => {
            const path = stored[type] ?? "";
            const covered = secrets?.some((secret) => path === secret || path.startsWith(`${secret}.`)) ?? true;
            return when(isSet(props, path) && !covered, `${path} is no Pulumi secret`);
        },
    ),
    secretRule(
        {
            id: "LINKSPAN-0013",
            alsoKnownAs: [],
            title: "Parameters of the secret store are encrypted.",
            severity: "CRITICAL",
            types: ["aws:ssm/parameter:Parameter"],
        },
        ({ props }) =>
            when(textAt(props, "type") !== "SecureString" || isSet(props, "insecureValue"), "type is not SecureString"),
    ),
    secretRule(
        {
            id: "LINKSPAN-0014",
            alsoKnownAs: ["CKV_GCP_82"],
            title: "Keys are not destroyed at once.",
            severity: "LOW",
            types: ["aws:kms/key:Key", "gcp:kms/cryptoKey:CryptoKey"],
        },
        ({ type, props }) =>
            type.startsWith("aws")
                ? when((numberAt(props, "deletionWindowInDays") ?? 30) < 14, "deletionWindowInDays is less than 14")
                : when(textAt(props, "destroyScheduledDuration") === "86400s", "destroyScheduledDuration is one day"),
    ),
];

/** What secrets, keys, their stores and machines' boot data must hold. */
export const secretRules: readonly Rule[] = [...aws, ...gcp, ...azure, ...own];
