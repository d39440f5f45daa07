import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootInput } from "../../../test/support/bootFixture.js";
import { planCluster } from "../../cluster/clusterPlan.js";
import { bootScript } from "./bootScript.js";
import { aclText, renderNodeConfig } from "./nodeConfig.js";
import { type BootInput, gzipUserData, readUserData, renderUserData, userDataLimits } from "./userData.js";

/** As long as the longest of the clouds' scripts. */
const store = { script: `fetch_item() { :; }\n${"# 64 bytes of text that is nowhere else in it\n".repeat(45)}`, settings: {} };

describe("user data", () => {
    it("is this text", () => {
        const { files, commands } = readUserData(renderUserData(bootInput()));
        const shown = Object.values(files).map(({ path, permissions, content }) => `##### ${path} ${permissions}\n${content}`);
        expect(`${shown.join("\n")}\n##### commands\n${JSON.stringify(commands)}\n`).toMatchSnapshot();
    });

    it("begins as cloud-init wants it, and is JSON after that", () => {
        const text = renderUserData(bootInput());
        expect(text.slice(0, 14)).toBe("#cloud-config\n");
        expect(Object.keys(JSON.parse(text.slice(14)))).toEqual(["write_files", "runcmd"]);
    });

    it("fits every cloud", () => {
        const text = renderUserData(bootInput({ secretStore: store }));
        expect(Buffer.byteLength(text)).toBeLessThan(userDataLimits.plain / 2);
        expect(Buffer.from(text).toString("base64").length).toBeLessThanOrEqual(65_535);
        const zipped = Buffer.from(gzipUserData(text), "base64");
        expect(zipped.length).toBeLessThan(userDataLimits.zipped / 2);
        expect(gunzipSync(zipped).toString()).toBe(text);
    });

    it("is refused when it fits no more", () => {
        const noise = Array.from({ length: 20_000 }, (_, index) => Math.imul(index, 2_654_435_761).toString(36)).join("");
        expect(() => renderUserData(bootInput({ secretStore: { script: noise, settings: {} } }))).toThrow(
            /^secretStore: the user data has \d+ bytes, more than the 49149 that the cloud takes; shorten the script or the settings$/,
        );
        expect(() => gzipUserData(noise.slice(0, 48_000))).toThrow(/more than the 16384 that the cloud takes/);
    });

    it("of two nodes differs in name and disk alone", () => {
        const node = (nodeName: string, hint: string) => renderUserData(bootInput({ nodeName, dataDisk: { hints: [hint] } }));
        const one = node("emqx@10.1.0.4", "/dev/disk/by-id/one");
        const other = node("emqx@10.1.9.4", "/dev/disk/by-id/two");
        expect(other).not.toBe(one);
        // The seed list names the first node, too, on both.
        const asOne = other.replaceAll("emqx@10.1.9.4", "emqx@10.1.0.4").replaceAll("/dev/disk/by-id/two", "/dev/disk/by-id/one");
        expect(asOne).toBe(one);
    });

    it("of a node stays the same when nodes are added, and names no node but itself and the seeds", () => {
        const plan = (siteNumber: number, nodes: number, zones: readonly string[]) =>
            planCluster({
                name: "aws",
                siteNumber,
                meshId: "fleet-prod",
                zones,
                subnets: "perZone",
                license: "key",
                broker: { nodes },
                adminCidrs: ["203.0.113.7/32"],
                defaults: { size: { arm64: "a", x86_64: "b" }, architecture: "arm64" },
            });
        const dataOf = ({ nodes, ...cluster }: ReturnType<typeof plan>) =>
            nodes.map(({ nodeName, key }) =>
                renderUserData(
                    bootInput({ ...cluster, nodeName, package: bootInput().package, dataDisk: { hints: [`/dev/disk/${key}`] } }),
                ),
            );
        fc.assert(
            fc.property(
                fc.integer({ min: 1, max: 120 }),
                fc.integer({ min: 3, max: 6 }),
                fc.subarray(["a", "b", "c"], { minLength: 1 }),
                (siteNumber, nodes, zones) => {
                    const before = plan(siteNumber, nodes, zones);
                    const after = plan(siteNumber, nodes + 1, zones);
                    expect(dataOf(after).slice(0, nodes)).toEqual(dataOf(before));
                    for (const [index, text] of dataOf(after).entries()) {
                        const named = new Set([...text.matchAll(/emqx@\d[\d.]*\d/g)].map(([name]) => name));
                        expect(named).toEqual(new Set([...after.seeds, after.nodes[index]?.nodeName]));
                    }
                },
            ),
            { numRuns: 20 },
        );
    });

    it("takes its script as it is: no value of a site is in it", () => {
        const script = "/usr/local/sbin/linkspan-boot";
        const one = readUserData(renderUserData(bootInput()));
        const other = readUserData(
            renderUserData(
                bootInput({
                    clusterName: "other-site",
                    nodeName: "emqx@10.77.0.4",
                    version: "5.10.4",
                    package: { url: "https://mirror.example.com/emqx.deb", sha256: "f".repeat(64) },
                    secretStore: store,
                }),
            ),
        );
        expect(one.files[script]?.content).toBe(bootScript);
        const constant = (parts: typeof one) =>
            Object.values(parts.files).filter(({ path }) => !/boot[.]env|fetch-item[.]sh|linkspan.emqx[.]conf/.test(path));
        expect(constant(other)).toEqual(constant(one));
        expect(constant(one)).toHaveLength(9);
    });

    it("makes nothing readable for others that need not be, and only the script executable", () => {
        const { files } = readUserData(renderUserData(bootInput()));
        const modes = Object.values(files).map(({ path, permissions }) => [path, permissions] as const);
        expect(modes.filter(([, mode]) => mode !== "0644")).toEqual([["/usr/local/sbin/linkspan-boot", "0755"]]);
    });
});

describe("readUserData", () => {
    it("finds the parts that went in", () => {
        const settings = { REGION: "eu-central-1", PREFIX: '/linkspan/fleet/$HOME `x` \\ " = #' };
        const input = bootInput({ secretStore: { ...store, settings } });
        const parts = readUserData(renderUserData(input));
        expect(parts.settings).toEqual({
            LINKSPAN_CLUSTER: input.clusterName,
            LINKSPAN_NODE: input.nodeName,
            LINKSPAN_EMQX_VERSION: input.version,
            LINKSPAN_PACKAGE_URL: input.package.url,
            LINKSPAN_PACKAGE_SHA256: input.package.sha256,
            LINKSPAN_DISK_HINTS: input.dataDisk.hints.join(" "),
            ...settings,
        });
        expect(parts.nodeConfig).toBe(renderNodeConfig(input));
        expect(parts.acl).toBe(aclText);
        expect(parts.files["/etc/linkspan/fetch-item.sh"]?.content).toBe(store.script);
        expect(parts.commands.at(-1)).toEqual(["systemctl", "start", "--no-block", "linkspan-boot.service"]);
    });

    it.each(["", "#!/bin/bash\n", "#cloud-config\n{", "#cloud-config\nwrite_files: []\n", "#cloud-config\n{}"])(
        "refuses %j",
        (text) => {
            expect(() => readUserData(text)).toThrow("text: it is no user data of Linkspan");
        },
    );

    it("refuses user data without a file that every machine has", () => {
        expect(() => readUserData('#cloud-config\n{"write_files":[],"runcmd":[]}')).toThrow(
            "text: the user data has no file /etc/linkspan/boot.env",
        );
    });
});

describe("boot data that could leave its quotes or its machine", () => {
    const bad: readonly (readonly [string, Partial<BootInput>])[] = [
        ["clusterName", { clusterName: "a'b" }],
        ["nodeName", { nodeName: "other@10.1.0.4" }],
        ["nodeName", { nodeName: "emqx@10.1.0.4\nX=1" }],
        ["version", { version: "latest" }],
        ["package.url", { package: { url: "http://example.com/emqx.deb", sha256: "0".repeat(64) } }],
        ["package.url", { package: { url: "https://example.com/$(id).deb", sha256: "0".repeat(64) } }],
        ["package.sha256", { package: { url: "https://example.com/emqx.deb", sha256: "" } }],
        ["dataDisk.hints[1]", { dataDisk: { hints: ["/dev/sdf", "/dev/disk/by id/x"] } }],
        ["dataDisk.hints[0]", { dataDisk: { hints: ["/etc/passwd"] } }],
        ["secretStore.settings.NAME", { secretStore: { script: "", settings: { NAME: "it's" } } }],
        ["secretStore.settings.NAME", { secretStore: { script: "", settings: { NAME: "two\nlines" } } }],
        ["secretStore.settings", { secretStore: { script: "", settings: { name: "x" } } }],
        ["secretStore.settings", { secretStore: { script: "", settings: { PATH: "/tmp" } } }],
        ["secretStore.settings", { secretStore: { script: "", settings: { LINKSPAN_NODE: "emqx@10.1.0.9" } } }],
    ];
    it.each(bad)("is refused: %s of %j", (argument, change) => {
        expect(() => renderUserData(bootInput(change))).toThrow(expect.objectContaining({ name: "InputError", argument }));
    });
});
