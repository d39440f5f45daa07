import { createServer } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";

const listen = (): Promise<{ port: number; close: () => Promise<void> }> =>
    new Promise((resolve) => {
        const server = createServer((socket) => socket.on("error", () => {}).resume());
        server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve({
                port: typeof address === "object" && address !== null ? address.port : 0,
                close: () => new Promise((done) => server.close(() => done())),
            });
        });
    });

describe("watchEngine", () => {
    afterEach(() => {
        vi.useRealTimers();
        vi.resetModules();
    });

    it("ends the host when the engine's address refuses connections, and not before", async () => {
        const { watchEngine } = await import("./orphanWatch.js");
        const engine = await listen();
        vi.useFakeTimers({ toFake: ["setInterval"] });
        const end = vi.fn();
        watchEngine(["node", "/x/dynamic-provider/index.js", `127.0.0.1:${engine.port}`], end);
        const pause = () => new Promise((done) => setTimeout(done, 50));
        for (let round = 0; round < 3; round++) {
            vi.advanceTimersByTime(2_000);
            await pause();
        }
        expect(end).not.toHaveBeenCalled();
        await engine.close();
        for (let round = 0; round < 3; round++) {
            vi.advanceTimersByTime(2_000);
            await pause();
        }
        expect(end).toHaveBeenCalledTimes(1);
    });

    it.each([
        ["no dynamic provider host", ["node", "/x/program.js", "127.0.0.1:1"]],
        ["no address", ["node", "/x/dynamic-provider/index.js"]],
    ])("leaves a process alone that has %s", async (_what, argv) => {
        const { watchEngine } = await import("./orphanWatch.js");
        vi.useFakeTimers({ toFake: ["setInterval"] });
        const end = vi.fn();
        watchEngine(argv, end);
        vi.advanceTimersByTime(10_000);
        await new Promise((done) => setTimeout(done, 50));
        expect(end).not.toHaveBeenCalled();
    });
});
