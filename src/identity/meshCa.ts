import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource.js";
import { failOn } from "../input.js";
import { checkCommonName, checkDays, checkRotation } from "./certificateRules.js";

/** Arguments of {@link MeshCa}. */
export interface MeshCaArgs {
    /** Name of the authority, as its certificate shows it; beyond 64 characters it is cut. Another name is another authority. */
    readonly commonName: string;
    /**
     * Days that the authority's certificate is valid. It is renewed, with the same key, in the first `up` that finds less than 427
     * days (or a third of its time) left.
     * @default 3650
     */
    readonly validityDays?: number | undefined;
    /**
     * Raise it by 1 for a new key: every certificate of the authority is then issued anew in the same `up`.
     * @default 0
     */
    readonly rotation?: number | undefined;
}

/** A certificate authority (EC P-256) whose key is kept encrypted in state. Stable between runs. */
export class MeshCa extends DynamicResource {
    /** PEM. */
    declare readonly certPem: pulumi.Output<string>;
    /** PEM, PKCS #8. Secret. */
    declare readonly keyPem: pulumi.Output<string>;
    /** End of the certificate's validity, ISO 8601. */
    declare readonly notAfter: pulumi.Output<string>;

    constructor(name: string, args: MeshCaArgs, opts: pulumi.CustomResourceOptions = {}) {
        super(
            "meshCa",
            name,
            { ...args, certPem: undefined, keyPem: undefined, notAfter: undefined },
            { ...opts, additionalSecretOutputs: ["keyPem", ...(opts.additionalSecretOutputs ?? [])] },
        );
        failOn(this, () => {
            checkCommonName(args.commonName);
            checkDays("validityDays", args.validityDays);
            checkRotation("rotation", args.rotation);
        });
    }
}
