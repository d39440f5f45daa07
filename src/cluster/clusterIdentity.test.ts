import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { type Recording, record } from "../../test/support/recorder.js";
import { MeshIdentity } from "../identity/meshIdentity.js";
import { type BootItemName, bootItemNames, type ClusterIdentityInput, clusterIdentity } from "./clusterIdentity.js";
import { type LicenseKind, planCluster } from "./clusterPlan.js";

const planFor = (license: LicenseKind) =>
    planCluster({
        name: "a",
        siteNumber: 1,
        meshId: "fleet",
        zones: ["z1", "z2"],
        subnets: "perZone",
        license,
        adminCidrs: ["203.0.113.7/32"],
        defaults: { size: { arm64: "s", x86_64: "s" }, architecture: "arm64" },
    });

const outputs = (type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> => {
    if (type.endsWith(":Secrets")) {
        return { values: Object.fromEntries((inputs.names as string[]).map((one) => [one, `${one}-S3cret`])) };
    }
    return type.endsWith(":MeshCa") || type.endsWith(":Certificate")
        ? { certPem: `cert of ${name}`, keyPem: `key-S3cret of ${name}`, notAfter: "2036-01-01T00:00:00.000Z" }
        : {};
};

interface Made {
    readonly recording: Recording;
    /** Values of the boot items. */
    readonly items: Readonly<Record<BootItemName, string>>;
    /** Boot items that are not secret. */
    readonly open: readonly string[];
    readonly device: unknown;
}

/** Makes a cluster's identity and waits for all values. */
async function make(more: Partial<ClusterIdentityInput> = {}, license: LicenseKind = "evaluation"): Promise<Made> {
    let items: Readonly<Record<string, string>> = {};
    const open: string[] = [];
    let device: unknown;
    const recording = await record(
        async () => {
            const parent = new pulumi.ComponentResource("test:index:Site", "a");
            const made = clusterIdentity(parent, {
                plan: planFor(license),
                identity: new MeshIdentity("fleet", { meshId: "fleet" }),
                doorAddresses: [pulumi.output("198.51.100.9")],
                ...more,
            });
            for (const [name, value] of Object.entries(made.bootItems)) {
                if (!(await pulumi.isSecret(value))) {
                    open.push(name);
                }
                await new Promise<void>((resolve) => {
                    value.apply((text) => {
                        items = { ...items, [name]: text };
                        resolve();
                    });
                });
            }
            if (made.device !== undefined) {
                device = await new Promise((resolve) => made.device?.apply((value) => resolve(value)));
                expect(await pulumi.isSecret(made.device)).toBe(true);
            }
        },
        { outputs },
    );
    return { recording, items: items as Record<BootItemName, string>, open, device };
}

describe("clusterIdentity", () => {
    it("makes secrets and two certificates below the site", async () => {
        const { recording } = await make();
        expect(
            recording.resources
                .filter(({ parent }) => parent === "a")
                .map(({ name }) => name)
                .sort(),
        ).toEqual(["a-link-certificate", "a-secrets", "a-server-certificate"]);
        expect(recording.named("a-secrets").inputs.names).toEqual(["api", "probe", "device", "link", "cookie", "dashboard"]);
    });

    it("certifies the doors for every name and address that they are asked by, and for nothing of a cloud's", async () => {
        const { recording } = await make({ clientNames: ["mqtt.example.com"] });
        expect(recording.named("a-server-certificate").inputs).toMatchObject({
            commonName: "fleet-a",
            dnsNames: ["localhost", "fleet-a", "mqtt.example.com"],
            ipAddresses: ["127.0.0.1", "198.51.100.9", "10.1.0.4", "10.1.1.4", "10.1.0.5"],
            usage: ["server"],
        });
    });

    it("certifies links for the stable name alone, whatever the tier", async () => {
        const { recording } = await make();
        const { inputs, dependencies } = recording.named("a-link-certificate");
        expect(inputs).toMatchObject({
            commonName: "a.link.fleet.internal",
            dnsNames: ["a.link.fleet.internal"],
            usage: ["server", "client"],
        });
        expect(inputs.ipAddresses).toBeUndefined();
        expect(dependencies).toEqual(["fleet-ca"]);
    });

    it("puts every boot item into the store, and every one as a secret", async () => {
        const { items, open } = await make();
        expect(Object.keys(items).sort()).toEqual([...bootItemNames].sort());
        expect(open).toEqual([]);
        expect(items).toEqual({
            cookie: "cookie-S3cret",
            "dashboard-password": "dashboard-S3cret",
            "api-keys": "linkspan:api-S3cret:administrator\n",
            users: "user_id,password,is_superuser\nlinkspan-probe,probe-S3cret,false\ndevice,device-S3cret,false\n",
            license: "evaluation",
            ca: "cert of fleet-ca",
            "server-cert": "cert of a-server-certificate",
            "server-key": "key-S3cret of a-server-certificate",
            "link-cert": "cert of a-link-certificate",
            "link-key": "key-S3cret of a-link-certificate",
        });
    });

    it.each<[LicenseKind, Partial<ClusterIdentityInput>, string]>([
        ["community", {}, "default"],
        ["evaluation", {}, "evaluation"],
        ["key", { license: pulumi.secret("LICENCE-S3cret") }, "LICENCE-S3cret"],
    ])("gives EMQX its word for the licence %s", async (license, more, text) => {
        expect((await make(more, license)).items.license).toBe(text);
    });

    it("takes the user's device users in place of its own, quoted where CSV asks for it", async () => {
        const passwords = ["simple", 'with "quotes"', "with,comma", "with\nnewline"];
        const users = passwords.map((password, index) => ({ username: `u${index}`, password: pulumi.secret(password) }));
        const { items, device } = await make({ users });
        expect(items.users).toBe(
            'user_id,password,is_superuser\nlinkspan-probe,probe-S3cret,false\nu0,simple,false\nu1,"with ""quotes""",false\nu2,"with,comma",false\nu3,"with\nnewline",false\n',
        );
        expect(device).toBeUndefined();
    });

    it("has a device user of its own where none is given", async () => {
        expect((await make()).device).toEqual({ username: "device", password: "device-S3cret" });
        expect((await make({ users: [] })).items.users).toBe(
            "user_id,password,is_superuser\nlinkspan-probe,probe-S3cret,false\n",
        );
    });

    it("shows no secret in what is recorded unless as a secret", async () => {
        const { recording } = await make();
        for (const { name, inputs, secrets } of recording.resources) {
            const open = Object.entries(inputs).filter(
                ([key]) => !secrets.some((path) => path === key || path.startsWith(`${key}.`)),
            );
            expect(JSON.stringify(open), name).not.toContain("S3cret");
        }
    });
});
