import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { identify, isRunning, type Owner, readOwner, takeLock } from "../../../scripts/processLock.mts";

let folder = "";
let file = "";

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "linkspan-lock-"));
    file = join(folder, "deep", "lock");
});
afterEach(() => {
    rmSync(folder, { recursive: true });
});

const nobodyWaits = () => {
    throw new Error("the lock was taken by a living process");
};

/** A process that has ended. */
async function deadProcess(): Promise<Owner> {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    await once(child, "spawn");
    const owner = identify(child.pid);
    child.kill("SIGKILL");
    await once(child, "exit");
    return owner;
}

describe("a lock that names its owner", () => {
    it("is taken, names this process, and is gone afterwards", async () => {
        const release = await takeLock(file, nobodyWaits);
        expect(readOwner(file)).toEqual(identify());
        release();
        expect(readdirSync(join(folder, "deep"))).toEqual([]);
    });

    it("is waited for while its owner lives", async () => {
        const release = await takeLock(file, nobodyWaits);
        let waits = 0;
        const second = takeLock(file, ({ pid }) => {
            expect(pid).toBe(process.pid);
            waits += 1;
            release();
        });
        (await second)();
        expect(waits).toBe(1);
        expect(existsSync(file)).toBe(false);
    });

    it("is not waited for where the caller gives up", async () => {
        const release = await takeLock(file, nobodyWaits);
        await expect(takeLock(file, nobodyWaits)).rejects.toThrow("living process");
        release();
    });

    it("is taken over from an owner that is gone, and from one whose number another process has now", async () => {
        const gone = await deadProcess();
        for (const owner of [gone, { pid: process.pid, startTime: "1" }]) {
            const release = await takeLock(file, nobodyWaits);
            writeFileSync(file, JSON.stringify(owner));
            release();
            writeFileSync(file, JSON.stringify(owner));
            (await takeLock(file, nobodyWaits))();
            expect(readdirSync(join(folder, "deep"))).toEqual([]);
        }
    });

    it("is taken over where it is no lock at all", async () => {
        (await takeLock(file, nobodyWaits))();
        writeFileSync(file, "{");
        (await takeLock(file, nobodyWaits))();
        expect(existsSync(file)).toBe(false);
    });
});

describe("whether a process runs", () => {
    it("knows this one, by number and start, and one that has ended", async () => {
        expect(isRunning(identify())).toBe(true);
        expect(isRunning({ pid: process.pid, startTime: "" })).toBe(true);
        expect(isRunning(await deadProcess())).toBe(false);
    });
});
