import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { NodeDeparture } from "../../../src/cluster/nodeDeparture.js";
import { NodeMembership, type NodeMembershipArgs } from "../../../src/cluster/nodeMembership.js";
import { PackagePin } from "../../../src/cluster/packagePin.js";
import { Pin } from "../../../src/cluster/pin.js";
import { record } from "../../support/recorder.js";

const nodeName = "emqx@10.1.0.4";
const api = () => pulumi.output({ url: "https://h.example:18084", key: "k", secret: "api-S3cret" });
const args = (more: Partial<NodeMembershipArgs> = {}): NodeMembershipArgs => ({
    api: api(),
    clusterName: "m-aws",
    nodeName,
    members: [nodeName],
    gate: { id: pulumi.output("i-1") },
    ...more,
});

describe("NodeMembership", () => {
    it("keeps the API secret, in inputs and outputs", async () => {
        const recording = await record(() => {
            const departure = new NodeDeparture("departure", { api: api(), clusterName: "m-aws", nodeName });
            new NodeMembership("membership", args({ version: "5.10.3" }), { dependsOn: [departure] });
        });
        const membership = recording.named("membership");
        expect(membership.type).toBe("pulumi-nodejs:dynamic/linkspan:NodeMembership");
        expect(membership.inputs).toMatchObject({
            clusterName: "m-aws",
            nodeName,
            members: [nodeName],
            gate: { id: "i-1" },
            version: "5.10.3",
        });
        expect(membership.dependencies).toEqual(["departure"]);
        const departure = recording.named("departure");
        expect(departure.type).toBe("pulumi-nodejs:dynamic/linkspan:NodeDeparture");
        for (const { secrets, secretOutputs } of [membership, departure]) {
            expect(secrets).toEqual(["api"]);
            expect(secretOutputs).toEqual(["api"]);
        }
    });

    it.each<[string, Partial<NodeMembershipArgs>, string]>([
        ["a name that is none", { nodeName: "node" }, 'nodeName: "node" is no node name'],
        ["a plan without the node", { members: ["emqx@10.1.1.4"] }, `members: "${nodeName}" is not among them`],
        ["an empty gate", { gate: {} }, "gate: it is empty"],
        ["a deadline out of range", { timeouts: { joinSeconds: -1 } }, "timeouts.joinSeconds: -1 is out of range"],
    ])("refuses %s at preview", async (_what, more, message) => {
        await expect(record(() => void new NodeMembership("membership", args(more)))).rejects.toThrow(message);
    });

    it("refuses an API secret that stands in the program, and a proxy that cannot be", async () => {
        // What a program in plain JavaScript may pass.
        const plain = (more: object) => ({ url: "https://h.example:1", key: "k", secret: pulumi.secret("s"), ...more });
        const given = JSON.parse('{"secret": "plain-S3cret"}') as { secret: pulumi.Output<string> };
        await expect(record(() => void new NodeMembership("membership", args({ api: plain(given) })))).rejects.toThrow(
            "api.secret: it is given as a plain value",
        );
        await expect(
            record(() => void new NodeMembership("membership", args({ api: plain({ proxy: "ftp://h:1" }) }))),
        ).rejects.toThrow("api.proxy: ");
    });
});

describe("Pin and PackagePin", () => {
    it("send what is pinned, and give what is kept", async () => {
        const recording = await record(
            () => {
                const pin = new Pin("image", { value: pulumi.output("ami-2"), release: "1" });
                const file = new PackagePin("package", { url: "https://h.example/x.deb" });
                return { pinned: pin.pinned, sha256: file.sha256 };
            },
            { outputs: (type) => (type.endsWith(":Pin") ? { pinned: "ami-1" } : { sha256: "ab", bytes: 7 }) },
        );
        expect(recording.named("image").inputs).toMatchObject({ value: "ami-2", release: "1" });
        expect(recording.named("package").inputs).toMatchObject({ url: "https://h.example/x.deb" });
    });

    it("refuse at preview what cannot be pinned", async () => {
        await expect(record(() => void new Pin("image", { value: "a", release: "" }))).rejects.toThrow(
            'release: "" is not possible',
        );
        await expect(record(() => void new PackagePin("package", { url: "http://h.example/x.deb" }))).rejects.toThrow(
            'url: "http://h.example/x.deb" is not possible',
        );
    });
});
