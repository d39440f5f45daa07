import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "../../scripts/project.mts";

const load = createRequire(join(root, "package.json"));

/** The product's own readers of boot data, from the built package: sources in CommonJS cannot be run as they are. */
export const built = {
    userData: () => load("./dist/emqx/boot/userData.js") as typeof import("../../src/emqx/boot/userData.js"),
    bootItems: () => load("./dist/emqx/boot/bootItems.js") as typeof import("../../src/emqx/boot/bootItems.js"),
    aclFile: () => load("./dist/emqx/aclFile.js") as typeof import("../../src/emqx/aclFile.js"),
    issue: () => load("./dist/identity/issue.js") as typeof import("../../src/identity/issue.js"),
    /** Entry of the local broker's process. */
    broker: join(root, "dist", "local", "broker", "main.js"),
};
