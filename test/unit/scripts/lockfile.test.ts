import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

interface LockEntry {
    readonly version?: string;
    readonly link?: boolean;
    readonly resolved?: string;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(resolve(__dirname, "../../../package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, LockEntry>>;
};

/** Where Node would look for a package that another one names, nearest first. */
function candidates(from: string, name: string): string[] {
    const found: string[] = [];
    for (let base = from; ; base = base.includes("/node_modules/") ? base.slice(0, base.lastIndexOf("/node_modules/")) : "") {
        found.push(`${base === "" ? "" : `${base}/`}node_modules/${name}`);
        if (base === "") {
            return found;
        }
    }
}

describe("package-lock.json", () => {
    it("holds every package that another one names, those of other platforms included, or `npm ci` refuses it", () => {
        const missing = Object.entries(lock.packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
            Object.keys({ ...dependencies, ...optionalDependencies })
                .filter((name) => !candidates(from, name).some((place) => lock.packages[place] !== undefined))
                .map((name) => `${from || "the project"} -> ${name}`),
        );
        expect(missing).toEqual([]);
    });

    it("names a version for every package and no registry", () => {
        const wrong = Object.entries(lock.packages).filter(
            ([, { version, link, resolved }]) => (version === undefined && link !== true) || /^https?:/.test(resolved ?? ""),
        );
        expect(wrong.map(([place]) => place)).toEqual([]);
    });
});
