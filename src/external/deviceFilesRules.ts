import { InputError, quote } from "../errors.js";

/** What state holds of the arguments of written files. `files` is secret. */
export interface DeviceFilesInputs {
    readonly folder: string;
    readonly files: Readonly<Record<string, string>>;
    readonly progressUrn?: string;
}

/** What state holds of written files. The texts themselves stand in the inputs alone. */
export interface DeviceFilesOutputs extends Omit<DeviceFilesInputs, "files"> {
    readonly paths: readonly string[];
    /** SHA-256 by file name. */
    readonly digests: Readonly<Record<string, string>>;
}

/** @throws InputError naming the argument */
export function checkFolder(folder: unknown): void {
    if (typeof folder !== "string" || folder.trim() === "" || folder.includes("\0")) {
        throw new InputError("folder", `${quote(folder)} is no folder; set a path such as "./plant-vpn"`);
    }
}

/** @throws InputError for a name that leads out of the folder */
export function checkFileName(name: string): void {
    if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) {
        throw new InputError("files", `${quote(name)} is no file name; use letters, digits and . _ -`);
    }
}
