import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { run } from "./child.mts";
import { elapsed, ProgressLine, ScriptError } from "./output.mts";
import { takeLock } from "./processLock.mts";
import { builtPulumiVersion, root } from "./project.mts";

/** A program that is built from a pinned Go module of `tools/`. */
interface Target {
    readonly program: string;
    readonly module: string;
    readonly path: string;
    readonly ldflags: string;
}

const targets: readonly Target[] = [
    {
        program: "pulumi-language-nodejs",
        module: "pulumi-language-nodejs",
        path: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        ldflags: "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.66.0",
    },
    {
        program: "pulumi",
        module: "pulumi-cli",
        path: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        ldflags: `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${builtPulumiVersion}`,
    },
];

export interface BuildRequest {
    /** Where the programs go. */
    readonly binDir: string;
    /** Where `npx pulumi` looks; links to the programs are put there unless something is there already. */
    readonly npxBinDir: string;
    readonly tell: (line: string) => void;
    readonly env: NodeJS.ProcessEnv;
}

/**
 * Builds the Pulumi CLI and the Node.js language host. What an interrupted run has compiled is reused by the next one (Go's own
 * caches), a program appears only when it is whole, and two runs at once build one after the other.
 *
 * @throws ScriptError saying what is missing
 */
export async function buildPulumi({ binDir, npxBinDir, tell, env }: BuildRequest): Promise<void> {
    const startedAt = Date.now();
    let told = false;
    const release = await takeLock(join(dirname(dirname(binDir)), ".linkspan-build.lock"), (owner) => {
        if (!told) {
            told = true;
            tell(`Another run (process ${owner.pid}) is building Pulumi; waiting for it...`);
        }
    });
    // Unfinished programs are made beside their place, because a rename works within one file system only.
    const unfinished = join(dirname(binDir), ".unfinished");
    const dropUnfinished = () => rmSync(unfinished, { recursive: true, force: true });
    const onSignal = () => {
        // The compiler is in the same process group and gets a terminal's signal itself.
        dropUnfinished();
        release();
        process.exit(130);
    };
    try {
        const missing = targets.filter(({ program }) => !existsSync(join(binDir, program)));
        if (missing.length > 0) {
            const go = await goVersion(env);
            tell(
                `Building the Pulumi CLI ${builtPulumiVersion} from the Go module proxy with ${go}: about 4 minutes, this one time.`,
            );
            process.once("SIGINT", onSignal);
            process.once("SIGTERM", onSignal);
            dropUnfinished();
            mkdirSync(unfinished, { recursive: true });
            mkdirSync(binDir, { recursive: true });
            for (const [index, target] of missing.entries()) {
                await build(target, `${index + 1}/${missing.length} ${target.program}`, {
                    unfinished,
                    binDir,
                    startedAt,
                    tell,
                    env,
                });
            }
            writeFileSync(
                join(binDir, "linkspan-build.json"),
                `${JSON.stringify({ cli: builtPulumiVersion, languageHost: "3.66.0" })}\n`,
            );
            tell(`${elapsed(startedAt)} Pulumi is built in ${binDir}`);
        }
        linkForNpx(binDir, npxBinDir);
    } finally {
        process.removeListener("SIGINT", onSignal);
        process.removeListener("SIGTERM", onSignal);
        dropUnfinished();
        release();
    }
}

/** `go1.26.8`; fails with what to install where there is no Go that can build the pinned modules. */
async function goVersion(env: NodeJS.ProcessEnv): Promise<string> {
    const cwd = join(root, "tools", "pulumi-cli");
    const needed = /^go (\S+)$/m.exec(readFileSync(join(cwd, "go.mod"), "utf8"))?.[1] ?? "";
    // Run inside the module: Go then fetches a newer toolchain by itself where it is allowed to, and says so where it is not.
    const { code, stdout, stderr } = await run("go", ["version"], { cwd, env: goEnv(env), timeoutMs: 300_000 });
    const found = /go version (\S+)/.exec(stdout)?.[1];
    if (code === 0 && found !== undefined) {
        return found;
    }
    const how = `Install the Pulumi CLI (https://www.pulumi.com/docs/install/), or Go ${needed} or newer (https://go.dev/dl/), and run this again.`;
    throw new ScriptError(
        code === 127
            ? `There is no Pulumi CLI here, and no Go to build one. ${how}`
            : `There is no Pulumi CLI here, and Go cannot build one: ${stderr.trim().split("\n").at(-1) ?? `exit code ${code}`}. ${how}`,
    );
}

/** The environment of every Go command: no C compiler needed, and no setting of this machine changes what is built. */
function goEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return { ...env, GOFLAGS: "-mod=readonly", GOWORK: "off", CGO_ENABLED: "0", GOOS: undefined, GOARCH: undefined };
}

interface BuildPlace extends Omit<BuildRequest, "npxBinDir"> {
    readonly unfinished: string;
    readonly startedAt: number;
}

async function build(target: Target, label: string, { unfinished, binDir, startedAt, tell, env }: BuildPlace): Promise<void> {
    const cwd = join(root, "tools", target.module);
    const progress = new ProgressLine(15_000);
    const show = (text: string) => progress.show(`${elapsed(startedAt)} ${label}: ${text}`);
    const go = async (args: readonly string[], onLine?: (line: string, from: "stdout" | "stderr") => void) => {
        const result = await run("go", args, { cwd, env: goEnv(env), ...(onLine === undefined ? {} : { onLine }) });
        if (result.code !== 0) {
            progress.clear();
            throw new ScriptError(
                `Building ${target.program} failed (go ${args[0]}, exit code ${result.code}). What is done is kept, so running this again continues.\n${lastLines(result.stderr, 8)}`,
            );
        }
        return result;
    };
    let downloads = 0;
    show("fetching modules");
    const listed = await go(["list", "-deps", target.path], (line, from) => {
        if (from === "stderr" && line.startsWith("go: downloading ")) {
            downloads += 1;
            show(`fetching modules, ${downloads} so far`);
        }
    });
    const packages = listed.stdout.split("\n").filter((line) => line !== "").length;
    let compiled = 0;
    let linking = false;
    const status = () =>
        show(
            linking
                ? "linking"
                : `compiling, ${compiled} of at most ${packages} packages${compiled === 0 ? " (finished ones are reused)" : ""}`,
        );
    const timer = setInterval(status, 1000);
    try {
        status();
        const output = join(unfinished, target.program);
        await go(
            ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", target.ldflags, "-o", output, target.path],
            (line, from) => {
                if (from === "stderr" && !line.startsWith("go: ")) {
                    compiled += 1;
                    // The main package comes last; what follows is the linker.
                    linking = line === target.path;
                    status();
                }
            },
        );
        renameSync(output, join(binDir, target.program));
    } finally {
        clearInterval(timer);
        progress.clear();
    }
    tell(`${elapsed(startedAt)} ${label}: built`);
}

function lastLines(text: string, count: number): string {
    return text.trimEnd().split("\n").slice(-count).join("\n");
}

/** Lets `npx pulumi` find what was built. Whatever is there already stays. */
function linkForNpx(binDir: string, npxBinDir: string): void {
    if (npxBinDir === binDir) {
        return;
    }
    mkdirSync(npxBinDir, { recursive: true });
    for (const { program } of targets) {
        const link = join(npxBinDir, program);
        if (existsSync(link)) {
            continue;
        }
        if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) {
            rmSync(link); // A link to something that is gone.
        }
        symlinkSync(join(relative(npxBinDir, binDir), program), link);
    }
}
