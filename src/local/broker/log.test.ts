import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { fileLog, throttled } from "./log.js";

test("a log file is bounded: one older file, 5 MB each, private", () => {
    const folder = mkdtempSync(join(tmpdir(), "linkspan-log-"));
    try {
        const path = join(folder, "broker.log");
        const { log, close } = fileLog(path);
        for (let index = 0; index < 130; index++) {
            log("filled", { index, text: "x".repeat(100_000) });
        }
        close();
        expect(statSync(path).size).toBeLessThanOrEqual(5 * 1024 * 1024);
        expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(5 * 1024 * 1024);
        expect(existsSync(`${path}.2`)).toBe(false);
        expect(statSync(path).mode & 0o077).toBe(0);
        expect(JSON.parse(readFileSync(path, "utf8").trim().split("\n").at(-1) ?? "")).toMatchObject({
            event: "filled",
            index: 129,
        });
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});

test("a repeated event comes once per interval, with the number held back", () => {
    vi.useFakeTimers();
    try {
        const log = vi.fn();
        const often = throttled(log, 1000);
        for (let index = 0; index < 5; index++) {
            often("key", "event", { a: 1 });
        }
        often("other", "event");
        vi.advanceTimersByTime(1001);
        often("key", "event", { a: 1 });
        expect(log.mock.calls).toEqual([
            ["event", { a: 1 }],
            ["event", {}],
            ["event", { a: 1, heldBack: 4 }],
        ]);
    } finally {
        vi.useRealTimers();
    }
});
