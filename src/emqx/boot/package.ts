/** Address of the vendor's package of a release for Ubuntu 24.04. */
export function emqxPackageUrl(version: string, architecture: "arm64" | "x86_64"): string {
    const processor = architecture === "arm64" ? "arm64" : "amd64";
    return `https://www.emqx.com/en/downloads/enterprise/${version}/emqx-enterprise-${version}-ubuntu24.04-${processor}.deb`;
}
