import { chmodSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { messageOf } from "../../../errors.js";
import type { Answer, Request } from "./protocol.js";

/** Longest question. */
const mostBytes = 1 << 20;

/** Answers questions on a unix socket that only its owner may open. The path is relative to the working folder: paths of sockets are short. */
export function serve(path: string, answer: (request: Request) => Promise<unknown>): Promise<void> {
    rmSync(path, { force: true });
    const server = createServer((socket) => read(socket, answer));
    return new Promise((resolve, reject) => {
        server.once("error", reject);
        const mask = process.umask(0o177);
        server.listen(path, () => {
            process.umask(mask);
            chmodSync(path, 0o600);
            resolve();
        });
    });
}

function read(socket: Socket, answer: (request: Request) => Promise<unknown>): void {
    let text = "";
    socket.on("error", () => {});
    socket.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        if (text.length > mostBytes) {
            socket.destroy();
        }
        for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
            const line = text.slice(0, end);
            text = text.slice(end + 1);
            void reply(socket, line, answer);
        }
    });
}

async function reply(socket: Socket, line: string, answer: (request: Request) => Promise<unknown>): Promise<void> {
    let said: Answer;
    try {
        said = { ok: true, result: await answer(JSON.parse(line) as Request) };
    } catch (error) {
        said = { ok: false, error: messageOf(error) };
    }
    socket.write(`${JSON.stringify(said)}\n`);
}
