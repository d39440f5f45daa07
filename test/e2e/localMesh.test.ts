import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formsOf, PulumiProject, repository, type StateResource } from "../support/pulumiProject.js";

interface Outputs {
    readonly sites: { name: string; endpoint: string; version: string }[];
    readonly links: {
        from: string;
        to: string;
        tier: string;
        status: string;
        delivered: number;
        lost: number;
        duplicated: number;
    }[];
    readonly notProven: string[];
}

/** The ready stack, as the repository's root has it, with the built program. */
async function readyStack(): Promise<PulumiProject> {
    const { readFile } = await import("node:fs/promises");
    const yaml = await readFile(join(repository, "Pulumi.yaml"), "utf8");
    return PulumiProject.create({
        "Pulumi.yaml": yaml.replace("main: dist/stack/main.js", "main: main.js"),
        "main.js": `module.exports = require(${JSON.stringify(join(repository, "dist/stack/main.js"))});\n`,
        "package.json": JSON.stringify({ name: "ready-stack", private: true, main: "main.js" }),
    });
}

function ofType(resources: readonly StateResource[], type: string): StateResource[] {
    return resources.filter((resource) => resource.type.endsWith(`:${type}`));
}

/** Names below which a secret value holds what is no secret by itself: addresses, names, certificates. */
const notSecret =
    /^(url|key_?name|host|server|serverName|username|ca|cert|certPem|caCertPem|serverCert|linkCert|clientIdPrefix|site|clusterName)$/i;

/** A certificate is public wherever it stands: the authority of both doors of a proof stands once, in a table of long texts. */
function isCertificate(value: string): boolean {
    return value.startsWith("-----BEGIN CERTIFICATE-----") && !value.includes("PRIVATE KEY");
}

/** Every secret in a state that was exported with its secrets shown. */
function secretsIn(resources: readonly StateResource[]): string[] {
    const found = new Set<string>();
    const collect = (value: unknown, key: string): void => {
        if (typeof value === "string" && value.length > 16 && !notSecret.test(key) && !isCertificate(value)) {
            // Of a PEM document a line from its middle: the first lines of all keys of a kind are alike.
            found.add(value.includes("-----BEGIN") ? (value.split("\n")[2] ?? value) : value);
        } else if (typeof value === "object" && value !== null) {
            for (const [name, each] of Object.entries(value)) {
                collect(each, name);
            }
        }
    };
    const visit = (value: unknown, key: string): void => {
        if (typeof value !== "object" || value === null) {
            return;
        }
        if ("plaintext" in value && typeof value.plaintext === "string") {
            collect(JSON.parse(value.plaintext), key);
            return;
        }
        for (const [name, each] of Object.entries(value)) {
            visit(each, name);
        }
    };
    for (const resource of resources) {
        visit(resource.inputs ?? {}, "");
        visit(resource.outputs ?? {}, "");
    }
    return [...found];
}

describe("the ready stack on this machine", () => {
    let project: PulumiProject;
    const said: string[] = [];

    beforeAll(async () => {
        project = await readyStack();
    });
    afterAll(async () => {
        await project.dispose();
    });

    it("previews without making anything", async () => {
        said.push(await project.must("preview"));
        expect(await project.brokers()).toEqual([]);
        expect(existsSync(join(project.folder, ".linkspan"))).toBe(false);
    });

    it("makes three linked sites and proves all six directions", async () => {
        said.push(await project.up());
        const { sites, links, notProven } = await project.outputs<Outputs>();
        expect(sites.map((site) => site.name)).toEqual(["north", "south", "west"]);
        expect(sites.every((site) => /^mqtts:\/\/127\.0\.0\.1:\d+$/.test(site.endpoint))).toBe(true);
        expect(links.map((link) => `${link.from}>${link.to}`).sort()).toEqual([
            "north>south",
            "north>west",
            "south>north",
            "south>west",
            "west>north",
            "west>south",
        ]);
        for (const link of links) {
            expect(link).toMatchObject({ status: "proven", delivered: 100, lost: 0, duplicated: 0, tier: "nat" });
        }
        expect(notProven.join()).toContain("no address translation and no allow-list was crossed");
        expect(await project.brokers()).toHaveLength(3);
    });

    it("shows no change in a second up and in a refresh", async () => {
        said.push(await project.must("preview", "--expect-no-changes"));
        said.push(await project.must("refresh", "--yes", "--skip-preview", "--expect-no-changes"));
        said.push(await project.up("--expect-no-changes"));
    });

    it("keeps every secret out of state, output and logs", async () => {
        const secrets = secretsIn(await project.resources());
        // Three sites: API, probe, device and link secrets, derived link passwords, keys of certificates and of the authority.
        expect(secrets.length).toBeGreaterThan(20);
        const state = await project.exported();
        const { readFile } = await import("node:fs/promises");
        const logs = await Promise.all(
            ["north", "south", "west"].map((site) =>
                readFile(join(project.folder, ".linkspan/linkspan-test", site, "broker.log"), "utf8"),
            ),
        );
        const everything = [state, ...said, ...logs].join("\n");
        const leaked = secrets.filter((secret) => formsOf(secret).some((form) => everything.includes(form)));
        expect(leaked.length).toBe(0);
        // The control: what is not secret is found, so an empty text cannot pass.
        expect(everything).toContain("north.link.linkspan-test.internal");
    });

    it("starts a broker again that died, and nothing else", async () => {
        const before = await project.brokers();
        const victim = before.find((broker) => broker.site === "south");
        process.kill(victim?.pid ?? 0, "SIGKILL");
        await sleep(200);
        const preview = await project.must("preview");
        expect(preview).toMatch(/south-broker.*update/);
        expect(preview).not.toMatch(/(north|west)-broker.*update/);
        const proofs = async () =>
            ofType(await project.resources(), "DeliveryProbe").map((probe) => [
                probe.urn.split("::").at(-1),
                JSON.stringify(probe.outputs?.results),
            ]);
        const provenBefore = Object.fromEntries(await proofs());
        await project.up();
        const after = await project.brokers();
        expect(after).toHaveLength(3);
        expect(after.find((broker) => broker.site === "north")).toEqual(before.find((broker) => broker.site === "north"));
        // What the dead broker took part in is proven anew, the pair of the other two is not.
        const provenAfter = Object.fromEntries(await proofs());
        const renewed = Object.keys(provenAfter).filter((name) => provenAfter[name] !== provenBefore[name]);
        expect(renewed.sort()).toEqual(["mesh-north-south-delivery", "mesh-south-west-delivery"]);
        await project.must("preview", "--expect-no-changes");
    });

    it("changes topics in place and proves them anew", async () => {
        await project.must("config", "set", "--path", "topics[0]", "fleet/#");
        await project.must("config", "set", "--path", "topics[1]", "orders/+/new");
        const preview = await project.must("preview");
        expect(preview).not.toMatch(/replace|delete|create/);
        await project.up();
        const links = ofType(await project.resources(), "ClusterLink");
        expect(links).toHaveLength(6);
        expect(links.every((link) => JSON.stringify(link.outputs?.topics) === '["fleet/#","orders/+/new"]')).toBe(true);
        const { links: proofs } = await project.outputs<Outputs>();
        expect(proofs.every((proof) => proof.status === "proven" && proof.lost === 0)).toBe(true);
    });

    it("accepts every tier by flag and says what it stands for", async () => {
        for (const tier of ["vpn", "interconnect"]) {
            await project.up("-c", `tier=${tier}`);
            const { links, notProven } = await project.outputs<Outputs>();
            expect(links.every((link) => link.tier === tier && link.status === "proven")).toBe(true);
            expect(notProven.join()).toContain(`Tier ${tier}:`);
        }
    });

    it("removes one site without touching the others", async () => {
        await project.must("config", "rm", "--path", "sites");
        await project.must("config", "set", "--path", "sites[0].name", "north");
        await project.must("config", "set", "--path", "sites[0].siteNumber", "1");
        await project.must("config", "set", "--path", "sites[1].name", "west");
        await project.must("config", "set", "--path", "sites[1].siteNumber", "3");
        const before = await project.brokers();
        await project.up();
        const after = await project.brokers();
        expect(after).toEqual(before.filter((broker) => broker.site !== "south"));
        expect(ofType(await project.resources(), "ClusterLink")).toHaveLength(2);
    });

    it("destroys everything: no process, no file", async () => {
        await project.must("destroy", "--yes", "--skip-preview");
        expect(await project.brokers()).toEqual([]);
        expect(existsSync(join(project.folder, ".linkspan"))).toBe(false);
    });
});

describe("bad input to the ready stack", () => {
    let project: PulumiProject;
    beforeAll(async () => {
        project = await readyStack();
    });
    afterAll(async () => {
        await project.dispose();
    });

    it.each([
        [
            "an unknown tier",
            ["-c", "tier=ipsec"],
            'configuration linkspan:tier: "ipsec" is no tier; set one of nat, vpn, interconnect',
        ],
        ["an outage that no link bridges", ["-c", "maxOutageSeconds=45"], "maxOutageSeconds"],
        ["a link topic of EMQX's own", ["--config-path", "-c", "topics[0]=$LINK/#"], "$LINK/#"],
        ["a wrong filter", ["--config-path", "-c", "topics[0]=a/#/b"], "a/#/b"],
    ])("%s fails at preview and at up with one line, and makes nothing", async (_what, flags, message) => {
        for (const command of [["preview"], ["up", "--yes"]]) {
            const { code, output } = await project.run(...command, ...flags);
            expect(code).not.toBe(0);
            expect(output).toContain(message);
            expect(output).not.toMatch(/^\s+at .*\.js:\d+/m);
        }
        expect(await project.brokers()).toEqual([]);
        expect(existsSync(join(project.folder, ".linkspan"))).toBe(false);
        for (const key of ["tier", "maxOutageSeconds", "topics"]) {
            await project.run("config", "rm", key);
        }
    });
});

describe("an interrupted run", () => {
    it("is finished by the next one: no second link, no orphan", async () => {
        const project = await readyStack();
        try {
            const first = project.start("up", "--yes", "--skip-preview");
            let text = "";
            await new Promise<void>((done) => {
                const watch = (chunk: Buffer) => {
                    text += chunk.toString();
                    // The first link exists on its broker, its record may not be written yet.
                    if (/ClusterLink .*creat/.test(text)) {
                        done();
                    }
                };
                first.stdout.on("data", watch);
                first.stderr.on("data", watch);
                first.once("exit", () => done());
            });
            first.kill("SIGKILL");
            await sleep(1_500);
            await project.mend();
            await project.up();
            const { links } = await project.outputs<Outputs>();
            expect(links).toHaveLength(6);
            expect(links.every((link) => link.status === "proven" && link.lost === 0 && link.duplicated === 0)).toBe(true);
            expect(await project.brokers()).toHaveLength(3);
            await project.must("destroy", "--yes", "--skip-preview");
            expect(await project.brokers()).toEqual([]);
        } finally {
            await project.dispose();
        }
    });
});
