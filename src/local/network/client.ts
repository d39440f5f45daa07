import { closeSync, constants, openSync } from "node:fs";
import { connect } from "node:net";
import type { Answer, Request } from "./holder/protocol.js";

/** How long an answer may take: starting six IPsec daemons on a busy machine takes its time. */
const answerMs = 60_000;

/** Nobody answers: the holder has ended, or was never there. */
export class HolderGone extends Error {
    constructor(folder: string) {
        super(`the local network of ${folder} does not run; the next up starts it again`);
        this.name = "HolderGone";
    }
}

/**
 * Asks the holder of a mesh's network.
 *
 * @param folder the network's folder, absolute
 * @throws HolderGone where nobody answers, Error with the holder's words where it refuses
 */
export async function ask<T = void>(folder: string, request: Request): Promise<T> {
    let directory: number;
    try {
        directory = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch {
        throw new HolderGone(folder);
    }
    try {
        // Through the folder's handle: the path of a socket may have 107 characters, that of a folder any number.
        const text = await exchange(`/proc/self/fd/${directory}/control.sock`, `${JSON.stringify(request)}\n`);
        if (text === undefined) {
            throw new HolderGone(folder);
        }
        const answer = JSON.parse(text) as Answer;
        if (!answer.ok) {
            throw new Error(answer.error);
        }
        return answer.result as T;
    } finally {
        closeSync(directory);
    }
}

function exchange(path: string, question: string): Promise<string | undefined> {
    return new Promise((resolve) => {
        let text = "";
        const socket = connect(path);
        socket.setTimeout(answerMs, () => socket.destroy());
        socket.setEncoding("utf8").on("data", (part: string) => {
            text += part;
            if (text.endsWith("\n")) {
                socket.destroy();
            }
        });
        socket.on("error", () => {});
        socket.on("close", () => resolve(text.endsWith("\n") ? text : undefined));
        socket.write(question);
    });
}
