import { InputError, quote } from "../../errors.js";

/**
 * Address of the vendor's EMQX package for Ubuntu 24.04. Since 5.9 there is one edition, under the name Enterprise.
 *
 * Source: the commands in EMQX's installation guide for Ubuntu (docs.emqx.com) and public installation notes for 6.0.3 and 5.10.1 with
 * this form of address, looked up 2026-11-25; the vendor's package index (packagecloud.io/emqx/emqx-enterprise5) lists
 * `emqx-enterprise` 5.10.0 to 6.2.0 for Ubuntu 24.04. Not downloaded from here.
 *
 * @param version release, such as `5.10.3`
 * @throws InputError where the version is no release from 5.9 on
 */
export function emqxPackageUrl(version: string, architecture: "arm64" | "x86_64"): string {
    const [, major, minor] = /^(\d{1,2})\.(\d{1,3})\.\d{1,3}$/.exec(version) ?? [];
    if (major === undefined || minor === undefined || Number(major) < 5 || (Number(major) === 5 && Number(minor) < 9)) {
        throw new InputError("version", `${quote(version)} is no EMQX release from 5.9 on; write it as in "5.10.3"`);
    }
    const processor = architecture === "arm64" ? "arm64" : "amd64";
    return `https://www.emqx.com/en/downloads/enterprise/${version}/emqx-enterprise-${version}-ubuntu24.04-${processor}.deb`;
}

/**
 * Hosts that a broker machine must reach by HTTP or HTTPS while it boots, next to its cloud's secret store and metadata service; for
 * egress filters of your own. `www.emqx.com` redirects to the vendor's package host, which EMQX's documentation gives as
 * `packages.emqx.io` (looked up 2026-11-25, not followed). Clouds' Ubuntu images use mirrors in the cloud, below the listed names.
 */
export const bootHosts = [
    "www.emqx.com",
    "packages.emqx.io",
    "archive.ubuntu.com",
    "security.ubuntu.com",
    "ports.ubuntu.com",
] as const;
