import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../errors.js";
import { failOn } from "../input.js";
import { checkMeshId } from "../naming.js";
import { Certificate, type CertificateSubject } from "./certificate.js";
import { MeshCa } from "./meshCa.js";

/** Arguments of {@link MeshIdentity}. */
export interface MeshIdentityArgs {
    /** The mesh that the authority is for. Plain, because names are made of it. */
    readonly meshId: string;
    /**
     * Your own authority: its certificate (where it is itself signed by another one, followed by those up to the root) and its key.
     * @default an authority made for the mesh
     */
    readonly ca?: { readonly certPem: pulumi.Input<string>; readonly keyPem: pulumi.Output<string> } | undefined;
    /**
     * Raise it by 1 for a new authority; not with `ca`.
     * @default 0
     */
    readonly rotation?: number | undefined;
}

/** The identities of a program, by mesh id. A program may hold several stacks' worth of resources (inline programs), each with its own. */
const identitiesOfStacks = new WeakMap<pulumi.Resource, Map<string, MeshIdentity>>();
const identitiesWithoutStack = new Map<string, MeshIdentity>();

/**
 * What certificates of a mesh are issued by.
 *
 * Creates: one certificate authority (`<name>-ca`), unless `ca` brings your own. Costs nothing.
 *
 * @example
 * const identity = new MeshIdentity("fleet", { meshId: "fleet", ca: { certPem, keyPem: config.requireSecret("caKey") } });
 * const edge = new LocalSite("edge", { siteNumber: 1, meshId: "fleet", identity });
 */
export class MeshIdentity extends pulumi.ComponentResource {
    readonly meshId: string;
    /** PEM of what a peer must trust. */
    readonly caPem: pulumi.Output<string>;
    private readonly caKeyPem: pulumi.Output<string>;

    constructor(name: string, args: MeshIdentityArgs, opts: pulumi.ComponentResourceOptions = {}) {
        super("linkspan:identity:MeshIdentity", name, {}, opts);
        failOn(this, () => checkArgs(args));
        const authority =
            args.ca ?? new MeshCa(`${name}-ca`, { commonName: `${args.meshId} mesh`, rotation: args.rotation }, { parent: this });

        this.meshId = args.meshId;
        this.caPem = pulumi.output(authority.certPem);
        this.caKeyPem = pulumi.secret(authority.keyPem);
        this.registerOutputs({ caPem: this.caPem });
    }

    /** The identity of a mesh in this program: made on first use, then the same for all. */
    static of(meshId: string): MeshIdentity {
        const known = identitiesOf(pulumi.runtime.getStackResource());
        const found = known.get(meshId);
        if (found !== undefined) {
            return found;
        }
        const made = new MeshIdentity(meshId, { meshId });
        known.set(meshId, made);
        return made;
    }

    /** Issues a certificate of this authority. */
    issue(name: string, subject: CertificateSubject, opts: pulumi.CustomResourceOptions = {}): Certificate {
        return new Certificate(name, { ...subject, caCertPem: this.caPem, caKeyPem: this.caKeyPem }, opts);
    }
}

function checkArgs(args: MeshIdentityArgs): void {
    checkMeshId(args.meshId);
    if (args.ca !== undefined && !pulumi.Output.isInstance(args.ca.keyPem)) {
        throw new InputError(
            "ca.keyPem",
            "it is given as a plain value and would stand in the program; pass config.requireSecret(...) or pulumi.secret(...)",
        );
    }
    if (args.ca !== undefined && args.rotation !== undefined) {
        throw new InputError("rotation", "your own authority is rotated by giving another ca; leave rotation out");
    }
}

function identitiesOf(stack: pulumi.Resource | undefined): Map<string, MeshIdentity> {
    if (stack === undefined) {
        return identitiesWithoutStack;
    }
    const known = identitiesOfStacks.get(stack) ?? new Map<string, MeshIdentity>();
    identitiesOfStacks.set(stack, known);
    return known;
}
