import * as ssm from "@pulumi/aws/ssm/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { Architecture } from "../cluster/args.js";
import { PackagePin } from "../cluster/packagePin.js";
import { Pin } from "../cluster/pin.js";
import { emqxPackageUrl } from "../emqx/boot/package.js";
import type { BootPackage } from "../emqx/boot/userData.js";
import type { AwsSiteArgs } from "./args.js";
import { type AwsScope, place } from "./scope.js";

/** Processors as Canonical's parameters call them. */
const canonical: Readonly<Record<Architecture, string>> = { arm64: "arm64", x86_64: "amd64" };

/** The brokers' machine image: the user's, or the newest Ubuntu 24.04 when the site was made, kept until `imageRelease` changes. */
export function pinImage(scope: AwsScope, { broker }: Pick<AwsSiteArgs, "broker">): pulumi.Output<string> {
    const { parent, region, plan } = scope;
    if (broker?.imageId !== undefined) {
        return pulumi.output(broker.imageId);
    }
    const processor = canonical[plan.architecture];
    const newest = ssm.getParameterOutput(
        { region, name: `/aws/service/canonical/ubuntu/server/24.04/stable/current/${processor}/hvm/ebs-gp3/ami-id` },
        { parent },
    );
    return new Pin(place(scope, "image").name, { value: newest.insecureValue, release: plan.imageRelease }, { parent }).pinned;
}

/** What brokers install EMQX from: the user's file, or the vendor's as it was when the site was made. */
export function pinPackage(scope: AwsScope): pulumi.Output<BootPackage> {
    const { parent, plan } = scope;
    if (plan.package !== undefined) {
        return pulumi.output(plan.package);
    }
    const url = emqxPackageUrl(plan.version, plan.architecture);
    const { sha256 } = new PackagePin(place(scope, "package").name, { url }, { parent });
    return sha256.apply((known) => ({ url, sha256: known }));
}
