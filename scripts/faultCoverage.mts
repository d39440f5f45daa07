/**
 * Which test files hold which fault case. A file may stand under several; a case under several files. Those below test/faults are run by
 * `npm run test:faults` as a whole, of the others below src and test/unit it runs the tests that name a fault, and those below test/e2e
 * belong to `npm test` alone.
 */
export const faultCoverage: Readonly<Record<string, readonly string[]>> = {
    F1: ["test/unit/broker/delivery.test.ts"],
    F2: ["test/unit/broker/delivery.test.ts"],
    F3: ["test/unit/broker/delivery.test.ts"],
    F4: ["test/faults/meshVerify.test.ts", "test/faults/meshUp.test.ts"],
    F5: ["test/faults/brokerPaths.test.ts", "test/faults/brokerProcesses.test.ts"],
    F6: ["test/faults/brokerPaths.test.ts", "test/faults/brokerProcesses.test.ts", "test/faults/meshVerify.test.ts"],
    F7: ["test/faults/brokerProcesses.test.ts"],
    F8: ["test/faults/brokerPaths.test.ts", "test/faults/meshVerify.test.ts"],
    F9: ["test/faults/brokerPaths.test.ts"],
    F12: ["test/faults/brokerProcesses.test.ts", "test/faults/meshUp.test.ts"],
    F13: ["test/faults/brokerProcesses.test.ts", "test/faults/meshVerify.test.ts"],
    F14: ["test/faults/brokerProcesses.test.ts"],
    F15: ["test/faults/brokerProcesses.test.ts", "test/faults/meshUp.test.ts"],
    F16: ["test/faults/brokerPaths.test.ts"],
    F18: ["test/faults/meshVerify.test.ts", "test/faults/meshUp.test.ts"],
    F19: ["test/unit/broker/linkIdentity.test.ts", "src/emqx/linkedBrokers.test.ts", "test/faults/meshVerify.test.ts"],
    F20: ["test/unit/broker/linkIdentity.test.ts", "src/emqx/linkedBrokers.test.ts", "test/faults/meshVerify.test.ts"],
    F33: [
        "src/emqx/call.test.ts",
        "src/emqx/transport.test.ts",
        "src/link/linkCreate.test.ts",
        "test/faults/meshReconcile.test.ts",
    ],
    F34: ["src/link/linkCreate.test.ts", "test/faults/meshReconcile.test.ts"],
    F35: ["src/link/linkReadDelete.test.ts", "test/faults/meshExisting.test.ts"],
    F36: ["src/link/linkReadDelete.test.ts", "test/faults/meshExisting.test.ts"],
    F37: ["src/link/linkReadDelete.test.ts", "test/faults/meshExisting.test.ts"],
    F38: ["src/link/linkCreate.test.ts", "src/link/linkReadDelete.test.ts", "test/faults/meshReconcile.test.ts"],
    F39: ["test/faults/meshExisting.test.ts", "test/faults/meshReconcile.test.ts"],
    F40: ["src/link/linkCreate.test.ts", "src/link/preflightProvider.test.ts", "test/faults/meshReconcile.test.ts"],
    F41: ["src/link/preflightProvider.test.ts", "test/faults/meshReconcile.test.ts"],
    F42: ["test/unit/broker/linkChanges.test.ts", "test/faults/meshUp.test.ts"],
    F43: ["test/unit/broker/linkChanges.test.ts", "src/emqx/linkedBrokers.test.ts", "test/faults/meshVerify.test.ts"],
    F44: ["test/unit/broker/linkChanges.test.ts", "test/faults/meshVerify.test.ts", "test/faults/meshUp.test.ts"],
    F45: ["test/unit/broker/delivery.test.ts"],
    F46: ["test/faults/brokerPaths.test.ts"],
    F47: ["test/unit/broker/delivery.test.ts"],
    F49: ["test/faults/meshExisting.test.ts", "test/e2e/packed.test.ts"],
    F50: ["src/link/linkReadDelete.test.ts", "test/faults/meshExisting.test.ts"],
};

/** Unit test files of which `npm run test:faults` runs the tests that name a fault, so that their counts stand in the same table. Each of these tests must stand on its own. */
export function unitFiles(): string[] {
    const files = Object.values(faultCoverage).flat();
    return [...new Set(files)].filter((file) => !/^test\/(faults|e2e)\//.test(file)).sort();
}
