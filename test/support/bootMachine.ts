import { spawn } from "node:child_process";
import {
    chmodSync,
    existsSync,
    lstatSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    readlinkSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BootItemName } from "../../src/emqx/boot/bootItems.js";
import { readUserData } from "../../src/emqx/boot/userData.js";

/** What a run of the boot script ended with. */
export interface BootRun {
    readonly code: number | null;
    readonly stderr: string;
    /** Commands of the machine that were called in this run, with their arguments. */
    readonly calls: readonly string[];
}

/** A file of the machine as far as a run may change it. */
export interface MachineEntry {
    readonly mode: string;
    readonly content: string;
    readonly inode: number;
    readonly changed: number;
}

/** The cloud's script on this machine: items are files. `.down` counts the calls that fail from now on. */
export const folderStore = `fetch_item() {
    local left=0 items=$LINKSPAN_ROOT/items
    [[ ! -e $items/.down ]] || left=$(<"$items/.down")
    if [[ $left -gt 0 ]]; then
        echo $((left - 1)) >"$items/.down"
        return 1
    fi
    cat "$items/$1"
}
`;

const commands = [
    "apt-get",
    "blkid",
    "chown",
    "curl",
    "dpkg",
    "dpkg-deb",
    "lsblk",
    "mkfs.ext4",
    "mount",
    "mountpoint",
    "nft",
    "resize2fs",
    "sleep",
    "swapoff",
    "sysctl",
    "systemctl",
] as const;
export type FakedCommand = (typeof commands)[number];

/**
 * Stands in for the commands that need a real machine. A disk is a file: an empty one is a blank disk, another one holds what blkid says of
 * it. `fail/<command>` counts the calls of a command that succeed, and those that fail after them.
 */
const fakes = `#!/bin/bash
name=\${0##*/}
last=\${!#}
echo "$name $*" >>"$FAKES/calls"
if [[ -e $FAKES/fail/$name ]]; then
    read -r spared left <"$FAKES/fail/$name"
    if [[ $spared -gt 0 ]]; then
        echo "$((spared - 1)) $left" >"$FAKES/fail/$name"
    elif [[ $left -gt 0 ]]; then
        echo "0 $((left - 1))" >"$FAKES/fail/$name"
        exit 1
    fi
fi
case $name in
    lsblk)
        if [[ $* == *MOUNTPOINT* ]]; then
            [[ ! -e $FAKES/in-use ]] || cat "$FAKES/in-use"
            exit 0
        fi
        grep -qxF "$last" "$FAKES/disks" && echo disk || exit 1
        ;;
    blkid)
        if [[ $1 == -L ]]; then
            [[ -e $FAKES/labelled ]] || exit 2
            cat "$FAKES/labelled"
        elif [[ -e $FAKES/blkid-code ]]; then
            exit "$(cat "$FAKES/blkid-code")"
        else
            [[ -s $last ]] || exit 2
            cat "$last"
        fi
        ;;
    mkfs.ext4) printf 'LABEL=emqx-data\\nTYPE=ext4\\n' >"$last" ;;
    mount)
        grep -q '^TYPE=' "\${@: -2:1}" || exit 32
        echo "$last" >"$FAKES/mounted"
        ;;
    mountpoint) [[ -e $FAKES/mounted && $(<"$FAKES/mounted") == "$last" ]] ;;
    curl)
        while [[ $1 != -o ]]; do shift; done
        cp "$FAKES/package" "$2"
        ;;
    dpkg-deb) cat "$FAKES/version" ;;
    apt-get)
        if [[ $* == *" install "*emqx.deb ]]; then
            mkdir -p "$LINKSPAN_ROOT/usr/bin" "$LINKSPAN_ROOT/etc/emqx"
            chmod 0755 "$LINKSPAN_ROOT/etc/emqx"
            echo '# of the package' >"$LINKSPAN_ROOT/etc/emqx/emqx.conf"
            echo '#!/bin/sh' >"$LINKSPAN_ROOT/usr/bin/emqx"
            chmod 0755 "$LINKSPAN_ROOT/usr/bin/emqx"
        fi
        ;;
esac
`;

/** A broker machine in a folder: what cloud-init leaves on it, and stand-ins for what needs a real one. */
export class BootMachine {
    readonly root = mkdtempSync(join(tmpdir(), "linkspan-boot-"));
    readonly #fakes = join(this.root, ".fakes");

    constructor(userData: string) {
        for (const folder of ["bin", "fail"]) {
            mkdirSync(join(this.#fakes, folder), { recursive: true });
        }
        for (const command of commands) {
            this.#fake(`bin/${command}`, fakes);
            chmodSync(join(this.#fakes, "bin", command), 0o755);
        }
        this.#fake("disks", "");
        for (const { path, content, permissions } of Object.values(readUserData(userData).files)) {
            this.write(path, content);
            chmodSync(this.path(path), Number.parseInt(permissions, 8));
        }
        for (const folder of ["/dev", "/run", "/var/lib", "/items"]) {
            mkdirSync(this.path(folder), { recursive: true });
        }
    }

    remove(): void {
        rmSync(this.root, { recursive: true, force: true });
    }

    path(path: string): string {
        return join(this.root, path);
    }

    write(path: string, content: string): void {
        mkdirSync(dirname(this.path(path)), { recursive: true });
        writeFileSync(this.path(path), content);
    }

    read(path: string): string {
        return readFileSync(this.path(path), "utf8");
    }

    get console(): string {
        return existsSync(this.path("/dev/console")) ? this.read("/dev/console") : "";
    }

    /** Attaches a disk. `content`: what blkid says of it; empty for a blank one. */
    attachDisk(device: string, content = ""): void {
        this.write(device, content);
        this.#fake("disks", `${readFileSync(join(this.#fakes, "disks"), "utf8")}${this.path(device)}\n`);
    }

    /** A link such as those of /dev/disk/by-id. */
    link(path: string, device: string): void {
        mkdirSync(dirname(this.path(path)), { recursive: true });
        rmSync(this.path(path), { force: true });
        symlinkSync(this.path(device), this.path(path));
    }

    /** What `blkid -L emqx-data` finds. */
    label(device: string): void {
        this.#fake("labelled", `${this.path(device)}\n`);
    }

    /** What lsblk says where a disk is mounted. */
    inUse(at: string): void {
        this.#fake("in-use", `${at}\n`);
    }

    blkidEndsWith(code: number): void {
        this.#fake("blkid-code", String(code));
    }

    /** What the package's address serves, and the version that the package says. */
    publish(content: string, version: string): void {
        this.#fake("package", content);
        this.#fake("version", `${version}\n`);
    }

    store(items: Readonly<Partial<Record<BootItemName, string>>>): void {
        for (const [item, value] of Object.entries(items)) {
            this.write(`/items/${item}`, value);
        }
    }

    dropItem(item: BootItemName): void {
        rmSync(this.path(`/items/${item}`));
    }

    /** Lets the next calls of the secret store fail. */
    storeDown(calls: number): void {
        this.write("/items/.down", String(calls));
    }

    /** Lets calls of a command fail, after `spared` ones that do not. */
    failNext(command: FakedCommand, calls = 1, spared = 0): void {
        this.#fake(`fail/${command}`, `${spared} ${calls}\n`);
    }

    /** Ends a boot: what a machine forgets. */
    powerOff(): void {
        rmSync(this.path("/run"), { recursive: true });
        mkdirSync(this.path("/run"));
        rmSync(join(this.#fakes, "mounted"), { force: true });
    }

    /** Runs the script as systemd does. */
    run(...args: readonly string[]): Promise<BootRun> {
        return this.bash([this.path("/usr/local/sbin/linkspan-boot"), ...args]);
    }

    /** Runs bash on this machine. */
    bash(args: readonly string[]): Promise<BootRun> {
        const calls = join(this.#fakes, "calls");
        rmSync(calls, { force: true });
        return new Promise((resolve, reject) => {
            const child = spawn("bash", args, {
                stdio: ["ignore", "ignore", "pipe"],
                env: {
                    PATH: `${join(this.#fakes, "bin")}:${process.env.PATH ?? ""}`,
                    LINKSPAN_ROOT: this.root,
                    FAKES: this.#fakes,
                },
            });
            let stderr = "";
            child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
                stderr += chunk;
            });
            child.on("error", reject);
            child.on("close", (code) => {
                const called = existsSync(calls) ? readFileSync(calls, "utf8").split("\n").filter(Boolean) : [];
                resolve({ code, stderr, calls: called.map((call) => call.replaceAll(this.root, "")) });
            });
        });
    }

    /** Everything that the script may change, by path; the folder behind the link to the certificates goes by the link's name. */
    entries(): ReadonlyMap<string, MachineEntry> {
        const found = new Map<string, MachineEntry>();
        for (const top of ["/run", "/etc/emqx", "/etc/linkspan", "/var", "/dev/data"]) {
            this.#collect(top, found);
        }
        return found;
    }

    #collect(path: string, found: Map<string, MachineEntry>): void {
        const full = this.path(path);
        if (!existsSync(full)) {
            return;
        }
        const at = path.replace(/^(\/run\/linkspan\/tls)\.\w+/, "$1");
        if (lstatSync(full).isSymbolicLink()) {
            found.set(`${path} -> `, {
                mode: "link",
                content: readlinkSync(full).replace(/\.\w+$/, ""),
                inode: 0,
                changed: 0,
            });
            return;
        }
        const { mode, ino, mtimeMs } = statSync(full);
        const folder = statSync(full).isDirectory();
        found.set(at, {
            mode: (mode & 0o7777).toString(8),
            content: folder ? "" : readFileSync(full, "utf8"),
            inode: folder ? 0 : ino,
            changed: folder ? 0 : mtimeMs,
        });
        for (const name of folder ? readdirSync(full).sort() : []) {
            this.#collect(`${path}/${name}`, found);
        }
    }

    #fake(name: string, content: string): void {
        writeFileSync(join(this.#fakes, name), content);
    }
}
