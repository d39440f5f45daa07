import * as compute from "@pulumi/gcp/compute/index.js";
import * as pulumi from "@pulumi/pulumi";
import { PackagePin } from "../cluster/packagePin.js";
import { Pin } from "../cluster/pin.js";
import { emqxPackageUrl } from "../emqx/boot/package.js";
import type { BootPackage } from "../emqx/boot/userData.js";
import type { GcpScope } from "./scope.js";

/** Families of Ubuntu 24.04 LTS in Canonical's project. */
const families = { arm64: "ubuntu-2404-lts-arm64", x86_64: "ubuntu-2404-lts-amd64" } as const;
const imageProject = "ubuntu-os-cloud";

/** The machines' image: the user's, or the newest one when the site was made. A family that moves on replaces no node. */
export function pinImage(scope: GcpScope, imageId: pulumi.Input<string> | undefined): pulumi.Output<string> {
    if (imageId !== undefined) {
        return pulumi.output(imageId);
    }
    const { parent, plan } = scope;
    const newest = compute.getImageOutput({ family: families[plan.architecture], project: imageProject }, { parent });
    return new Pin(`${plan.name}-image`, { value: newest.selfLink, release: plan.imageRelease }, { parent }).pinned;
}

/** What brokers install EMQX from, pinned by its content. */
export function pinPackage({ parent, plan }: GcpScope): pulumi.Output<BootPackage> {
    if (plan.package !== undefined) {
        return pulumi.output(plan.package);
    }
    const url = emqxPackageUrl(plan.version, plan.architecture);
    return new PackagePin(`${plan.name}-package`, { url }, { parent }).sha256.apply((sha256) => ({ url, sha256 }));
}
