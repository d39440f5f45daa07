import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { bootInput, bootItems, newMachine, packageText, secretItems } from "../../../test/support/bootFixture.js";
import type { BootMachine, FakedCommand } from "../../../test/support/bootMachine.js";
import { testAuthority } from "../../../test/support/testCertificates.js";

const [byId = ""] = bootInput().dataDisk.hints;
const startsEmqx = "systemctl start --no-block emqx.service";
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

function made(...args: Parameters<typeof newMachine> | []): BootMachine {
    const machine = newMachine(args[0] ?? items, args[1]);
    machines.push(machine);
    return machine;
}

/** Paths, modes and contents: what two machines in the same state have in common. */
function state(machine: BootMachine): Record<string, string> {
    return Object.fromEntries([...machine.entries()].map(([path, { mode, content }]) => [path, `${mode} ${content}`]));
}

describe("a first boot", () => {
    it("puts disk, package, items and configuration in place, then starts EMQX", async () => {
        const machine = made();
        const { code, calls, stderr } = await machine.run();
        expect(stderr).toBe(
            "linkspan-boot emqx@10.1.0.4: new in place: ca server-cert server-key link-cert link-key\nlinkspan-boot emqx@10.1.0.4: READY\n",
        );
        expect(code).toBe(0);
        expect(machine.console).toContain("linkspan-boot emqx@10.1.0.4: READY\r\n");
        expect(calls.filter((call) => /^(mkfs|mount |resize2fs|sysctl|swapoff|nft|apt-get|systemctl)/.test(call))).toEqual([
            "mkfs.ext4 -q -m 1 -L emqx-data /dev/data",
            "mount -o noatime,nodev,nosuid /dev/data /var/lib/emqx",
            "resize2fs /dev/data",
            "sysctl -e -q -p /etc/sysctl.d/90-linkspan.conf",
            "swapoff -a",
            "nft -f /etc/linkspan/filter.nft",
            expect.stringMatching(/^apt-get -q -y .* update$/),
            expect.stringMatching(/^apt-get -q -y .* --no-install-recommends install \/var\/cache\/linkspan\/emqx.deb$/),
            "systemctl daemon-reload",
            "systemctl enable -q emqx.service",
            startsEmqx,
        ]);
    });

    it("gives EMQX's files to EMQX alone", async () => {
        const machine = made();
        const { calls } = await machine.run();
        const modes = Object.fromEntries([...machine.entries()].map(([path, { mode }]) => [path, mode]));
        expect(modes).toMatchObject({
            "/run/linkspan": "755",
            "/run/linkspan/secrets": "755",
            "/run/linkspan/secrets/api-keys": "600",
            "/run/linkspan/secrets/users": "600",
            "/run/linkspan/emqx.env": "600",
            "/run/linkspan/tls": "755",
            "/run/linkspan/tls/server-key.pem": "600",
            "/run/linkspan/tls/link-key.pem": "600",
            "/etc/emqx/emqx.conf": "640",
        });
        expect(calls).toContain("chown emqx:emqx /run/linkspan/secrets/users.new");
        expect(calls).toContain("chown root:root /run/linkspan/emqx.env.new");
        expect(calls).toContain("chown root:emqx /etc/emqx/emqx.conf.new");
        expect(calls).toContain("chown emqx:emqx /var/lib/emqx");
        expect(calls.filter((call) => /^chown emqx:emqx \/run\/linkspan\/tls\.\w+\/[a-z-]+\.pem$/.test(call))).toHaveLength(5);
    });

    it("passes each item on as it is, and leaves no copy", async () => {
        const machine = made();
        await machine.run();
        for (const item of ["ca", "server-cert", "server-key", "link-cert", "link-key"] as const) {
            expect(machine.read(`/run/linkspan/tls/${item}.pem`)).toBe(items[item]);
        }
        expect(machine.read("/run/linkspan/secrets/users")).toBe(items.users);
        expect(machine.read("/run/linkspan/secrets/api-keys")).toBe(items["api-keys"]);
        expect(machine.read("/run/linkspan/emqx.env")).toBe(
            [
                "EMQX_NODE__COOKIE=linkspan--cookie_of_the_cluster",
                `EMQX_DASHBOARD__DEFAULT_PASSWORD='"password-of-the-dashboard"'`,
                `EMQX_LICENSE__KEY='"bGljZW5jZQ==.//MEUCIQ+"'`,
                "",
            ].join("\n"),
        );
        expect([...machine.entries().keys()].filter((path) => path.includes("next"))).toEqual([]);
    });

    it("shows no secret on the console, in the journal, or as an argument of a command", async () => {
        const machine = made();
        const { stderr, calls } = await machine.run();
        for (const item of secretItems) {
            const secret = items[item].trim().split("\n").at(-1) ?? "";
            expect(`${stderr}${machine.console}${calls.join("\n")}`).not.toContain(secret);
        }
    });

    it("refuses an item that EMQX's environment cannot hold", async () => {
        const machine = made({ ...items, "dashboard-password": 'a"b' });
        const { code, calls } = await machine.run();
        expect(code).toBe(1);
        expect(machine.console).toContain(
            "FAILED at boot items: the item dashboard-password has a character that EMQX's environment cannot hold",
        );
        expect(calls).not.toContain(startsEmqx);
    });
});

describe("later runs", () => {
    it("changes nothing when run again", async () => {
        const machine = made();
        await machine.run();
        const before = machine.entries();
        const { code, calls } = await machine.run();
        expect(code).toBe(0);
        expect([...machine.entries()].filter(([path, { changed }]) => before.get(path)?.changed !== changed)).toEqual([
            // The mark that the boot is done.
            ["/run/linkspan/ready", expect.anything()],
        ]);
        expect(calls.filter((call) => /^(mkfs|mount |apt-get|curl|chown (?!emqx:emqx \/var\/lib\/emqx$))/.test(call))).toEqual(
            [],
        );
    });

    it("reaches the same state after a restart of the machine, without formatting or installing", async () => {
        const machine = made();
        await machine.run();
        const before = state(machine);
        machine.powerOff();
        const { code, calls } = await machine.run();
        expect(code).toBe(0);
        expect(state(machine)).toEqual(before);
        expect(calls).toContain("mount -o noatime,nodev,nosuid /dev/data /var/lib/emqx");
        expect(calls).toContain(startsEmqx);
        expect(calls.filter((call) => /^(mkfs|apt-get|curl)/.test(call))).toEqual([]);
    });

    it("follows the disk when it comes back under another name", async () => {
        const machine = made();
        await machine.run();
        machine.powerOff();
        const content = machine.read("/dev/data");
        machine.attachDisk("/dev/nvme2n1", content);
        machine.link(byId, "/dev/nvme2n1");
        const { calls } = await machine.run();
        expect(calls).toContain("mount -o noatime,nodev,nosuid /dev/nvme2n1 /var/lib/emqx");
    });
});

describe("the package", () => {
    it("is not installed with another content, and that is told after 10 minutes", async () => {
        const machine = made();
        machine.publish("something else", "5.10.3");
        const { code, calls } = await machine.run();
        expect(code).toBe(1);
        expect(machine.console).toMatch(
            /FAILED at EMQX package: https:\/\/www\.emqx\.com\/\S+\.deb has SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}/,
        );
        expect(calls.filter((call) => call.startsWith("apt-get") || call === startsEmqx)).toEqual([]);
        expect(slept(calls)).toBeGreaterThanOrEqual(600);
        expect(slept(calls)).toBeLessThan(660);
        expect([...machine.entries().keys()].filter((path) => path.startsWith("/var/cache/linkspan/"))).toEqual([]);
    });

    it("is fetched over HTTPS only, and again while its host does not answer", async () => {
        const machine = made();
        machine.failNext("curl", 3);
        const { code, calls } = await machine.run();
        expect(code).toBe(0);
        const fetches = calls.filter((call) => call.startsWith("curl"));
        expect(fetches).toHaveLength(4);
        expect(fetches[0]).toContain("--proto =https");
        expect(calls.filter((call) => call.startsWith("sleep"))).toEqual(["sleep 2", "sleep 4", "sleep 8"]);
    });

    it("is not installed when it is of another release", async () => {
        const machine = made();
        machine.publish(packageText, "5.10.30");
        const { code, calls } = await machine.run();
        expect(code).toBe(1);
        expect(machine.console).toContain("FAILED at EMQX package: the package is of EMQX 5.10.30, not 5.10.3");
        expect(calls.filter((call) => call.startsWith("apt-get"))).toEqual([]);
    });

    it.each(["5.10.3-1", "1:5.10.3", "5.10.3+build2"])("is installed when it is a build of the release: %s", async (version) => {
        const machine = made();
        machine.publish(packageText, version);
        expect((await machine.run()).code).toBe(0);
    });

    it("is installed again until Ubuntu's mirrors answer", async () => {
        const machine = made();
        machine.failNext("apt-get", 4);
        const { code, calls } = await machine.run();
        expect(code).toBe(0);
        expect(calls.filter((call) => call.startsWith("sleep"))).toEqual(["sleep 2", "sleep 4", "sleep 8", "sleep 16"]);
    });
});

describe("the items", () => {
    it("are fetched again with growing pauses, given up after 10 minutes, and taken at the next start", async () => {
        const machine = made();
        machine.dropItem("link-key");
        const first = await machine.run();
        expect(first.code).toBe(1);
        expect(machine.console).toContain("FAILED at boot items: not in the secret store, or not to be read: link-key");
        expect(slept(first.calls)).toBeGreaterThanOrEqual(600);
        expect(slept(first.calls)).toBeLessThan(660);
        expect(first.calls).not.toContain(startsEmqx);
        expect([...machine.entries().keys()].filter((path) => /next|tls|ready|env$/.test(path))).toEqual([
            "/etc/linkspan/boot.env",
        ]);

        machine.store(items);
        expect((await machine.run()).code).toBe(0);
    });

    it("survive a store that is not ready yet", async () => {
        const machine = made();
        machine.storeDown(25);
        expect((await machine.run()).code).toBe(0);
        expect(machine.read("/run/linkspan/tls/ca.pem")).toBe(items.ca);
    });

    it("are not taken when empty", async () => {
        const machine = made({ ...items, cookie: "" });
        expect((await machine.run()).code).toBe(1);
        expect(machine.console).toContain("not to be read: cookie");
    });

    it("are not taken when a certificate and its key do not belong together", async () => {
        const machine = made({ ...items, "server-key": items["link-key"] });
        const { code, calls } = await machine.run();
        expect(code).toBe(1);
        expect(machine.console).toContain("the items server-cert and server-key do not belong together");
        expect(calls).not.toContain(startsEmqx);
    });

    it("are not taken when the authority is no certificate", async () => {
        const machine = made({ ...items, ca: "not a certificate" });
        expect((await machine.run()).code).toBe(1);
        expect(machine.console).toContain("the item ca is no certificate");
    });
});

describe("the renewal", () => {
    it("replaces the files that changed, all at once, and nothing else", async () => {
        const machine = made();
        await machine.run();
        const before = machine.entries();
        const link = await (await testAuthority()).link("aws.link.fleet-prod.internal");
        machine.store({ "link-cert": link.cert, "link-key": link.key, cookie: "another", users: "other" });
        const { code, calls, stderr } = await machine.run("refresh");
        expect(code).toBe(0);
        expect(stderr).toBe("linkspan-boot emqx@10.1.0.4: new in place: link-cert link-key\n");
        expect(machine.read("/run/linkspan/tls/link-cert.pem")).toBe(link.cert);
        expect(machine.read("/run/linkspan/tls/link-key.pem")).toBe(link.key);
        const after = machine.entries();
        const changed = [...after].filter(([path, entry]) => entry.inode !== before.get(path)?.inode).map(([path]) => path);
        expect(changed).toEqual(["/run/linkspan/tls/link-cert.pem", "/run/linkspan/tls/link-key.pem"]);
        expect([...after.keys()]).toEqual([...before.keys()]);
        expect(calls.filter((call) => call.startsWith("systemctl"))).toEqual([]);
    });

    it("changes nothing when nothing is new", async () => {
        const machine = made();
        await machine.run();
        const before = machine.entries();
        const { code, stderr } = await machine.run("refresh");
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(machine.entries()).toEqual(before);
    });

    it("keeps what is in place while a certificate and its key do not belong together", async () => {
        const machine = made();
        await machine.run();
        const before = machine.entries();
        const other = await (await testAuthority()).server();
        machine.store({ "server-cert": other.cert });
        const { code, calls } = await machine.run("refresh");
        expect(code).toBe(1);
        expect(machine.console).toContain(
            "FAILED at renewal of certificates: the items server-cert and server-key do not belong together",
        );
        expect(machine.entries()).toEqual(before);
        expect(slept(calls)).toBeLessThan(180);

        machine.store({ "server-key": other.key });
        expect((await machine.run("refresh")).code).toBe(0);
        expect(machine.read("/run/linkspan/tls/server-cert.pem")).toBe(other.cert);
    });

    it("puts a new licence where EMQX's next start finds it, and leaves the cookie and all else", async () => {
        const machine = made();
        await machine.run();
        const before = machine.entries();
        const environment = machine.read("/run/linkspan/emqx.env");
        machine.store({ license: "bmV3LWtleQ==.c2lnbmF0dXJl", cookie: "another", "dashboard-password": "another" });
        const { code, calls } = await machine.run("refresh");
        expect(code).toBe(0);
        expect(machine.read("/run/linkspan/emqx.env")).toBe(
            environment.replace(/^EMQX_LICENSE__KEY=.*$/m, `EMQX_LICENSE__KEY='"bmV3LWtleQ==.c2lnbmF0dXJl"'`),
        );
        const after = machine.entries();
        expect([...after].filter(([path, { inode }]) => inode !== before.get(path)?.inode).map(([path]) => path)).toEqual([
            "/run/linkspan/emqx.env",
        ]);
        expect(after.get("/run/linkspan/emqx.env")?.mode).toBe(before.get("/run/linkspan/emqx.env")?.mode);
        expect(calls).toContain("chown root:root /run/linkspan/emqx.env.new");
        expect(calls.filter((call) => call.startsWith("systemctl"))).toEqual([]);
    });

    it.each([
        ["cannot be read", "", "not in the secret store, or not to be read: license"],
        ["holds a quote", 'key"', "the item license has a character that EMQX's environment cannot hold"],
    ])("keeps the licence in place while the new one %s", async (_what, license, reason) => {
        const machine = made();
        await machine.run();
        const before = machine.entries();
        machine.store({ license });
        const { code, calls } = await machine.run("refresh");
        expect(code).toBe(1);
        expect(machine.console).toContain(`FAILED at renewal of the licence: ${reason}`);
        expect(machine.entries()).toEqual(before);
        expect(slept(calls)).toBeLessThan(180);
    });

    it("keeps what is in place while the store does not answer", async () => {
        const machine = made();
        await machine.run();
        const before = machine.entries();
        machine.storeDown(1_000);
        expect((await machine.run("refresh")).code).toBe(1);
        expect(machine.entries()).toEqual(before);
    });

    it("does nothing before the machine is ready", async () => {
        const machine = made();
        const { code, calls, stderr } = await machine.run("refresh");
        expect({ code, calls, stderr }).toEqual({ code: 0, calls: [], stderr: "" });
    });
});

describe("every step that fails once", () => {
    let whole: Record<string, string>;

    beforeAll(async () => {
        const machine = newMachine(items);
        await machine.run();
        whole = state(machine);
        machine.remove();
    });

    const ends: readonly (readonly [FakedCommand, number, string])[] = [
        ["mkfs.ext4", 1, "data disk"],
        ["mount", 1, "data disk"],
        ["nft", 1, "packet filter"],
        ["dpkg-deb", 1, "EMQX package"],
        // Owners of certificates, of EMQX's secrets, of the data, of the configuration.
        ["chown", 1, "boot items"],
        ["chown", 4, "boot items"],
        ["chown", 6, "boot items"],
        ["chown", 8, "boot items"],
        ["chown", 9, "EMQX configuration"],
        ["chown", 10, "EMQX configuration"],
        ["systemctl", 1, "EMQX start"],
        ["systemctl", 2, "EMQX start"],
        ["systemctl", 3, "EMQX start"],
    ];
    it.each(ends)("%s, call %i: told as a failure at %s, and made good by the next start", async (command, call, step) => {
        const machine = made();
        machine.failNext(command, 1, call - 1);
        const first = await machine.run();
        expect(first.code).not.toBe(0);
        expect(machine.console).toContain(`FAILED at ${step}: `);
        expect(machine.console).not.toContain("READY");
        const second = await machine.run();
        expect(second.code).toBe(0);
        expect(second.calls).toContain(startsEmqx);
        expect(state(machine)).toEqual(whole);
    });

    it.each<FakedCommand>(["lsblk", "curl", "apt-get", "dpkg"])("%s: borne by the same start", async (command) => {
        const machine = made();
        machine.failNext(command);
        expect((await machine.run()).code).toBe(0);
        expect(state(machine)).toEqual(whole);
    });

    it.each<readonly [FakedCommand, string]>([
        ["sysctl", "WARNING: not every kernel setting was taken"],
        ["swapoff", "WARNING: swap is still on"],
        ["resize2fs", "WARNING: a data disk that was enlarged is not used whole"],
    ])("%s: told, and not in the way of EMQX", async (command, warning) => {
        const machine = made();
        machine.failNext(command);
        const { code, calls } = await machine.run();
        expect(code).toBe(0);
        expect(machine.console).toContain(warning);
        expect(calls).toContain(startsEmqx);
    });
});

describe("the script itself", () => {
    it("refuses what it does not know", async () => {
        const machine = made();
        const { code, calls } = await machine.run("reformat");
        expect({ code, calls }).toEqual({ code: 1, calls: [] });
        expect(machine.console).toContain("FAILED at settings: there is no reformat");
    });

    it("does nothing when it is only read, so that its functions can be looked at one by one", async () => {
        const machine = made();
        const { code, calls } = await machine.bash([
            "-c",
            '. "$LINKSPAN_ROOT/usr/local/sbin/linkspan-boot"; retry 5 false || exit 7',
        ]);
        expect({ code, calls }).toEqual({ code: 7, calls: ["sleep 2", "sleep 4"] });
    });
});

function slept(calls: readonly string[]): number {
    return calls.filter((call) => call.startsWith("sleep ")).reduce((sum, call) => sum + Number(call.slice(6)), 0);
}
