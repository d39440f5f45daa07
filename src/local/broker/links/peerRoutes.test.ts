import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PeerRoutes } from "./peerRoutes.js";

let folder: string;
let routes: PeerRoutes;
const path = () => join(folder, "routes.json");

beforeEach(() => {
    vi.useFakeTimers();
    folder = mkdtempSync(join(tmpdir(), "linkspan-routes-"));
    routes = new PeerRoutes(path(), 30_000);
});

afterEach(() => {
    routes.stop();
    vi.useRealTimers();
    rmSync(folder, { recursive: true, force: true });
});

function told(...filters: string[]): void {
    routes.begin("a", "one");
    routes.part("a", "one", filters, true);
}

test("routes replace the former ones only when the last part is there", () => {
    told("x/1", "x/2");
    routes.begin("a", "two");
    expect(routes.part("a", "two", ["x/2"], false)).toBe(true);
    expect(routes.wants("a", "x/1")).toBe(true);
    expect(routes.part("a", "two", ["x/3"], true)).toBe(true);
    expect(routes.routes("a").sort()).toEqual(["x/2", "x/3"]);
    expect(routes.wants("a", "x/1")).toBe(false);
});

test("a stranger, an old incarnation and a part out of turn are sent back to the start", () => {
    expect(routes.touch("a", "one")).toBe(false);
    told("x/1");
    expect(routes.delta("a", "old", ["x/2"], [])).toBe(false);
    expect(routes.part("a", "one", ["x/2"], true)).toBe(false);
    expect(routes.delta("a", "one", ["x/2"], ["x/1"])).toBe(true);
    expect(routes.routes("a")).toEqual(["x/2"]);
});

test("EMQX's own topics are no routes", () => {
    told("$LINK/#", "$SYS/x", "$LINK", "x/1", "");
    expect(routes.routes("a")).toEqual(["x/1"]);
});

test("routes end 30 s after the last sign of life", () => {
    const expired = vi.fn();
    routes.onExpired = expired;
    told("x/1");
    vi.advanceTimersByTime(29_000);
    expect(routes.touch("a", "one")).toBe(true);
    vi.advanceTimersByTime(30_000);
    expect(routes.count("a")).toBe(1);
    vi.advanceTimersByTime(2_000);
    expect(routes.count("a")).toBe(0);
    expect(expired).toHaveBeenCalledExactlyOnceWith("a");
});

test("time in which this process itself was stopped does not count", () => {
    told("x/1");
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersByTime(1_000);
    expect(routes.count("a")).toBe(1);
});

test("routes survive a restart for what is left of their life", () => {
    told("x/1");
    routes.stop();
    routes = new PeerRoutes(path(), 30_000);
    expect(routes.wants("a", "x/1")).toBe(true);
    routes.stop();
    vi.setSystemTime(Date.now() + 31_000);
    routes = new PeerRoutes(path(), 30_000);
    expect(routes.count("a")).toBe(0);
});

test("a peer that leaves is forgotten", () => {
    told("x/1");
    routes.forget("a");
    expect(routes.wants("a", "x/1")).toBe(false);
});
