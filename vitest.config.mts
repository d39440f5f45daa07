import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** Long tests of cloud sites: `npm run test:clouds`. The examples with cloud sites are among the end-to-end tests. */
const clouds = [
    "awsNodes",
    "awsSites",
    "awsVpnChanges",
    "azureSite",
    "cloudExamples",
    "cloudPeerings",
    "cloudVpn",
    "gcpSite",
    "gcpVpnChanges",
    "nodeMembership",
    "packedClouds",
    "runningCluster",
].map((name) => `test/e2e/${name}.test.ts`);

export default defineConfig({
    resolve: {
        // The package's own entries point at the sources in unit tests; only the packed-package tests see dist/.
        alias: {
            "linkspan/provider": source("provider.ts"),
            "linkspan/aws": source("aws/index.ts"),
            "linkspan/gcp": source("gcp/index.ts"),
            "linkspan/azure": source("azure/index.ts"),
            "linkspan/local": source("local/index.ts"),
            "linkspan/external": source("external/index.ts"),
            "linkspan/policy": source("policy/index.ts"),
        },
    },
    test: {
        // Vitest leaves one processor free, which on two halves the speed; these tests measure no time.
        maxWorkers: "100%",
        projects: [
            {
                extends: true,
                test: {
                    name: "unit",
                    include: ["src/**/*.test.ts", "test/unit/**/*.test.ts", "test/cloudsim/**/*.test.ts"],
                    // A graph of three clouds takes seconds, and many times that on a machine that is busy otherwise.
                    testTimeout: 90_000,
                    hookTimeout: 30_000,
                },
            },
            {
                extends: true,
                test: {
                    name: "e2e",
                    include: ["test/e2e/**/*.test.ts"],
                    exclude: clouds.filter((file) => !file.includes("cloudExamples")),
                    testTimeout: 300_000,
                    hookTimeout: 300_000,
                    fileParallelism: false,
                },
            },
            {
                extends: true,
                test: {
                    name: "clouds",
                    include: clouds,
                    env: { LINKSPAN_LONG_TESTS: "1" },
                    testTimeout: 300_000,
                    hookTimeout: 300_000,
                    fileParallelism: false,
                },
            },
            {
                extends: true,
                test: {
                    name: "faults",
                    include: ["test/faults/**/*.test.ts"],
                    testTimeout: 300_000,
                    hookTimeout: 300_000,
                    fileParallelism: false,
                },
            },
        ],
    },
});
