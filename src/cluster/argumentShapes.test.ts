import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { record } from "../../test/support/recorder.js";
import { InputError } from "../errors.js";
import { checkShapes, type Shape } from "./argumentShapes.js";

const shapes: Readonly<Record<string, Shape>> = {
    region: "text",
    count: "number",
    protect: "flag",
    project: "input",
    zones: "texts",
    reach: "checked",
    network: { fields: { cidr: "text", id: "input" }, required: ["cidr"] },
    users: { listOf: { fields: { username: "text" } } },
    tags: { byKey: "text" },
    subnets: { byKey: { fields: { cidr: "text" }, required: ["cidr"] } },
};

describe("checkShapes", () => {
    it.each<[string, unknown]>([
        ["nothing", {}],
        ["what is undefined", { region: undefined, network: undefined }],
        ["texts, numbers, switches and lists", { region: "r", count: 0, protect: false, zones: [] }],
        ["objects of known arguments", { network: { cidr: "10.1.0.0/16" } }],
        ["arguments that others check", { reach: null }],
        ["lists and maps of objects", { users: [{ username: "u" }], tags: { a: "b" }, subnets: { z: { cidr: "c" } } }],
        ["arguments that are not its own", { more: 1 }],
    ])("takes %s", (_what, args) => {
        expect(() => checkShapes(args, shapes)).not.toThrow();
    });

    it("takes an output where one may be, and says so where none may", async () => {
        await record(() => {
            const output = pulumi.output("x");
            expect(() =>
                checkShapes({ project: output, network: { cidr: "c", id: Promise.resolve("i") } }, shapes),
            ).not.toThrow();
            expect(() => checkShapes({ region: output }, shapes)).toThrow(
                "region: it is an output; give a plain value: names, counts and resources follow from it",
            );
            expect(() => checkShapes({ network: pulumi.output({ cidr: "c" }) }, shapes)).toThrow("network: it is an output");
            expect(() => checkShapes({ zones: Promise.resolve(["a"]) }, shapes)).toThrow("zones: it is an output");
        });
    });

    it.each<[string, unknown, string]>([
        ["no arguments", undefined, "args: undefined is no object; write its arguments in braces"],
        ["a list of arguments", [], "args: [] is no object"],
        ["a number as a text", { region: 1 }, "region: 1 is no text"],
        ["a text as a number", { count: "3" }, 'count: "3" is no number'],
        ["a text as a switch", { protect: "true" }, 'protect: "true" is no switch: set true or false'],
        ["null", { region: null }, "region: it is null; leave it out"],
        ["an object as an input", { project: {} }, "project: {} is no text"],
        ["a text as a list", { zones: "a" }, 'zones: "a" is no list; write it in brackets'],
        ["a number in a list of texts", { zones: ["a", 1] }, "zones[1]: 1 is no text"],
        ["a text as an object", { network: "n" }, 'network: "n" is no object; write its arguments in braces'],
        ["an object without what it needs", { network: {} }, "network.cidr: it is missing"],
        ["an object with a wrong part", { network: { cidr: [] } }, "network.cidr: [] is no text"],
        ["a list of texts for one of objects", { users: ["u"] }, 'users[0]: "u" is no object'],
        ["a list with a hole", { users: [{ username: "u" }, null] }, "users[1]: null is no object"],
        ["a wrong part in a list", { users: [{ username: 5 }] }, "users[0].username: 5 is no text"],
        ["a number in a map of texts", { tags: { a: 1 } }, 'tags["a"]: 1 is no text'],
        ["a list as a map", { tags: ["a"] }, 'tags: ["a"] is no object'],
        ["a map of objects without what they need", { subnets: { z: {} } }, 'subnets["z"].cidr: it is missing'],
    ])("refuses %s", (_what, args, message) => {
        expect(() => checkShapes(args, shapes)).toThrow(InputError);
        expect(() => checkShapes(args, shapes)).toThrow(message);
    });
});
