import { describe, expect, it } from "vitest";
import { exceptions, exceptionText } from "../../../src/policy/exceptions.js";
import { ResourceGraph, violationsOf } from "../../../src/policy/rule.js";
import { rules } from "../../../src/policy/rules.js";
import { machineCases } from "./machineCases.js";
import { networkCases } from "./networkCases.js";
import { otherCases } from "./otherCases.js";
import { resource } from "./ruleCase.js";
import { secretCases } from "./secretCases.js";

const cases = [...networkCases, ...machineCases, ...secretCases, ...otherCases];

describe.each(rules.map((rule) => [[rule.id, ...rule.alsoKnownAs].join(" "), rule] as const))("%s", (_ids, rule) => {
    const own = cases.filter((one) => one.rule === rule.id);
    const judged = (resources: Parameters<typeof violationsOf>[0]["resources"]) => {
        const last = resources.at(-1)?.name;
        return violationsOf(new ResourceGraph(resources), [rule])
            .filter((one) => one.resource.name === last)
            .map(({ message }) => message);
    };

    it("has cases of both kinds", () => {
        expect(own.flatMap(({ good }) => good).length).toBeGreaterThan(0);
        expect(own.flatMap(({ bad }) => bad).length).toBeGreaterThan(0);
    });

    it("finds nothing where nothing is wrong", () => {
        for (const good of own.flatMap((one) => one.good)) {
            expect(judged(good)).toEqual([]);
        }
    });

    it(`is broken: ${rule.title}`, () => {
        for (const [bad, message] of own.flatMap((one) => one.bad)) {
            expect(judged(bad)).toEqual([message]);
        }
    });

    it("is asked of the types that its cases are of", () => {
        const asked = new Set(
            own.flatMap(({ bad }) => bad.map(([resources]) => new ResourceGraph(resources).resources.at(-1)?.type)),
        );
        expect(rule.types).toEqual(expect.arrayContaining([...asked]));
    });
});

describe("the table of rules", () => {
    it("has every id once", () => {
        const ids = rules.map(({ id }) => id);
        expect(ids).toEqual([...new Set(ids)]);
    });

    it("numbers Linkspan's own rules without a gap", () => {
        const numbers = rules.flatMap(({ id }) => /^LINKSPAN-(\d{4})$/.exec(id)?.[1] ?? []).map(Number);
        expect(numbers.sort((one, other) => one - other)).toEqual(numbers.map((_, index) => index + 1));
    });

    it("says in whole sentences what must hold", () => {
        expect(rules.filter(({ title }) => !/^[A-Z].*\.$/.test(title)).map(({ id }) => id)).toEqual([]);
    });

    it("has no case for a rule that there is not", () => {
        const ids = new Set(rules.map(({ id }) => id));
        expect(cases.map(({ rule }) => rule).filter((rule) => !ids.has(rule))).toEqual([]);
    });
});

describe("exceptions", () => {
    const ours = "urn:pulumi:s::p::linkspan:aws:AwsSite$aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::clients";
    const opening = (port: number, urn: string) =>
        resource(
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            { ipProtocol: "tcp", fromPort: port, toPort: port, cidrIpv4: "0.0.0.0/0" },
            { urn },
        );
    const found = (port: number, urn: string) =>
        violationsOf(new ResourceGraph([opening(port, urn)]), rules, exceptions)
            .filter(({ rule }) => rule.id === "LINKSPAN-0023")
            .map(({ exception }) => exception !== undefined);

    it("except a Linkspan site's client door, and no other port", () => {
        expect(found(8883, ours)).toEqual([true]);
        expect(found(8884, ours)).toEqual([false]);
    });

    it("except nothing that is not Linkspan's", () => {
        expect(found(8883, "urn:pulumi:s::p::aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::clients")).toEqual([
            false,
        ]);
        expect(found(8883, "urn:pulumi:s::p::my:linkspan:Thing$aws:vpc/x:X::linkspan:aws:AwsSite$x")).toEqual([false]);
    });

    it("except the way out to a named peer's link door at any one port, and nothing else of a mesh or a site", () => {
        const type = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
        const excepted = (urn: string, from: number, to = from, ipProtocol = "tcp") =>
            violationsOf(
                new ResourceGraph([resource(type, { ipProtocol, fromPort: from, toPort: to, cidrIpv4: "0.0.0.0/0" }, { urn })]),
                rules,
                exceptions,
            )
                .filter(({ rule }) => rule.id === "AWS-0104")
                .map(({ exception }) => exception !== undefined);
        const toPeer = `urn:pulumi:s::p::linkspan:index:Mesh$${type}::aws-nat-to-plant`;
        expect(excepted(toPeer, 9884)).toEqual([true]);
        expect(excepted(toPeer, 8884)).toEqual([true]);
        expect(excepted(toPeer, 1, 65_535)).toEqual([false]);
        expect(excepted(toPeer, 53, 53, "udp")).toEqual([false]);
        expect(excepted(`urn:pulumi:s::p::linkspan:index:Mesh$${type}::aws-anything`, 9884)).toEqual([false]);
        expect(excepted(`urn:pulumi:s::p::linkspan:aws:AwsSite$${type}::aws-nat-to-plant`, 8884)).toEqual([false]);
        expect(excepted(`urn:pulumi:s::p::${type}::aws-nat-to-plant`, 9884)).toEqual([false]);
    });

    it("name rules that exist, and say why", () => {
        const ids = new Set(rules.map(({ id }) => id));
        for (const exception of exceptions) {
            expect(ids).toContain(exception.rule);
            expect(exceptionText(exception)).toMatch(/^[A-Z0-9_-]+: .{5,}: .{40,}$/);
        }
    });
});
