/** A message on its way through a link. */
export interface LinkMessage {
    /** Rises within a lane; gaps are allowed, repeats mark duplicates. */
    readonly seq: number;
    readonly topic: string;
    readonly payload: Buffer;
    readonly qos: 0 | 1 | 2;
}

/** Some messages of one lane, in order. */
export interface LinkBatch {
    /** Names the sending lane for its whole life: the receiver drops what it has had from it. */
    readonly lane: string;
    readonly messages: readonly LinkMessage[];
}

const version = 1;
const perMessage = 6 + 1 + 2 + 4;

/** Bytes that a message takes in a batch, apart from the batch's own head. */
export function frameBytes(message: Pick<LinkMessage, "topic" | "payload">): number {
    return perMessage + Buffer.byteLength(message.topic) + message.payload.length;
}

/** Writes a batch: version, lane, then per message sequence, QoS, topic and payload with their lengths. */
export function encodeBatch(batch: LinkBatch): Buffer {
    const lane = Buffer.from(batch.lane);
    const size = batch.messages.reduce((sum, message) => sum + frameBytes(message), 2 + lane.length);
    const frame = Buffer.allocUnsafe(size);
    let at = frame.writeUInt8(version, 0);
    at = frame.writeUInt8(lane.length, at);
    at += lane.copy(frame, at);
    for (const { seq, qos, topic, payload } of batch.messages) {
        at = frame.writeUIntBE(seq, at, 6);
        at = frame.writeUInt8(qos, at);
        const bytes = frame.write(topic, at + 2);
        frame.writeUInt16BE(bytes, at);
        at = frame.writeUInt32BE(payload.length, at + 2 + bytes);
        at += payload.copy(frame, at);
    }
    return frame;
}

/** Reads a batch; undefined when the bytes are not one. Payloads are copied, so that a small one does not hold a large frame. */
export function decodeBatch(frame: Buffer): LinkBatch | undefined {
    try {
        if (frame.readUInt8(0) !== version) {
            return undefined;
        }
        let at = 2 + frame.readUInt8(1);
        if (at > frame.length) {
            return undefined;
        }
        const lane = frame.toString("latin1", 2, at);
        const messages: LinkMessage[] = [];
        while (at < frame.length) {
            const seq = frame.readUIntBE(at, 6);
            const qos = frame.readUInt8(at + 6);
            const topicEnd = at + 9 + frame.readUInt16BE(at + 7);
            const payloadStart = topicEnd + 4;
            const payloadEnd = payloadStart + frame.readUInt32BE(topicEnd);
            if (qos > 2 || payloadEnd > frame.length) {
                return undefined;
            }
            const topic = frame.toString("utf8", at + 9, topicEnd);
            if (topic === "" || /[+#]/.test(topic) || topic.includes("\u0000") || topic.split("/").length > 100) {
                return undefined;
            }
            messages.push({ seq, qos: qos as 0 | 1 | 2, topic, payload: Buffer.from(frame.subarray(payloadStart, payloadEnd)) });
            at = payloadEnd;
        }
        return { lane, messages };
    } catch {
        return undefined;
    }
}
