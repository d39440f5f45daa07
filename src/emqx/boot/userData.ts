import { InputError, quote } from "../../errors.js";
import { bootPaths } from "./bootItems.js";
import { bootScript } from "./bootScript.js";
import { gzipSame } from "./gzip.js";
import { firstBootCommands, type MachineFile, machineFiles } from "./machineFiles.js";
import { aclText, renderNodeConfig } from "./nodeConfig.js";

/** A file that a broker installs EMQX from. A file with another SHA-256 is not installed. */
export interface BootPackage {
    /** `https://…deb`. */
    readonly url: string;
    /** SHA-256 of the file, 64 hexadecimal digits. */
    readonly sha256: string;
}

/** How a broker reads its items from its cloud's secret store. */
export interface BootSecretStore {
    /**
     * Bash text that defines the function `fetch_item NAME`: prints one item to stdout, fails where it cannot. It may use curl, python3,
     * openssl and the variables of `settings`. It runs as root, in a shell of its own with `set -euo pipefail`, for at most 60 s per
     * item. Retries, back-off and file modes are not its business.
     */
    readonly script: string;
    /** Shell variables of the script; the names in upper case. Nothing secret. */
    readonly settings: Readonly<Record<string, string>>;
}

/** What a broker machine's boot data is made from: its own site and nothing else, so that peers come and go without touching it. */
export interface BootInput {
    /** `cluster.name` of EMQX. */
    readonly clusterName: string;
    /** `node.name` of EMQX, such as `emqx@10.1.0.4`. */
    readonly nodeName: string;
    /** Node names that a booting node looks for. */
    readonly seeds: readonly string[];
    /** EMQX release, such as `5.10.3`. A package of another release is not installed. */
    readonly version: string;
    /** Messages that the session of a client that is away may queue; EMQX keeps them in memory. */
    readonly sessionQueueMessages: number;
    readonly package: BootPackage;
    /** Device paths of the data disk, in the order of preference: links by-id, which no renaming moves. */
    readonly dataDisk: { readonly hints: readonly string[] };
    readonly secretStore: BootSecretStore;
}

/**
 * Most bytes of user data: `plain` before base64 for Azure, whose `customData` takes 65535 characters of base64; `zipped` for AWS, which
 * takes 16 KiB before base64. GCP takes 256 KiB. Sources: SDK texts of azure-native 3.28.0; AWS and GCP documentation, 2026-11.
 */
export const userDataLimits = { plain: 49_149, zipped: 16_384 } as const;

const places = {
    script: "/usr/local/sbin/linkspan-boot",
    settings: "/etc/linkspan/boot.env",
    secretStore: "/etc/linkspan/fetch-item.sh",
    nodeConfig: "/etc/linkspan/emqx.conf",
} as const;
const header = "#cloud-config\n";
const reservedSetting = /^(LINKSPAN_|LD_|BASH|PATH$|IFS$|ENV$|HOME$|SHELLOPTS$|PS4$)/;

/**
 * User data for cloud-init on Ubuntu 24.04: begins with `#cloud-config`, holds no secret. The same input gives the same bytes, and nodes of
 * one cluster differ in their name and their data disk alone.
 *
 * @throws InputError naming the part of the input that is not possible, or when the text is too long for Azure
 */
export function renderUserData(input: BootInput): string {
    const files: readonly MachineFile[] = [
        { path: places.script, content: bootScript, permissions: "0755" },
        { path: places.settings, content: renderSettings(input), permissions: "0644" },
        { path: places.secretStore, content: input.secretStore.script, permissions: "0644" },
        { path: places.nodeConfig, content: renderNodeConfig(input), permissions: "0644" },
        { path: bootPaths.acl, content: aclText, permissions: "0644" },
        ...machineFiles,
    ];
    const text = `${header}${JSON.stringify({ write_files: files, runcmd: firstBootCommands })}\n`;
    checkSize(Buffer.byteLength(text), userDataLimits.plain);
    return text;
}

/**
 * User data as AWS takes it in `userDataBase64`: gzip, which cloud-init unpacks, in base64. The same text gives the same bytes everywhere.
 *
 * @throws InputError when it is too long for AWS
 */
export function gzipUserData(text: string): string {
    const zipped = gzipSame(text);
    checkSize(zipped.length, userDataLimits.zipped);
    return zipped.toString("base64");
}

function checkSize(size: number, limit: number): void {
    if (size > limit) {
        throw new InputError(
            "secretStore",
            `the user data has ${size} bytes, more than the ${limit} that the cloud takes; shorten the script or the settings`,
        );
    }
}

function renderSettings({ clusterName, nodeName, version, package: source, dataDisk, secretStore }: BootInput): string {
    check("clusterName", clusterName, /^[\w.-]{1,255}$/);
    check("nodeName", nodeName, /^emqx@[\w.-]{1,255}$/);
    check("version", version, /^\d+\.\d+\.\d+$/);
    check("package.url", source.url, /^https:\/\/[^\s"'`$\\]+$/);
    check("package.sha256", source.sha256, /^[0-9a-f]{64}$/);
    dataDisk.hints.forEach((hint, index) => {
        check(`dataDisk.hints[${index}]`, hint, /^\/dev\/[\w./:@+-]+$/);
    });
    for (const [name, value] of Object.entries(secretStore.settings)) {
        if (!/^[A-Z][A-Z0-9_]*$/.test(name) || reservedSetting.test(name)) {
            throw new InputError("secretStore.settings", `the name ${quote(name)} is not possible; use capitals, digits and _`);
        }
        check(`secretStore.settings.${name}`, value, /^[^'\p{Cc}]*$/u);
    }
    const variables = {
        LINKSPAN_CLUSTER: clusterName,
        LINKSPAN_NODE: nodeName,
        LINKSPAN_EMQX_VERSION: version,
        LINKSPAN_PACKAGE_URL: source.url,
        LINKSPAN_PACKAGE_SHA256: source.sha256,
        LINKSPAN_DISK_HINTS: dataDisk.hints.join(" "),
        ...secretStore.settings,
    };
    return Object.entries(variables)
        .map(([name, value]) => `${name}='${value}'\n`)
        .join("");
}

function check(argument: string, value: string, form: RegExp): void {
    if (!form.test(value)) {
        throw new InputError(argument, `${quote(value)} is not possible in boot data; it must fit ${form.source}`);
    }
}

/** User data, taken apart again. */
export interface UserDataParts {
    /** Variables of the boot script and of the secret store's. */
    readonly settings: Readonly<Record<string, string>>;
    /** `emqx.conf` as text. */
    readonly nodeConfig: string;
    /** EMQX's rule file. */
    readonly acl: string;
    /** All files by path. */
    readonly files: Readonly<Record<string, MachineFile>>;
    readonly commands: readonly (readonly string[])[];
}

/**
 * Takes user data of {@link renderUserData} apart, so that a test can run a stand-in from what a machine would get.
 *
 * @throws InputError when the text is none
 */
export function readUserData(text: string): UserDataParts {
    const { write_files, runcmd } = parse(text);
    const files = Object.fromEntries(write_files.map((file) => [file.path, file]));
    const contentOf = (path: string) => {
        const found = files[path];
        if (found === undefined) {
            throw new InputError("text", `the user data has no file ${path}`);
        }
        return found.content;
    };
    return {
        settings: Object.fromEntries(
            [...contentOf(places.settings).matchAll(/^(\w+)='([^']*)'$/gm)].map(([, name, value]) => [name ?? "", value ?? ""]),
        ),
        nodeConfig: contentOf(places.nodeConfig),
        acl: contentOf(bootPaths.acl),
        files,
        commands: runcmd,
    };
}

function parse(text: string): { readonly write_files: readonly MachineFile[]; readonly runcmd: readonly string[][] } {
    try {
        const found = text.startsWith(header) ? JSON.parse(text.slice(header.length)) : undefined;
        if (Array.isArray(found?.write_files) && Array.isArray(found.runcmd)) {
            return found;
        }
    } catch {
        // Told below: not ours.
    }
    throw new InputError("text", "it is no user data of Linkspan");
}
