import { expect, test } from "vitest";
import { GroupCommit, type Operation } from "./groupCommit.js";

const put = (key: string): Operation => ({ type: "put", key, value: Buffer.alloc(0) });

test("gathers what comes while a batch is under way and resumes in order", async () => {
    const batches: string[][] = [];
    const commits = new GroupCommit(async (operations) => {
        batches.push(operations.map(({ key }) => key));
        await new Promise((resolve) => setTimeout(resolve, 5));
    });
    const order: string[] = [];
    commits.whenWritten(() => order.push("nothing to wait for"));
    commits.add(put("1"));
    commits.add(put("2"));
    commits.whenWritten(() => order.push("first"));
    await new Promise((resolve) => setTimeout(resolve, 1));
    commits.whenWritten(() => order.push("joined"));
    commits.add(put("3"));
    commits.whenWritten(() => order.push("second"));
    await commits.idle();
    expect(batches).toEqual([["1", "2"], ["3"]]);
    expect(order).toEqual(["nothing to wait for", "first", "joined", "second"]);
});

test("a refused batch is told, and the next one counts anew", async () => {
    let full = true;
    const told: string[] = [];
    const commits = new GroupCommit(async () => {
        if (full) {
            throw new Error("no space");
        }
    });
    commits.onFailure = (error) => told.push(error.message);
    commits.add(put("1"));
    await expect(commits.written()).rejects.toThrow("no space");
    full = false;
    commits.add(put("2"));
    await commits.written();
    expect(told).toEqual(["no space"]);
});
