import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { checkFolder } from "./deviceFilesRules.js";

/** Arguments of {@link DeviceFiles}. */
export interface DeviceFilesArgs {
    /** Folder on the machine that runs Pulumi, relative to the project or absolute. Another one moves the files. */
    readonly folder: string;
    /** Texts by file name. Always kept as a secret. */
    readonly files: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
}

/** Files that only their owner may read, kept as they are described: a file that is gone or has been changed is written again. */
export class DeviceFiles extends DynamicResource {
    /** Absolute paths of the files, sorted. */
    declare readonly paths: pulumi.Output<readonly string[]>;

    constructor(name: string, args: DeviceFilesArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "deviceFiles",
            name,
            { folder: args.folder, files: pulumi.secret(args.files), paths: undefined, digests: undefined },
            opts,
        );
        failOn(this, () => checkFolder(args.folder));
    }
}
