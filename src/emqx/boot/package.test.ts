import { describe, expect, it } from "vitest";
import { defaultRelease } from "../releases.js";
import { bootHosts, emqxPackageUrl } from "./package.js";

describe("emqxPackageUrl", () => {
    it.each([
        ["arm64", "arm64"],
        ["x86_64", "amd64"],
    ] as const)("names the package for %s", (architecture, processor) => {
        expect(emqxPackageUrl("5.10.3", architecture)).toBe(
            `https://www.emqx.com/en/downloads/enterprise/5.10.3/emqx-enterprise-5.10.3-ubuntu24.04-${processor}.deb`,
        );
    });

    it.each([defaultRelease, "5.9.0", "6.2.2"])("knows %s", (version) => {
        expect(emqxPackageUrl(version, "arm64")).toContain(`/${version}/`);
    });

    it.each(["", "5.10", "latest", "5.8.9", "4.4.24", "5.10.3-rc.1", "5.10.3/../x"])("refuses %j", (version) => {
        expect(() => emqxPackageUrl(version, "arm64")).toThrow(
            `version: ${JSON.stringify(version)} is no EMQX release from 5.9 on; write it as in "5.10.3"`,
        );
    });

    it("leads to a host that brokers are said to need", () => {
        expect(bootHosts).toContain(new URL(emqxPackageUrl("5.10.3", "arm64")).hostname);
    });
});
