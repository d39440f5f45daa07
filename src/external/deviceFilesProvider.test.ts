import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unknownValue } from "../dynamic/provider.js";
import { deviceFilesProvider as provider } from "./deviceFilesProvider.js";

describe("files of a device", () => {
    let folder: string;
    const files = { "swanctl.conf": "a secret", "bird.conf": "routes" };

    beforeEach(() => {
        folder = join(mkdtempSync(join(tmpdir(), "linkspan-device-")), "plant");
    });
    afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

    it("are written for their owner alone, and their texts are in no output", async () => {
        const { outs } = await provider.create({ folder, files });
        expect(readFileSync(join(folder, "swanctl.conf"), "utf8")).toBe("a secret");
        expect(statSync(join(folder, "swanctl.conf")).mode & 0o777).toBe(0o600);
        expect(statSync(folder).mode & 0o777).toBe(0o700);
        expect(outs.paths).toEqual([join(folder, "bird.conf"), join(folder, "swanctl.conf")]);
        expect(JSON.stringify(outs)).not.toContain("a secret");
        expect(await provider.diff("", outs, { folder, files })).toEqual({ changes: false });
    });

    it("are written again when one is gone, changed by hand, or described anew", async () => {
        const { outs } = await provider.create({ folder, files });
        writeFileSync(join(folder, "bird.conf"), "by hand");
        expect(await provider.diff("", outs, { folder, files })).toEqual({ changes: true });
        const mended = await provider.update?.("", outs, { folder, files });
        expect(readFileSync(join(folder, "bird.conf"), "utf8")).toBe("routes");
        rmSync(join(folder, "swanctl.conf"));
        expect(await provider.diff("", mended ?? outs, { folder, files })).toEqual({ changes: true });
        const fewer = { "bird.conf": "other routes" };
        const next = await provider.update?.("", outs, { folder, files: fewer });
        expect(existsSync(join(folder, "swanctl.conf"))).toBe(false);
        expect(next?.paths).toEqual([join(folder, "bird.conf")]);
    });

    it("move with their folder, and are not looked at while their texts are not known", async () => {
        const { outs } = await provider.create({ folder, files });
        expect(await provider.diff("", outs, { folder: `${folder}2`, files })).toEqual({ changes: true, replaces: ["folder"] });
        const unknown = { "swanctl.conf": unknownValue };
        expect(await provider.diff("", outs, { folder, files: unknown })).toEqual({ changes: true });
    });

    it("go with the resource, and leave a stranger's files alone", async () => {
        const { outs } = await provider.create({ folder, files });
        writeFileSync(join(folder, "notes.txt"), "mine");
        await provider.delete?.("", outs);
        expect(readFileSync(join(folder, "notes.txt"), "utf8")).toBe("mine");
        expect(existsSync(join(folder, "swanctl.conf"))).toBe(false);
        rmSync(join(folder, "notes.txt"));
        await provider.create({ folder, files });
        await provider.delete?.("", outs);
        expect(existsSync(folder)).toBe(false);
        await provider.delete?.("", outs);
    });

    it.each(["../x", "a/b", "", ".hidden"])("refuses the name %s", async (name) => {
        const answer = await provider.check?.({ folder, files: { [name]: "text" } }, {});
        expect(answer?.failures?.[0]?.reason).toContain("is no file name");
    });

    it("refuses no folder", async () => {
        expect((await provider.check?.({ folder: " ", files }, {}))?.failures?.[0]?.reason).toContain('folder: " " is no folder');
    });
});
