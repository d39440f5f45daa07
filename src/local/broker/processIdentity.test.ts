import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { isSameProcess, startTimeOf } from "./processIdentity.js";

test("a process is known by pid and start time, and only as long as it lives", async () => {
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "ignore" });
    const pid = child.pid ?? 0;
    const started = startTimeOf(pid);
    expect(started).toBeTypeOf("string");
    expect(isSameProcess(pid, started ?? "")).toBe(true);
    expect(isSameProcess(pid, "0")).toBe(false);
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    expect(startTimeOf(pid)).toBeUndefined();
});
