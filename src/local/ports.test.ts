import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { checkPorts, choosePorts } from "./ports.js";

describe("checkPorts", () => {
    it("takes free and given ports", () => {
        expect(() => checkPorts({ mqtts: 0, links: 0, api: 18084, mqtt: 1883 })).not.toThrow();
    });

    it.each([80, 65536, 1.5, -1])("refuses %d", (port) => {
        expect(() => checkPorts({ mqtts: port })).toThrow(
            `ports.mqtts: ${port} is no port for a local site; set 1024 to 65535, or 0 for any free one`,
        );
    });

    it("refuses one port for two listeners", () => {
        expect(() => checkPorts({ mqtts: 8883, links: 8883 })).toThrow("ports.links: 8883 is ports.mqtts too");
    });
});

describe("choosePorts", () => {
    it("finds different free ports", async () => {
        const ports = await choosePorts("127.0.0.1", { mqtts: 0, links: 0, api: 0, mqtt: 0 });
        expect(new Set(Object.values(ports)).size).toBe(4);
        // Below what systems give to outgoing connections, or a restart could find its port taken by one.
        expect(Object.values(ports).every((port) => port >= 20_000 && port < 32_768)).toBe(true);
    });

    it("gives sites that start one after another different ports, whether or not these are in use yet", async () => {
        const chosen: number[] = [];
        for (let site = 0; site < 100; site++) {
            chosen.push(...Object.values(await choosePorts("127.0.0.1", { mqtts: 0, links: 0, api: 0 })));
        }
        expect(new Set(chosen).size).toBe(300);
    });

    it("leaves a listener off that was not wished", async () => {
        expect(await choosePorts("127.0.0.1", { mqtts: 0, links: 0, api: 0 })).not.toHaveProperty("mqtt");
    });

    it("names the port that is taken", async () => {
        const server = createServer();
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        const address = server.address();
        const taken = typeof address === "object" && address !== null ? address.port : 0;
        await expect(choosePorts("127.0.0.1", { mqtts: 0, links: taken, api: 0 })).rejects.toThrow(
            `ports.links: 127.0.0.1:${taken} is in use`,
        );
        await new Promise((done) => server.close(done));
    });
});
