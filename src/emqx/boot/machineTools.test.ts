import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { bootInput } from "../../../test/support/bootFixture.js";
import { readUserData, renderUserData } from "./userData.js";

// What the tools of a Debian or Ubuntu machine say of the rendered files. A tool that is missing here skips its test, and says so.

const userData = renderUserData(bootInput());
const { files } = readUserData(userData);
let folder: string;

beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "linkspan-tools-"));
    writeFileSync(join(folder, "user-data.yaml"), userData);
    for (const { path, content } of Object.values(files)) {
        mkdirSync(join(folder, path, ".."), { recursive: true });
        writeFileSync(join(folder, path), content);
    }
});

afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
});

function run(command: string, args: readonly string[], environment: Record<string, string> = {}) {
    const { status, stdout, stderr } = spawnSync(command, args, {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, ...environment },
    });
    return { status, output: `${stdout}${stderr}` };
}

function needs(context: TestContext, command: string, debianPackage: string): void {
    const missing = spawnSync("bash", ["-c", `command -v ${command}`]).status !== 0;
    const reason = `${command} is not installed: apt-get install -y ${debianPackage}`;
    if (missing) {
        console.warn(`skipped: ${context.task.name}: ${reason}`);
    }
    context.skip(missing, reason);
}

describe("the rendered files", () => {
    it("are user data in cloud-init's eyes", (context) => {
        needs(context, "cloud-init", "cloud-init");
        expect(run("cloud-init", ["schema", "--config-file", "user-data.yaml"])).toEqual({
            status: 0,
            output: expect.stringMatching(/^Valid (cloud-config|schema)/),
        });
    });

    it("are no user data in cloud-init's eyes with a file of the wrong form", (context) => {
        needs(context, "cloud-init", "cloud-init");
        writeFileSync(join(folder, "wrong.yaml"), userData.replace('"permissions":"0755"', '"permissions":755'));
        expect(run("cloud-init", ["schema", "--config-file", "wrong.yaml"]).status).not.toBe(0);
    });

    it("are clean in shellcheck's eyes", (context) => {
        needs(context, "shellcheck", "shellcheck");
        expect(run("shellcheck", ["--severity=style", join(folder, "usr/local/sbin/linkspan-boot")])).toEqual({
            status: 0,
            output: "",
        });
        const wrong = join(folder, "wrong.sh");
        writeFileSync(wrong, "#!/bin/bash\nrm $1\n");
        expect(run("shellcheck", ["--severity=style", wrong]).status).toBe(1);
    });

    it("are a script in bash's eyes", () => {
        expect(run("bash", ["-n", join(folder, "usr/local/sbin/linkspan-boot")])).toEqual({ status: 0, output: "" });
    });

    it("are units in systemd's eyes", (context) => {
        needs(context, "systemd-analyze", "systemd");
        const units = join(folder, "etc/systemd/system");
        // What the units call and extend, and this machine need not have.
        writeFileSync(join(units, "emqx.service"), "[Service]\nExecStart=/bin/true\n");
        for (const name of ["linkspan-boot.service", "linkspan-refresh.service"]) {
            const unit = files[`/etc/systemd/system/${name}`]?.content ?? "";
            writeFileSync(join(units, name), unit.replace("/usr/local/sbin/linkspan-boot", "/bin/true"));
        }
        const names = ["linkspan-boot.service", "linkspan-refresh.service", "linkspan-refresh.timer", "emqx.service"];
        const verify = () =>
            run("systemd-analyze", ["verify", ...names.map((name) => join(units, name))], { SYSTEMD_UNIT_PATH: `${units}:` });
        const said = verify();
        expect(said.output.split("\n").filter((line) => /linkspan|emqx/.test(line))).toEqual([]);
        expect(said.status).toBe(0);
    });

    it("are a packet filter in nft's eyes", (context) => {
        needs(context, "nft", "nftables");
        const check = (path: string) => run("nft", ["--check", "--file", path]);
        const said = check("etc/linkspan/filter.nft");
        context.skip(/not permitted|Protocol not supported/.test(said.output), "nft may not ask the kernel here");
        expect(said).toEqual({ status: 0, output: "" });
    });
});
