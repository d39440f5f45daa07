/** What a probe message says of itself. */
export interface ProbeHeader {
    /** The run: messages of other runs, and anything else on the topic, are not counted. */
    readonly runId: string;
    /** The direction's publishing site. */
    readonly from: string;
    /** `canary` until something arrives, then `numbered`. Only numbered messages are counted. */
    readonly phase: "canary" | "numbered";
    /** Index of the test topic in its direction. */
    readonly topic: number;
    /** 0, 1, 2 … in the order of publishing, over all topics of the direction. */
    readonly sequence: number;
    /** The prober's own monotonic clock at publishing, milliseconds. Both ends are the same process, so no clock is compared with another. */
    readonly sentMs: number;
}

const mark = "linkspan-probe/1";
const longestHeader = 256;

/** The payload of a message: one line of header, then padding up to `bytes`. Longer than `bytes` where the header alone is. */
export function encodeMessage(header: ProbeHeader, bytes: number): Buffer {
    const { runId, from, phase, topic, sequence, sentMs } = header;
    const line = `${mark} ${runId} ${from} ${phase === "canary" ? "c" : "n"} ${topic} ${sequence} ${sentMs.toFixed(3)}\n`;
    const size = Math.max(bytes, Buffer.byteLength(line));
    const payload = Buffer.alloc(size, ".");
    payload.write(line, 0);
    return payload;
}

/** Reads a payload; `undefined` where it is not a probe message. */
export function decodeMessage(payload: Uint8Array): ProbeHeader | undefined {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.byteLength, longestHeader));
    const end = bytes.indexOf(10);
    if (end < 0) {
        return undefined;
    }
    const [found, runId, from, phase, topic, sequence, sentMs, ...more] = bytes.toString("utf8", 0, end).split(" ");
    if (found !== mark || runId === undefined || from === undefined || more.length > 0 || (phase !== "c" && phase !== "n")) {
        return undefined;
    }
    const header = { topic: Number(topic), sequence: Number(sequence), sentMs: Number(sentMs) };
    if (!Number.isSafeInteger(header.topic) || !Number.isSafeInteger(header.sequence) || !Number.isFinite(header.sentMs)) {
        return undefined;
    }
    return { runId, from, phase: phase === "c" ? "canary" : "numbered", ...header };
}
