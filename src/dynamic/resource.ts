import * as pulumi from "@pulumi/pulumi";
import { storedFormOf } from "./storedForm.js";

/**
 * Every resource of ours that has its own lifecycle code, by the name of its export in `linkspan/provider`.
 * Both the key and the value are written into users' state: add rows, never change one.
 */
export const dynamicTypes = {
    clusterLink: "ClusterLink",
    linkAccess: "LinkAccess",
    clusterPreflight: "ClusterPreflight",
    deliveryProbe: "DeliveryProbe",
    localBroker: "LocalBroker",
    meshCa: "MeshCa",
    certificate: "Certificate",
    secrets: "Secrets",
    nodeMembership: "NodeMembership",
    nodeDeparture: "NodeDeparture",
    pin: "Pin",
    packagePin: "PackagePin",
    deviceFiles: "DeviceFiles",
    linkPath: "LinkPath",
    pathSwitch: "PathSwitch",
    localNetwork: "LocalNetwork",
    localPath: "LocalPath",
    localName: "LocalName",
    clusterLicense: "ClusterLicense",
    deviceUser: "DeviceUser",
} as const;

/** A resource kind: the export of `linkspan/provider` that implements it. */
export type DynamicKind = keyof typeof dynamicTypes;

/** The type token of a kind, as it stands in state and in URNs. */
export function dynamicType(kind: DynamicKind): string {
    return `pulumi-nodejs:dynamic/linkspan:${dynamicTypes[kind]}`;
}

/**
 * The text that state holds for a kind. It names the package's `./provider` entry and nothing else, so that a new version of the
 * package runs on old state, shows no diff, and no value of the program can end up in it.
 */
export function providerText(kind: DynamicKind): string {
    return `exports.handler=()=>require("linkspan/provider").${kind};`;
}

/**
 * A resource whose create, read, update and delete run in Pulumi's dynamic provider host, from the package's `./provider` entry.
 * Outputs are the properties that the implementation returns; list those that are not inputs with the value `undefined`.
 *
 * Kinds that have a form of their own (`storedForm.ts`) are sent and stored in that form: `args`, `secrets` and, of outputs, `made`.
 */
export abstract class DynamicResource extends pulumi.CustomResource {
    protected constructor(kind: DynamicKind, name: string, props: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
        const type = dynamicType(kind);
        const all = { ...props, progressUrn: ownUrn(type, name, opts) };
        const sent = sentForm(kind, all, opts);
        const limit = Error.stackTraceLimit;
        if (opts.parent !== undefined && process.env.PULUMI_DEBUG_PROMISE_LEAKS === undefined) {
            // The SDK takes and maps a stack for every promise that it makes, four for each property, to tell of promises that leak. Of a
            // component's child they show this package only, and in a mesh of ten sites they were a fifth of the program's time. Where
            // the resource stands in the program the SDK finds out apart from this.
            Error.stackTraceLimit = 0;
        }
        try {
            super(type, name, { ...sent.props, __provider: providerText(kind) }, sent.opts);
        } catch (error) {
            Error.stackTraceLimit = limit;
            if (error instanceof Error && limit > 0) {
                Error.captureStackTrace(error);
            }
            throw error;
        } finally {
            Error.stackTraceLimit = limit;
        }
    }
}

/** Properties and options as the engine gets them: in the kind's stored form, where it has one. */
function sentForm(
    kind: DynamicKind,
    all: pulumi.Inputs,
    opts: pulumi.CustomResourceOptions,
): { props: pulumi.Inputs; opts: pulumi.CustomResourceOptions } {
    const form = storedFormOf(kind);
    if (form === undefined) {
        return { props: all, opts };
    }
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    return {
        props: {
            args: Object.fromEntries(given.filter(([key]) => !form.secrets.includes(key))),
            secrets: pulumi.secret(Object.fromEntries(given.filter(([key]) => form.secrets.includes(key)))),
            made: undefined,
        },
        opts: { ...opts, additionalSecretOutputs: ["secrets", ...(opts.additionalSecretOutputs ?? [])] },
    };
}

/** The URN a resource is about to get. Its provider needs it to show progress on the resource's own row. */
function ownUrn(type: string, name: string, opts: pulumi.CustomResourceOptions): Promise<string> {
    const parent = opts.parent;
    // The engine leaves the stack itself out of its children's URNs.
    const isStack = parent !== undefined && parent === pulumi.runtime.getStackResource();
    // A promise, not an output: an output made of the parent's URN depends on the parent, and that means on all of its children. Two
    // children of which one uses the other would wait for each other for ever.
    return new Promise((resolve) => {
        pulumi.createUrn(name, type, isStack ? undefined : parent).apply(resolve);
    });
}
