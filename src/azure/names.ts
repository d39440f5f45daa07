import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { Secrets } from "../identity/secrets.js";
import type { AzureScope } from "./scope.js";

/** The most that key vaults and storage accounts may have. */
const longest = 24;
const endingLength = 8;

/** Makes names that must be unique in all of Azure. */
export interface GlobalNames {
    /** Of lower-case letters, digits and single hyphens. */
    vault(): pulumi.Output<string>;
    /** Of lower-case letters and digits. */
    storageAccount(): pulumi.Output<string>;
}

/**
 * Names for what Azure allows 24 characters only, unique among all of its customers: the beginning of the site's name and a random ending
 * that lives as long as the site. A deleted vault keeps its name for days, so a site that is made again must have another one.
 */
export function globalNames({ parent, plan }: AzureScope): GlobalNames {
    const random = new Secrets(`${plan.name}-name-ending`, { names: ["ending"], bytes: 16 }, { parent });
    // What stands in names is no secret.
    const ending = pulumi.unsecret(
        random.value("ending").apply((value) => createHash("sha256").update(value).digest("hex").slice(0, endingLength)),
    );
    return {
        vault: () => ending.apply((text) => vaultName(plan.name, text)),
        storageAccount: () => ending.apply((text) => storageAccountName(plan.name, text)),
    };
}

export function vaultName(site: string, ending: string): string {
    return `${site.slice(0, longest - endingLength - 1).replace(/-+$/, "")}-${ending}`;
}

export function storageAccountName(site: string, ending: string): string {
    return `${site.replaceAll("-", "").slice(0, longest - endingLength)}${ending}`;
}
