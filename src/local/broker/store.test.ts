import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Message } from "./message.js";
import { Store } from "./store.js";

let folder: string;
let store: Store;
let counter = 0;

const message = (topic: string, payload: string, qos: 0 | 1 | 2 = 1): Message => ({
    cmd: "publish",
    topic,
    payload: Buffer.from(payload),
    qos,
    retain: false,
    dup: false,
    brokerId: "b",
    brokerCounter: ++counter,
});

const client = { id: "kept:1/ü", clean: false };

async function reopen(): Promise<void> {
    await store.destroy();
    store = await Store.open(join(folder, "db"), 5);
}

async function replay(): Promise<{ payload: string; qos: number; dup: boolean; cmd: string }[]> {
    await store.subscriptionsByClient(client);
    const got: { payload: string; qos: number; dup: boolean; cmd: string }[] = [];
    let id = 0;
    for await (const packet of store.outgoingStream(client)) {
        got.push({ payload: packet.payload.toString(), qos: packet.qos, dup: packet.dup, cmd: packet.cmd });
        await store.outgoingUpdate(client, { ...packet, messageId: packet.messageId ?? ++id });
    }
    return got;
}

beforeEach(async () => {
    counter = 0;
    folder = mkdtempSync(join(tmpdir(), "linkspan-store-"));
    store = await Store.open(join(folder, "db"), 5);
});

afterEach(async () => {
    await store.destroy();
    rmSync(folder, { recursive: true, force: true });
});

describe("sessions", () => {
    test("get each message once, whatever subscriptions of theirs overlap, with the highest QoS asked for", async () => {
        await store.addSubscriptions(client, [
            { topic: "a/#", qos: 2 },
            { topic: "a/b", qos: 1 },
            { topic: "a/+", qos: 0 },
        ]);
        expect(store.enqueue(message("a/b", "1", 2))).toBe(true);
        expect(store.enqueue(message("c", "2", 2))).toBe(false);
        expect(await replay()).toEqual([{ payload: "1", qos: 2, dup: false, cmd: "publish" }]);
    });

    test("keep what remains when one of overlapping subscriptions goes", async () => {
        await store.addSubscriptions(client, [
            { topic: "a/#", qos: 1 },
            { topic: "a/b", qos: 1 },
        ]);
        await store.removeSubscriptions(client, ["a/#"]);
        expect(store.enqueue(message("a/b", "1"))).toBe(true);
        expect(store.enqueue(message("a/c", "2"))).toBe(false);
    });

    test("do not keep what the access list refused, nor queue for QoS 0", async () => {
        await store.addSubscriptions(client, [
            { topic: "secret", qos: 1, denied: true },
            { topic: "plain", qos: 0 },
        ]);
        expect(store.filters()).toEqual(["plain"]);
        expect(store.enqueue(message("secret", "1"))).toBe(false);
        expect(store.enqueue(message("plain", "1"))).toBe(false);
    });

    test("come back in order after a restart, with what was not acknowledged", async () => {
        await store.addSubscriptions(client, [{ topic: "a/#", qos: 1 }]);
        for (const payload of ["1", "2", "3"]) {
            store.enqueue(message("a/b", payload));
        }
        const sent = await replay();
        expect(sent.map(({ payload }) => payload)).toEqual(["1", "2", "3"]);
        expect(await store.outgoingClearMessageId(client, { messageId: 2 })).toMatchObject({ topic: "a/b" });
        expect(await store.outgoingClearMessageId(client, { messageId: 2 })).toBeUndefined();
        expect((await replay()).map(({ payload, dup }) => [payload, dup])).toEqual([
            ["1", true],
            ["3", true],
        ]);
        await reopen();
        expect(await store.subscriptionsByClient(client)).toEqual([{ topic: "a/#", qos: 1 }]);
        expect((await replay()).map(({ payload }) => payload)).toEqual(["1", "3"]);
        expect(store.sessionIds()).toEqual([client.id]);
    });

    test("remember that a QoS 2 message was received, also over a restart", async () => {
        await store.addSubscriptions(client, [{ topic: "a", qos: 2 }]);
        store.enqueue(message("a", "1", 2));
        await replay();
        await store.outgoingUpdate(client, { ...message("a", ""), brokerId: null, cmd: "pubrel", messageId: 1 });
        await reopen();
        expect(await replay()).toEqual([{ payload: "", qos: 2, dup: false, cmd: "pubrel" }]);
        await store.outgoingClearMessageId(client, { messageId: 1 });
        expect(store.waiting(client.id)).toBe(0);
    });

    test("take what comes during their replay behind what waits", async () => {
        await store.addSubscriptions(client, [{ topic: "a", qos: 1 }]);
        store.enqueue(message("a", "1"));
        await store.subscriptionsByClient(client);
        expect(store.isReplaying(client.id)).toBe(true);
        const got: string[] = [];
        for await (const packet of store.outgoingStream(client)) {
            got.push(packet.payload.toString());
            if (got.length < 3) {
                store.enqueue(message("a", String(got.length + 1)));
            }
            await store.outgoingUpdate(client, { ...packet, messageId: got.length });
        }
        expect(got).toEqual(["1", "2", "3"]);
        expect(store.isReplaying(client.id)).toBe(false);
    });

    test("drop the oldest beyond their bound and count it", async () => {
        await store.addSubscriptions(client, [{ topic: "a", qos: 1 }]);
        for (let index = 1; index <= 8; index++) {
            store.enqueue(message("a", String(index)));
        }
        expect(store.droppedFull).toBe(3);
        expect((await replay()).map(({ payload }) => payload)).toEqual(["4", "5", "6", "7", "8"]);
    });

    test("end without a trace when the client comes clean", async () => {
        await store.addSubscriptions(client, [{ topic: "a", qos: 1 }]);
        store.enqueue(message("a", "1"));
        await store.cleanSubscriptions(client);
        await reopen();
        expect(store.sessionIds()).toEqual([]);
        expect(store.filters()).toEqual([]);
        expect(store.enqueue(message("a", "2"))).toBe(false);
    });
});

test("retained messages are kept, found by filter, replaced and cleared", async () => {
    const retained = (topic: string, payload: string) => store.storeRetained({ ...message(topic, payload), retain: true });
    await retained("a/b", "1");
    await retained("a/b", "2");
    await retained("$x/y", "3");
    await retained("gone", "4");
    await retained("gone", "");
    await reopen();
    const found = async (...filters: string[]) => {
        const payloads: string[] = [];
        for await (const one of store.createRetainedStreamCombi(filters)) {
            payloads.push(one.payload.toString());
        }
        return payloads;
    };
    expect(await found("#")).toEqual(["2"]);
    expect(await found("a/b", "a/#")).toEqual(["2"]);
    expect(await found("$x/+")).toEqual(["3"]);
    expect(await found("$share/g/#")).toEqual([]);
});

test("wills of a killed broker are handed out once", async () => {
    await store.putWill({ id: "w" }, { ...message("will", "gone"), brokerId: null });
    await reopen();
    expect(store.takeWills().map(({ topic }) => topic)).toEqual(["will"]);
    expect(store.takeWills()).toEqual([]);
});

test("waiters resume in the order in which they came, with and without own writes", async () => {
    const order: number[] = [];
    await store.addSubscriptions(client, [{ topic: "a", qos: 1 }]);
    for (let index = 0; index < 200; index++) {
        if (index % 3 === 0) {
            store.enqueue(message("a", String(index)));
        }
        store.whenWritten(() => order.push(index));
        if (index % 50 === 0) {
            await new Promise((resolve) => setImmediate(resolve));
        }
    }
    await new Promise<void>((resolve) => store.whenWritten(resolve));
    expect(order).toEqual(Array.from({ length: 200 }, (_, index) => index));
});

test("a folder that another broker uses is refused with what to do", async () => {
    await expect(Store.open(join(folder, "db"), 5)).rejects.toThrow(/cannot open the message store at .*Stop the other broker/);
});
