import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource.js";

/** Arguments of {@link LocalName}. */
export interface LocalNameArgs {
    /** Folder in which the site's broker looks names up. */
    readonly namesDir: string;
    /** The name. */
    readonly host: string;
    /** IPv4 address that it leads to. */
    readonly address: pulumi.Input<string>;
    readonly port: number;
}

/** A name as one local site of level `network` resolves it: a file in the site's folder, changed in place. */
export class LocalName extends DynamicResource {
    constructor(name: string, args: LocalNameArgs, opts: pulumi.CustomResourceOptions) {
        super("localName", name, { ...args }, opts);
    }
}
