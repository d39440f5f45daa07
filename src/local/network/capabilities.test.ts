import { describe, expect, it } from "vitest";
import { meaningOf, whatIsMissing } from "./capabilities.js";

describe("what a machine lacks", () => {
    it.each([
        [26, "", "apt-get install bird2"],
        [30, "", "apt-get install libcharon-extra-plugins libstrongswan-standard-plugins"],
        [27, "open: Permission denied", "chmod 0666 /dev/net/tun"],
        [127, "spawn unshare ENOENT", "apt-get install util-linux"],
        [1, "unshare: unshare failed: No space left on device", "user.max_user_namespaces"],
        [1, "unshare: unshare failed: Operation not permitted", "kernel.apparmor_restrict_unprivileged_userns=0"],
        [128, "ended by SIGKILL", "namespaces cannot be made (ended by SIGKILL)"],
    ])("exit code %s (%s) names what mends it, in one line", (code, said, mends) => {
        expect(meaningOf(code, said)).toContain(mends);
        expect(meaningOf(code, said)).not.toContain("\n");
    });

    it("is tried in an environment without the commands, and the first one that is missing is named", async () => {
        const path = process.env.PATH;
        process.env.PATH = "/nonexistent";
        try {
            expect(await whatIsMissing("network")).toMatch(process.platform === "linux" ? /unshare is missing/ : /needs Linux/);
        } finally {
            process.env.PATH = path;
        }
    });
});
