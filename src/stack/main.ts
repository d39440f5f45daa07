import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../errors.js";
import { Mesh } from "../mesh.js";
import { parseStackConfig, type RawConfig, type StackConfig } from "./config.js";
import { makeSite } from "./sites.js";

/** The ready stack: configuration in, sites and their mesh out. The returned values are the stack's outputs. */
async function main(): Promise<Record<string, unknown>> {
    const config = readConfig();
    const sites = await Promise.all(config.sites.map(makeSite));
    const mesh = new Mesh("mesh", {
        sites,
        tier: config.tier,
        topics: config.topics,
        maxOutageSeconds: config.maxOutageSeconds,
        proof: { count: config.probeCount, rate: config.probeRate, prove: config.prove },
    });
    return { endpoints: mesh.endpoints, sites: mesh.sites, links: mesh.links, tier: config.tier, notProven: mesh.notProven };
}

/** A wrong configuration is the user's to mend: one line, no stack. */
function readConfig(): StackConfig {
    try {
        return parseStackConfig(rawConfig());
    } catch (error) {
        if (error instanceof InputError) {
            throw new pulumi.RunError(`configuration linkspan:${error.message}`);
        }
        throw error;
    }
}

function rawConfig(): RawConfig {
    const config = new pulumi.Config("linkspan");
    const read = (key: string): unknown => {
        const text = config.get(key);
        if (text === undefined) {
            return undefined;
        }
        try {
            return JSON.parse(text);
        } catch {
            return text;
        }
    };
    const keys = ["sites", "tier", "topics", "maxOutageSeconds", "probeCount", "probeRate", "prove"];
    return Object.fromEntries(keys.map((key) => [key, read(key)]));
}

// Pulumi awaits an exported function and takes what it returns as the stack's outputs.
module.exports = main;
