import type * as inputs from "@pulumi/azure-native/types/input.js";
import * as pulumi from "@pulumi/pulumi";
import type { Architecture } from "../cluster/args.js";
import { PackagePin } from "../cluster/packagePin.js";
import { Pin } from "../cluster/pin.js";
import { emqxPackageUrl } from "../emqx/boot/package.js";
import type { BootPackage } from "../emqx/boot/userData.js";
import { InputError, quote } from "../errors.js";
import type { AzureScope } from "./scope.js";

/**
 * Ubuntu 24.04 as Canonical publishes it for both processors: the newest that this version of Linkspan knows, seen in use on 2026-09. Azure
 * has no function that lists versions, and "latest" would give nodes made on different days different machines.
 */
export const knownImageVersion = "24.04.202609040";
const skus: Readonly<Record<Architecture, string>> = { arm64: "server-arm64", x86_64: "server" };

/** The image of a site that sets none, as `publisher:offer:sku:version`. */
export function knownImage(architecture: Architecture): string {
    return `Canonical:ubuntu-24_04-lts:${skus[architecture]}:${knownImageVersion}`;
}

/** The machines' image as text: the user's, or the one that was known when the site was made, kept until `imageRelease` changes. */
export function pinImage({ parent, plan }: AzureScope, imageId: pulumi.Input<string> | undefined): pulumi.Output<string> {
    if (imageId !== undefined) {
        return pulumi.output(imageId);
    }
    return new Pin(`${plan.name}-image`, { value: knownImage(plan.architecture), release: plan.imageRelease }, { parent }).pinned;
}

/** The package that the machines install. */
export function pinPackage({ parent, plan }: AzureScope): pulumi.Output<BootPackage> {
    if (plan.package !== undefined) {
        return pulumi.output(plan.package);
    }
    const url = emqxPackageUrl(plan.version, plan.architecture);
    return new PackagePin(`${plan.name}-package`, { url }, { parent }).sha256.apply((sha256) => ({ url, sha256 }));
}

/**
 * Reads an image as a user writes it: `publisher:offer:sku:version` of the marketplace, or the id of an image or a gallery's image version.
 *
 * @throws InputError when it is neither, or names no exact version
 */
export function checkImageId(text: string, argument = "broker.imageId"): inputs.compute.ImageReferenceArgs {
    const [, publisher, offer, sku, version] = /^([^:/]+):([^:/]+):([^:/]+):([^:/]+)$/.exec(text) ?? [];
    if (publisher !== undefined && offer !== undefined && sku !== undefined && version !== undefined) {
        if (!/^\d+\.\d+\.\d+$/.test(version)) {
            throw new InputError(
                argument,
                `${quote(text)} names no exact version; nodes made on different days would differ. Set one as in ${quote(knownImage("x86_64"))}`,
            );
        }
        return { publisher, offer, sku, version };
    }
    if (/^\/(subscriptions|CommunityGalleries|SharedGalleries)\/\S+\/images\/[^/]+(\/versions\/\d+\.\d+\.\d+)?$/i.test(text)) {
        if (/\/galleries\//i.test(text) && !/\/versions\//i.test(text)) {
            throw new InputError(argument, `${quote(text)} names no version of the gallery's image; add "/versions/1.0.0"`);
        }
        return /^\/CommunityGalleries\//i.test(text)
            ? { communityGalleryImageId: text }
            : /^\/SharedGalleries\//i.test(text)
              ? { sharedGalleryImageId: text }
              : { id: text };
    }
    throw new InputError(
        argument,
        `${quote(text)} is no image; set one as in ${quote(knownImage("x86_64"))}, or the id of an image or of a gallery's image version`,
    );
}
