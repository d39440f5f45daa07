import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { ClusterLink, type ClusterLinkArgs } from "../../../src/link/clusterLink.js";
import { ClusterPreflight } from "../../../src/link/clusterPreflight.js";
import { LinkAccess } from "../../../src/link/linkAccess.js";
import { record } from "../../support/recorder.js";

const api = () => ({ url: "https://a.example:18084", key: "key", secret: pulumi.secret("api-s3cret") });
const good = (): ClusterLinkArgs => ({
    api: api(),
    localCluster: "hq",
    name: "plant",
    server: "plant.example.com:8884",
    username: "link-hq",
    password: pulumi.secret("link-s3cret"),
    topics: ["plant/#"],
    tls: { enable: true },
});

/** What making a resource throws, in a program of its own. */
async function thrownBy(make: () => unknown): Promise<Error | undefined> {
    let thrown: unknown;
    await record(() => {
        try {
            make();
        } catch (error) {
            thrown = error;
        }
    });
    return thrown as Error | undefined;
}

describe("ClusterLink", () => {
    it("takes the API in parts or as one output, and keeps it secret", async () => {
        const whole = { url: "https://a.example:18084", key: "key", secret: "api-s3cret" };
        const recording = await record(() => {
            new ClusterLink("parts", good());
            new ClusterLink("whole", { ...good(), api: pulumi.output(whole) });
        });
        for (const name of ["parts", "whole"]) {
            expect(recording.named(name).inputs).toMatchObject({ api: whole, password: "link-s3cret", tls: { enable: true } });
            expect(recording.named(name).secrets).toEqual(["api", "password", "tls"]);
        }
    });

    it("refuses bad input in the constructor, in one line under the resource", async () => {
        for (const [bad, message] of [
            [{ server: "a:1,b:2" }, /^server: .*more than one host/],
            [{ server: "127.0.0.1:1883" }, /^server: .*machine itself/],
            [{ server: "169.254.169.254:1883" }, /^server: .*link-local/],
            [{ name: "hq" }, /^name: "hq" is this cluster's own name/],
            [{ topics: ["a/#", "a/b"] }, /^topics\[1\]: "a\/b" is covered/],
            [{ topics: [pulumi.output("x"), "$SYS/#"] }, /^topics\[1\]: "\$SYS\/#" is of EMQX's own topics/],
            [{ maxOutageSeconds: 31 }, /^maxOutageSeconds: 31 cannot be kept/],
            [{ clientIdPrefix: "hq" }, /^clientIdPrefix: "hq" has no separator/],
            [{ api: { ...api(), url: "http://a.example:18083" } }, /^api\.url: .*not encrypted/],
            [{ timeouts: { deleteSeconds: -1 } }, /^timeouts\.deleteSeconds: -1 is out of range/],
        ] as const) {
            const thrown = await thrownBy(() => new ClusterLink("bad", { ...good(), ...(bad as Partial<ClusterLinkArgs>) }));
            expect(thrown).toBeInstanceOf(pulumi.ResourceError);
            expect(thrown?.message).toMatch(message);
        }
    });

    it("refuses a secret in plain text without showing it", async () => {
        const plain = "PLAIN-s3cret" as unknown as pulumi.Output<string>;
        for (const [make, message] of [
            [() => new ClusterLink("bad", { ...good(), password: plain }), /^password: it is given as a plain value/],
            [
                () => new ClusterLink("bad", { ...good(), api: { ...api(), secret: plain } }),
                /^api\.secret: it is given as a plain value/,
            ],
            [
                () => new ClusterLink("bad", { ...good(), tls: { enable: true, key: plain } }),
                /^tls\.key: it is given as a plain value/,
            ],
            [
                () => new LinkAccess("bad", { api: api(), localCluster: "hq", peer: "plant", password: plain }),
                /^password: it is given/,
            ],
            [
                () => new ClusterPreflight("bad", { api: { ...api(), secret: plain }, expectedClusterName: "hq" }),
                /^api\.secret: it is given/,
            ],
        ] as const) {
            const thrown = await thrownBy(make);
            expect(thrown?.message).toMatch(message);
            expect(thrown?.message).not.toContain("PLAIN-s3cret");
        }
    });

    it("accepts what is not known before the deployment", async () => {
        const later = <T>(value: T) => pulumi.output(value);
        const thrown = await thrownBy(
            () =>
                new ClusterLink("later", {
                    ...good(),
                    localCluster: later("hq"),
                    name: later("plant"),
                    server: later("plant.example.com:8884"),
                    username: later("x"),
                    topics: later(["a/#"]),
                    poolSize: later(2),
                    tls: pulumi.output({ enable: true }),
                }),
        );
        expect(thrown).toBeUndefined();
    });
});

describe("LinkAccess and ClusterPreflight", () => {
    it("refuse bad input in the constructor", async () => {
        const password = pulumi.secret("x");
        for (const [make, message] of [
            [
                () => new LinkAccess("bad", { api: api(), localCluster: "hq", peer: "hq", password }),
                /^peer: "hq" is this cluster's own name/,
            ],
            [() => new LinkAccess("bad", { api: api(), localCluster: "hq", peer: "a b", password }), /^peer: "a b" is no name/],
            [() => new ClusterPreflight("bad", { api: api(), expectedClusterName: "" }), /^expectedClusterName: it is empty/],
            [() => new ClusterPreflight("bad", { api: { ...api(), url: "ftp://x" }, expectedClusterName: "hq" }), /^api\.url: /],
        ] as const) {
            const thrown = await thrownBy(make);
            expect(thrown).toBeInstanceOf(pulumi.ResourceError);
            expect(thrown?.message).toMatch(message);
        }
    });
});
