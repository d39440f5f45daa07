import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, quote } from "../errors.js";

/** The ports of a local site on its address. `0` in the wish means: any free one. */
export interface LocalPorts {
    /** MQTT over TLS, for devices (EMQX's 8883). */
    readonly mqtts: number;
    /** MQTT over mutual TLS, for peers' links (Linkspan's 8884). */
    readonly links: number;
    /** HTTPS REST API (EMQX's 18084). */
    readonly api: number;
    /** Plain MQTT (EMQX's 1883); `undefined`: the listener is off. */
    readonly mqtt?: number | undefined;
}

/** Checks wished ports: 0 or 1024 to 65535, no two the same. */
export function checkPorts(ports: Partial<LocalPorts>, argument = "ports"): void {
    const seen = new Map<number, string>();
    for (const [name, port] of Object.entries(ports)) {
        if (port === undefined || port === 0) {
            continue;
        }
        if (!Number.isInteger(port) || port < 1024 || port > 65535) {
            throw new InputError(
                `${argument}.${name}`,
                `${quote(port)} is no port for a local site; set 1024 to 65535, or 0 for any free one`,
            );
        }
        const other = seen.get(port);
        if (other !== undefined) {
            throw new InputError(`${argument}.${name}`, `${port} is ${argument}.${other} too; every listener needs its own port`);
        }
        seen.set(port, name);
    }
}

/**
 * Where free ports are looked for: below the ports that systems hand out to outgoing connections (from 32768 on Linux, 49152
 * elsewhere), so that a restarted broker finds its port as it left it.
 */
const pool = { from: 20_000, to: 32_000 } as const;
const tries = 50;

/** Given out by this process: sites that start at the same time must not get the same one before their brokers have taken it. */
const givenOut = new Set<number>();

/**
 * Fills the zeros of a wish with free ports. All are held open at once while choosing, so that they differ from one another.
 *
 * @throws InputError when a given port is taken, naming it
 */
export async function choosePorts(host: string, wish: LocalPorts): Promise<LocalPorts> {
    const held: { close(): Promise<void> }[] = [];
    const takeFree = async (): Promise<number> => {
        for (let attempt = 0; attempt < tries; attempt++) {
            const port = randomInt(pool.from, pool.to);
            const free = givenOut.has(port) ? undefined : await hold(host, port).catch(() => undefined);
            if (free !== undefined) {
                givenOut.add(port);
                held.push(free);
                return free.port;
            }
        }
        const any = await hold(host, 0);
        held.push(any);
        return any.port;
    };
    const take = async (name: string, port: number): Promise<number> => {
        if (port === 0) {
            return takeFree();
        }
        const { port: chosen, close } = await holdSoon(host, port).catch(() => {
            throw new InputError(`ports.${name}`, `${host}:${port} is in use; set another port, or 0 for any free one`);
        });
        held.push({ close });
        return chosen;
    };
    try {
        return {
            mqtts: await take("mqtts", wish.mqtts),
            links: await take("links", wish.links),
            api: await take("api", wish.api),
            ...(wish.mqtt === undefined ? {} : { mqtt: await take("mqtt", wish.mqtt) }),
        };
    } finally {
        await Promise.all(held.map((each) => each.close()));
    }
}

/** How long a given port may still be held by a process that has just been killed: its threads end one after the other. */
const releaseMs = 2_000;

async function holdSoon(host: string, port: number): ReturnType<typeof hold> {
    const deadline = Date.now() + releaseMs;
    for (;;) {
        try {
            return await hold(host, port);
        } catch (error) {
            if (Date.now() >= deadline) {
                throw error;
            }
            await sleep(50);
        }
    }
}

function hold(host: string, port: number): Promise<{ port: number; close(): Promise<void> }> {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.once("error", reject);
        server.listen({ host, port, exclusive: true }, () => {
            const address = server.address();
            resolve({
                port: typeof address === "object" && address !== null ? address.port : port,
                close: () => new Promise((done) => server.close(() => done())),
            });
        });
    });
}
