import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { ScriptError } from "../output.mts";
import { root } from "../project.mts";

export const verbs = ["up", "status", "destroy", "logs"] as const;
export type Verb = (typeof verbs)[number];

const tiers = ["nat", "vpn", "interconnect"];
/** A link pair costs two links and a proof, so that pairs of many sites take their time. */
const siteRange = { min: 2, max: 20 } as const;

export const usage = `Usage: npm run demo [-- VERB] [options]

  up         (default) bring the sites up on this machine, link them, prove the links by counted messages
  status     show the sites, whether their brokers run, and the last proof of every link
  logs       print the end of every broker's log, or of one site's: logs SITE
  destroy    remove everything that the demo made

  --tier TIER     nat (default), vpn or interconnect; on one machine they stand for what they do between clouds
  --network       real networks on this machine (Linux): namespaces, address translation, IPsec by strongSwan, BGP by BIRD;
                  exit code 3 and what to install where that is not possible
  --sites N       number of sites, ${siteRange.min} to ${siteRange.max} (default 3)
  --state DIR     folder of the demo's state (default .linkspan/demo in the repository)
  --force         with destroy: end the brokers and remove the folder even where Pulumi cannot destroy
  --verbose       all output of Pulumi
  --help          print this`;

export interface DemoOptions {
    readonly verb: Verb;
    readonly tier: string;
    readonly sites: number;
    /** Sites of level `network` instead of `process`. */
    readonly network: boolean;
    readonly state: string;
    /** For `logs`: the only site to show. */
    readonly site: string | undefined;
    readonly force: boolean;
    readonly verbose: boolean;
    readonly help: boolean;
}

/** Reads the command line; every mistake is a ScriptError with exit code 2 that names the argument. */
export function readOptions(args: string[], callerFolder = process.env.INIT_CWD ?? process.cwd()): DemoOptions {
    const { values, positionals } = parse(args);
    const [verb = "up", site, extra] = positionals;
    if (!(verbs as readonly string[]).includes(verb)) {
        throw wrong(`${verb} is no verb; use one of ${verbs.join(", ")}`);
    }
    if (extra !== undefined || (site !== undefined && verb !== "logs")) {
        throw wrong(`${extra ?? site} is one argument too many`);
    }
    const sites = Number(values.sites ?? 3);
    if (!Number.isInteger(sites) || sites < siteRange.min || sites > siteRange.max) {
        throw wrong(`--sites ${values.sites}: set a whole number from ${siteRange.min} to ${siteRange.max}`);
    }
    const tier = values.tier ?? "nat";
    if (!tiers.includes(tier)) {
        throw wrong(`--tier ${tier}: set one of ${tiers.join(", ")}`);
    }
    if (values.state === "") {
        throw wrong("--state is empty; name a folder");
    }
    return {
        verb: verb as Verb,
        tier,
        sites,
        network: values.network ?? false,
        state: values.state === undefined ? resolve(root, ".linkspan", "demo") : resolve(callerFolder, values.state),
        site,
        force: values.force ?? false,
        verbose: values.verbose ?? false,
        help: values.help ?? false,
    };
}

function parse(args: string[]) {
    try {
        return parseArgs({
            args,
            allowPositionals: true,
            options: {
                tier: { type: "string" },
                sites: { type: "string" },
                network: { type: "boolean" },
                state: { type: "string" },
                force: { type: "boolean" },
                verbose: { type: "boolean" },
                help: { type: "boolean", short: "h" },
            },
        });
    } catch (error) {
        throw wrong(error instanceof Error ? error.message : String(error));
    }
}

function wrong(text: string): ScriptError {
    return new ScriptError(`${text}\nnpm run demo -- --help lists what there is.`, 2);
}

/** The demo's sites: the ready stack's three first, then further ones by number. */
export function siteNames(count: number): string[] {
    const named = ["north", "south", "west", "east"];
    return Array.from({ length: count }, (_, index) => named[index] ?? `site${index + 1}`);
}
