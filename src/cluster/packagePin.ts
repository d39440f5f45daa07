import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { checkPackageUrl } from "./pinRules.js";

/** Arguments of {@link PackagePin}. */
export interface PackagePinArgs {
    /** `https://` address of the file. Redirects are followed, to https only. */
    readonly url: string;
}

/**
 * The SHA-256 of a file, taken by downloading it once when the resource is made and kept from then on, so that every machine of the
 * site installs the same bytes, also one that is made years later. Another `url` takes it anew. Nothing is stored of the file itself.
 */
export class PackagePin extends DynamicResource {
    /** SHA-256 of the file, 64 hexadecimal digits. */
    declare readonly sha256: pulumi.Output<string>;
    /** Size of the file in bytes. */
    declare readonly bytes: pulumi.Output<number>;

    constructor(name: string, args: PackagePinArgs, opts: pulumi.CustomResourceOptions = {}) {
        super("packagePin", name, { ...args, sha256: undefined, bytes: undefined }, opts);
        failOn(this, () => checkPackageUrl(args.url));
    }
}
