import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeStale } from "../../../scripts/build.mts";

let folder = "";
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "linkspan-build-"));
});
afterEach(() => {
    rmSync(folder, { recursive: true });
});

function put(...files: string[]): void {
    for (const file of files) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), "");
    }
}

describe("removing what no source stands behind", () => {
    it("keeps what a source has, removes the rest and the folders that this empties", () => {
        put("src/a.ts", "src/b/c.ts", "src/b/c.test.ts");
        put("dist/a.js", "dist/a.d.ts", "dist/b/c.js", "dist/b/c.d.ts");
        put(
            "dist/gone.js",
            "dist/gone.d.ts",
            "dist/old/deep/x.js",
            "dist/b/c.test.js",
            "dist/a.js.map",
            "dist/build.tsbuildinfo",
        );
        const { files, removed } = removeStale(join(folder, "dist"), join(folder, "src"));
        expect(files).toBe(4);
        expect(removed.sort()).toEqual(["a.js.map", "b/c.test.js", "build.tsbuildinfo", "gone.d.ts", "gone.js", "old/deep/x.js"]);
        expect(existsSync(join(folder, "dist/old"))).toBe(false);
        expect(existsSync(join(folder, "dist/b/c.js"))).toBe(true);
    });

    it("has nothing to do before the first build", () => {
        expect(removeStale(join(folder, "dist"), join(folder, "src"))).toEqual({ files: 0, removed: [] });
    });
});
