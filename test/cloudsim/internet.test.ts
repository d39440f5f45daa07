import { connect as connectTcp, createServer, type Server } from "node:net";
import { join } from "node:path";
import { SocksClient } from "socks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Account } from "./account.mts";
import { DirectCloud } from "./directCloud.js";
import { Internet, type Reached, SocksServer } from "./internet.mts";
import { WorldLog } from "./log.mts";
import { tinyCloud } from "./tinyCloud.js";

const deployer = "203.0.113.7";

describe("where a connection leads", () => {
    let cloud: DirectCloud;
    let ready: Set<string>;
    let internet: Internet;

    beforeEach(() => {
        cloud = new DirectCloud(tinyCloud);
        ready = new Set(["one", "two"]);
        const second = {
            ...tinyCloud,
            name: "gcp" as const,
            lookup: () => [],
            route: () => ({ refused: "of the second cloud" }),
        };
        internet = new Internet({
            account: new Account(join(cloud.folder, "both.json"), [tinyCloud, second]),
            log: new WorldLog(join(cloud.folder, "world.log")),
            doors: {
                isReady: (key) => ready.has(key),
                portOf: (key, port) => (key === "one" ? 1000 + port : 2000 + port),
            },
        });
    });
    afterEach(() => cloud.dispose());

    test("a name's addresses are tried in turn, and machines take turns", () => {
        const ports = [1, 2, 3, 4].map(() => internet.reach(deployer, "two.example.com", 8884));
        expect(new Set(ports.map((reached) => ("port" in reached ? reached.port : 0)))).toEqual(new Set([9884, 10_884]));
        ready.delete("one");
        expect(internet.reach(deployer, "192.0.2.2", 8884)).toEqual({ port: 10_884 });
    });

    test.each([
        ["a name of nobody", "no.example.com", 8884, { unknown: "nobody knows the name no.example.com" }],
        ["an address of the other cloud", "192.0.2.3", 8884, { refused: "of the second cloud" }],
        ["a filter", "192.0.2.1", 8884, { dropped: "no rule" }],
        ["another port", "192.0.2.2", 22, { refused: "no listener for 203.0.113.7 on 22" }],
    ] as const)("%s", (_what, host, port, reached) => {
        expect(internet.reach(deployer, host, port)).toEqual(reached);
    });

    test("another source", () => {
        expect(internet.reach("198.51.100.1", "192.0.2.2", 8884)).toEqual({ refused: "no listener for 198.51.100.1 on 8884" });
    });

    test("machines that are not there", () => {
        ready.clear();
        expect(internet.reach(deployer, "192.0.2.2", 8884)).toMatchObject({ refused: expect.stringContaining("no listener") });
    });
});

describe("the way in by SOCKS 5", () => {
    let way: Reached;
    let asked: string;
    let socks: SocksServer;
    let echo: Server;

    beforeEach(async () => {
        socks = new SocksServer((host, port) => {
            asked = `${host}:${port}`;
            return way;
        });
        echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
        await Promise.all([socks.start(), new Promise<void>((done) => echo.listen(0, "127.0.0.1", done))]);
        const address = echo.address();
        way = { port: typeof address === "object" && address !== null ? address.port : 0 };
    });
    afterEach(async () => {
        await socks.stop();
        await new Promise((done) => echo.close(done));
    });

    const dial = (host: string) =>
        SocksClient.createConnection({
            command: "connect",
            destination: { host, port: 8884 },
            proxy: { host: "127.0.0.1", port: socks.port, type: 5 },
            timeout: 5_000,
        });

    test.each(["door.example.com", "192.0.2.2"])("%s is asked for as it is, and bytes go both ways", async (host) => {
        const { socket } = await dial(host);
        expect(asked).toBe(`${host}:8884`);
        const text = "x".repeat(200_000);
        let got = "";
        socket.setEncoding("utf8").on("data", (part) => {
            got += part;
        });
        const ended = new Promise((done) => socket.once("end", done));
        socket.end(text);
        await ended;
        expect(got).toBe(text);
    });

    test.each([
        [{ unknown: "" }, "HostUnreachable"],
        [{ refused: "" }, "ConnectionRefused"],
        [{ dropped: "" }, "TTLExpired"],
        [{ port: 1 }, "ConnectionRefused"],
    ] as const)("%j is told as %s", async (reached, answer) => {
        way = reached;
        await expect(dial("door.example.com")).rejects.toThrow(answer);
    });

    test("cutting ends what is open; new connections come through", async () => {
        const { socket } = await dial("door.example.com");
        const closed = new Promise((done) => socket.once("close", done));
        socket.on("error", () => {});
        socket.resume();
        socks.cut();
        await closed;
        (await dial("door.example.com")).socket.destroy();
    });

    test.each([
        ["another protocol", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
        ["another command", Buffer.from([5, 1, 0, 5, 2, 0, 1, 127, 0, 0, 1, 0, 1])],
        ["IPv6", Buffer.from([5, 1, 0, 5, 1, 0, 4, ...new Array<number>(16).fill(0), 0, 1])],
    ])("%s is closed without a connection", async (_what, bytes) => {
        asked = "";
        const socket = connectTcp(socks.port, "127.0.0.1");
        const closed = new Promise((done) => socket.once("close", done));
        socket.on("error", () => {});
        socket.resume();
        socket.write(bytes);
        await closed;
        expect(asked).toBe("");
    });
});
