import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { record } from "../../test/support/recorder.js";
import { DynamicResource } from "./resource.js";

class Sample extends DynamicResource {
    declare readonly value: pulumi.Output<string>;

    constructor(name: string, args: { readonly uses?: pulumi.Input<string> }, opts: pulumi.CustomResourceOptions = {}) {
        super("secrets", name, { ...args, value: undefined }, opts);
    }
}

class Group extends pulumi.ComponentResource {
    constructor(name: string, build: (parent: Group) => void, opts: pulumi.ComponentResourceOptions = {}) {
        super("test:index:Group", name, {}, opts);
        build(this);
        this.registerOutputs();
    }
}

const outputs = () => ({ value: "v" });

describe("DynamicResource", () => {
    it("sends its type, its provider's text and the URN that it is about to get", async () => {
        const recording = await record(
            () => {
                new Sample("top", {});
                new Group("outer", (outer) => {
                    new Group("inner", (inner) => void new Sample("deep", {}, { parent: inner }), { parent: outer });
                });
            },
            { outputs },
        );
        for (const name of ["top", "deep"]) {
            const { type, inputs } = recording.named(name);
            expect(type).toBe("pulumi-nodejs:dynamic/linkspan:Secrets");
            expect(inputs.__provider).toBe('exports.handler=()=>require("linkspan/provider").secrets;');
        }
        const prefix = "urn:pulumi:stack::project::";
        expect(recording.named("top").inputs.progressUrn).toBe(`${prefix}pulumi-nodejs:dynamic/linkspan:Secrets::top`);
        expect(recording.named("deep").inputs.progressUrn).toBe(
            `${prefix}test:index:Group$test:index:Group$pulumi-nodejs:dynamic/linkspan:Secrets::deep`,
        );
    });

    it("does not depend on its parent, so that children may use each other in any order", async () => {
        const recording = await record(
            () => {
                new Group("group", (parent) => {
                    const first = new Sample("first", {}, { parent });
                    const second = new Sample("second", { uses: first.value }, { parent });
                    new Sample("third", { uses: second.value }, { parent, dependsOn: [first] });
                });
            },
            { outputs },
        );
        expect(recording.named("first").dependencies).toEqual([]);
        expect(recording.named("second").dependencies).toEqual(["first"]);
        expect(recording.named("third").dependencies).toEqual(["first", "second"]);
    });
});
