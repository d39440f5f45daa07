/** A publish as it moves inside the broker. The field names are those of aedes' packets. */
export interface Message {
    cmd: "publish";
    topic: string;
    payload: Buffer;
    qos: 0 | 1 | 2;
    retain: boolean;
    dup: boolean;
    /** Who published: a client id, or {@link linkOrigin} of the link it came by. */
    clientId?: string;
    /** With `brokerCounter` the identity of a message in this broker, also across restarts. */
    brokerId: string | null;
    brokerCounter: number;
    messageId?: number | undefined;
}

/** Topics below this belong to the links. */
export const linkTopicRoot = "$LINK/";

/** The publisher named in a message that came by a link. Devices cannot take such a client id. */
export function linkOrigin(link: string): string {
    return `${linkTopicRoot}${link}`;
}

/** A payload on its own: one that is a slice of what a socket read would hold all of it in memory for as long as it waits somewhere. */
export function compact(payload: Buffer | string | undefined): Buffer {
    if (!Buffer.isBuffer(payload)) {
        return Buffer.from(payload ?? "");
    }
    return payload.buffer.byteLength > 2 * payload.length + 1024 ? Buffer.from(payload) : payload;
}
