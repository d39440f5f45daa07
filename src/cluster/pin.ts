import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { plainParts } from "../link/plainParts.js";
import { checkPin } from "./pinRules.js";

/** Arguments of {@link Pin}. */
export interface PinArgs {
    /** A value that may differ at every run, such as the newest machine image. */
    readonly value: pulumi.Input<string>;
    /** Another text takes the value anew. */
    readonly release: string;
}

/** Keeps the value that it was given when it was made, until its `release` changes. */
export class Pin extends DynamicResource {
    /** The value that is kept. */
    declare readonly pinned: pulumi.Output<string>;

    constructor(name: string, args: PinArgs, opts: pulumi.CustomResourceOptions = {}) {
        super("pin", name, { ...args, pinned: undefined }, opts);
        failOn(this, () => checkPin(plainParts(args)));
    }
}
