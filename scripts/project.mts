import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** What is built from source where no Pulumi CLI can be had otherwise; the sums are pinned in `tools/<module>/go.sum`. */
export const builtPulumiVersion = "3.259.0";

/** The version that `npx pulumi` looks for in PULUMI_HOME: its own, unless PULUMI_VERSION says otherwise. */
export function npxPulumiVersion(env: NodeJS.ProcessEnv = process.env): string {
    if (env.PULUMI_VERSION) {
        return env.PULUMI_VERSION.replace(/^v/, "");
    }
    try {
        return (JSON.parse(readFileSync(join(root, "node_modules", "pulumi", "package.json"), "utf8")) as { version: string })
            .version;
    } catch {
        return "3.265.0";
    }
}

/** Pulumi's own folder. */
export function pulumiHome(env: NodeJS.ProcessEnv = process.env): string {
    return resolve(env.PULUMI_HOME || join(homedir(), ".pulumi"));
}
