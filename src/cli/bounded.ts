/**
 * Maps all items with at most `atOnce` of them under way, and keeps their order. A mesh of 20 sites has 190 pairs: asked all at once,
 * this machine and the APIs would be what is measured.
 */
export async function bounded<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
    const results: R[] = new Array(items.length);
    const waiting = items.entries();
    const worker = async () => {
        for (const [index, item] of waiting) {
            results[index] = await work(item);
        }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
    return results;
}
