import { isIPv4, type Socket } from "node:net";

/** Where a connection comes from, as its first line says. */
export interface Origin {
    readonly address: string;
    readonly port: number;
}

/** The longest header that version 1 of the protocol has. */
const longest = 107;
const headerMs = 5_000;
const form = /^PROXY TCP4 (\S+) \S+ (\d{1,5}) \d{1,5}\r\n$/;

/**
 * Reads the line with which a load balancer or proxy says for whom it connects (PROXY protocol, version 1). What follows it stays in the
 * socket. `undefined`: it is none, it ended or it did not come in time.
 */
export async function readProxyHeader(socket: Socket): Promise<Origin | undefined> {
    let read = Buffer.alloc(0);
    const late = setTimeout(() => socket.destroy(), headerMs);
    try {
        for (;;) {
            const part: Buffer | null = socket.read();
            if (part !== null) {
                read = Buffer.concat([read, part]);
                const end = read.indexOf("\r\n");
                if (end >= 0 && end + 2 <= longest) {
                    socket.unshift(read.subarray(end + 2));
                    return originOf(read.subarray(0, end + 2).toString("latin1"));
                }
                if (end >= 0 || read.length > longest) {
                    return undefined;
                }
            } else if (socket.destroyed || socket.readableEnded) {
                return undefined;
            } else {
                await more(socket);
            }
        }
    } finally {
        clearTimeout(late);
    }
}

function originOf(line: string): Origin | undefined {
    const [, address = "", port = ""] = form.exec(line) ?? [];
    return isIPv4(address) && Number(port) <= 65_535 ? { address, port: Number(port) } : undefined;
}

function more(socket: Socket): Promise<void> {
    return new Promise((done) => {
        const go = () => {
            for (const event of events) {
                socket.off(event, go);
            }
            done();
        };
        for (const event of events) {
            socket.on(event, go);
        }
    });
}

const events = ["readable", "end", "close"] as const;
