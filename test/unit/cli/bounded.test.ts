import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bounded } from "../../../src/cli/bounded.js";

describe("bounded work", () => {
    it("keeps the order, does each once, and never more at once than allowed", async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.array(fc.nat({ max: 3 }), { maxLength: 30 }),
                fc.integer({ min: 1, max: 8 }),
                async (turns, atOnce) => {
                    let running = 0;
                    let most = 0;
                    const done = await bounded([...turns.entries()], atOnce, async ([index, wait]) => {
                        running += 1;
                        most = Math.max(most, running);
                        for (let turn = 0; turn < wait; turn += 1) {
                            await Promise.resolve();
                        }
                        running -= 1;
                        return index;
                    });
                    expect(done).toEqual([...turns.keys()]);
                    expect(most).toBeLessThanOrEqual(atOnce);
                    expect(turns.length === 0 ? most : Math.min(1, most)).toBe(turns.length === 0 ? 0 : 1);
                },
            ),
        );
    });

    it("fails when one fails", async () => {
        await expect(
            bounded([1, 2, 3], 2, async (item) => (item === 2 ? Promise.reject(new Error("two")) : item)),
        ).rejects.toThrow("two");
    });
});
