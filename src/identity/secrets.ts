import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { InputError, quote } from "../errors.js";
import { failOn } from "../input.js";
import { checkSecretNames } from "./secretRules.js";

/** Arguments of {@link Secrets}. */
export interface SecretsArgs {
    /** One secret is made per name. Adding or removing a name leaves the others as they are. */
    readonly names: readonly string[];
    /**
     * Random bytes of a secret that is made from now on; those that exist keep theirs.
     * @default 32
     */
    readonly bytes?: number | undefined;
    /**
     * Counters by name: raise one by 1 and this secret alone is made anew.
     * @default every counter 0
     */
    readonly rotation?: Readonly<Record<string, number>> | undefined;
}

/** Random secrets, as base64url text, kept encrypted in state. Stable between runs. */
export class Secrets extends DynamicResource {
    /** The secrets by name. Secret. */
    declare readonly values: pulumi.Output<Readonly<Record<string, string>>>;
    private readonly names: readonly string[];

    constructor(name: string, args: SecretsArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "secrets",
            name,
            { ...args, values: undefined },
            { ...opts, additionalSecretOutputs: ["values", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => checkSecretNames(args));
        this.names = args.names;
    }

    /**
     * One of the secrets. Secret.
     *
     * @throws InputError when `names` does not list it
     */
    value(name: string): pulumi.Output<string> {
        if (!this.names.includes(name)) {
            throw new InputError("name", `there is no secret ${quote(name)}; the names are ${this.names.join(", ")}`);
        }
        return pulumi.secret(this.values.apply((values) => values[name] ?? ""));
    }
}
