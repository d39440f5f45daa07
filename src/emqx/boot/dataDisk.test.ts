import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { bootInput, bootItems, newMachine } from "../../../test/support/bootFixture.js";
import type { BootMachine } from "../../../test/support/bootMachine.js";

const [byId = "", second = ""] = bootInput().dataDisk.hints;
let items: Awaited<ReturnType<typeof bootItems>>;
const machines: BootMachine[] = [];

beforeAll(async () => {
    items = await bootItems();
});

afterEach(() => {
    for (const machine of machines.splice(0)) {
        machine.remove();
    }
});

function made(): BootMachine {
    const machine = newMachine(items);
    machines.push(machine);
    return machine;
}

describe("the data disk", () => {
    const used = "LABEL=emqx-data\nTYPE=ext4\n";

    it("is taken from the first path there is", async () => {
        const machine = made();
        machine.attachDisk(second, used);
        const { calls } = await machine.run();
        expect(calls).toContain("mount -o noatime,nodev,nosuid /dev/data /var/lib/emqx");
    });

    it("is taken from the next path where the first leads to no disk", async () => {
        const machine = made();
        machine.link(byId, "/dev/gone");
        machine.attachDisk(second, used);
        const { code, calls } = await machine.run();
        expect(code).toBe(0);
        expect(calls).toContain(`mount -o noatime,nodev,nosuid ${second} /var/lib/emqx`);
    });

    it("is not something that is there but is no disk", async () => {
        const machine = made();
        machine.write("/dev/cdrom", "");
        machine.link(byId, "/dev/cdrom");
        machine.attachDisk(second, used);
        const { calls } = await machine.run();
        expect(calls).toContain(`mount -o noatime,nodev,nosuid ${second} /var/lib/emqx`);
    });

    it("is found by its label where no path exists", async () => {
        const machine = made();
        machine.link(byId, "/dev/gone");
        machine.attachDisk("/dev/nvme9n1", used);
        machine.label("/dev/nvme9n1");
        const { code, calls } = await machine.run();
        expect(code).toBe(0);
        expect(calls).toContain("mount -o noatime,nodev,nosuid /dev/nvme9n1 /var/lib/emqx");
    });

    it("is waited for, for 5 minutes, and its absence told", async () => {
        const machine = made();
        machine.link(byId, "/dev/gone");
        const { code, calls } = await machine.run();
        expect(code).toBe(1);
        expect(calls.filter((call) => call === "sleep 2")).toHaveLength(150);
        expect(machine.console).toBe(
            `linkspan-boot emqx@10.1.0.4: FAILED at data disk: no data disk after 300 s: none of ${byId} ${second}, none labelled emqx-data\r\n`,
        );
        expect(calls.filter((call) => /^(mkfs|mount |systemctl)/.test(call))).toEqual([]);
    });

    it("is taken when it comes late", async () => {
        const machine = made();
        machine.failNext("lsblk", 3);
        const { code, calls } = await machine.run();
        expect(code).toBe(0);
        expect(calls.filter((call) => call === "sleep 2")).toHaveLength(3);
    });

    it.each([
        ["a file system of its own", used, true],
        ["a file system of another kind and label", "LABEL=photos\nTYPE=xfs\n", true],
        ["a partition table", "PTTYPE=gpt\n", false],
        ["an encrypted container", "USAGE=crypto\n", false],
    ])("is never formatted when it holds %s", async (_what, content, mounts) => {
        const machine = made();
        machine.write("/dev/data", content);
        const { code, calls } = await machine.run();
        expect(calls.filter((call) => call.startsWith("mkfs"))).toEqual([]);
        expect(machine.read("/dev/data")).toBe(content);
        expect(code).toBe(mounts ? 0 : 1);
        if (!mounts) {
            expect(machine.console).toContain("FAILED at data disk: ");
            expect(machine.console).toContain("holds data that cannot be mounted; it stays as it is");
        }
    });

    it.each([1, 4, 8])("is never formatted when blkid cannot tell what it holds: exit code %i", async (exitCode) => {
        const machine = made();
        machine.blkidEndsWith(exitCode);
        const { code, calls } = await machine.run();
        expect(code).toBe(1);
        expect(calls.filter((call) => /^(mkfs|mount )/.test(call))).toEqual([]);
        expect(machine.console).toContain(`blkid cannot tell what it holds (exit code ${exitCode})`);
    });

    it("is never formatted when blkid says nothing and that all is well", async () => {
        const machine = made();
        machine.blkidEndsWith(0);
        const { code, calls } = await machine.run();
        expect(code).toBe(1);
        expect(calls.filter((call) => /^(mkfs|mount )/.test(call))).toEqual([]);
    });

    it("is never formatted when it cannot be read", async () => {
        const machine = made();
        // A folder: opening it works, reading it does not.
        machine.write("/dev/broken/part", "");
        machine.attachDisk("/dev/other");
        machine.link(byId, "/dev/broken");
        machine.label("/dev/broken");
        machine.write(".fakes/disks", `${machine.path("/dev/broken")}\n`);
        const { code, calls } = await machine.run();
        expect(code).toBe(1);
        expect(machine.console).toContain("cannot be read");
        expect(calls.filter((call) => /^(mkfs|mount |blkid -p)/.test(call))).toEqual([]);
    });

    it("is left alone when it is mounted elsewhere", async () => {
        const machine = made();
        machine.inUse("/");
        const { code, calls } = await machine.run();
        expect(code).toBe(1);
        expect(machine.console).toContain("is in use elsewhere");
        expect(calls.filter((call) => /^(mkfs|mount )/.test(call))).toEqual([]);
    });
});
