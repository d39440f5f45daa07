import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { messageOf } from "../errors.js";
import { CliError, exitCodes } from "./cliError.js";

/** Which stack to read. */
export interface StackChoice {
    /** Name of the stack; without it the selected one. */
    readonly stack?: string | undefined;
    /** Folder of the Pulumi project. */
    readonly cwd: string;
    /** An exported file instead of the Pulumi CLI. */
    readonly state?: string | undefined;
    readonly env: NodeJS.ProcessEnv;
}

/**
 * The stack's state as text, with its secrets. It is kept in memory only and never printed.
 *
 * @throws CliError saying what to do
 */
export async function exportStack(choice: StackChoice): Promise<string> {
    if (choice.state !== undefined) {
        try {
            return await readFile(choice.state, "utf8");
        } catch (error) {
            throw new CliError(`cannot read the exported stack ${choice.state}: ${messageOf(error)}`, exitCodes.unreadable);
        }
    }
    const { code, stdout, stderr } = await pulumi(choice);
    if (code !== 0) {
        throw new CliError(exportProblem(stderr, choice), exitCodes.unreadable);
    }
    return stdout;
}

function pulumi({ stack, cwd, env }: StackChoice): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const args = ["stack", "export", "--show-secrets", "--non-interactive", ...(stack === undefined ? [] : ["--stack", stack])];
    return new Promise((resolve, reject) => {
        const child = spawn("pulumi", args, {
            cwd,
            env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true", NO_COLOR: "1" },
            stdio: ["ignore", "pipe", "pipe"],
        });
        const stdout: Buffer[] = [];
        const stderr: Buffer[] = [];
        child.stdout.on("data", (part: Buffer) => stdout.push(part));
        child.stderr.on("data", (part: Buffer) => stderr.push(part));
        child.once("error", (error) => reject(startProblem(error, cwd)));
        child.once("close", (code) =>
            resolve({ code, stdout: Buffer.concat(stdout).toString("utf8"), stderr: Buffer.concat(stderr).toString("utf8") }),
        );
    });
}

function startProblem(error: NodeJS.ErrnoException, cwd: string): CliError {
    const message =
        error.code === "ENOENT"
            ? `the Pulumi CLI is not on PATH, or the folder ${cwd} does not exist. Install Pulumi (https://www.pulumi.com/docs/install/), ` +
              "or give an exported stack with --state FILE."
            : `cannot start the Pulumi CLI: ${error.message}`;
    return new CliError(message, exitCodes.unreadable);
}

/** What an export's error output means, and what to do. */
export function exportProblem(stderr: string, { stack, cwd }: Pick<StackChoice, "stack" | "cwd">): string {
    const said = stderr
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "" && !/^(warning|usage):/i.test(line))
        .at(-1);
    const causes: readonly (readonly [RegExp, string])[] = [
        [/no Pulumi\.yaml|no project file/i, `${cwd} is not in a Pulumi project; go to its folder or set --cwd.`],
        [/no stack named/i, `there is no stack ${JSON.stringify(stack ?? "")}; see \`pulumi stack ls\`.`],
        [
            /no stack selected|no current stack|stack name (is )?required|--stack/i,
            "no stack is selected; set --stack NAME or run `pulumi stack select`.",
        ],
        [/incorrect passphrase/i, "the passphrase is wrong; set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE."],
        [
            /passphrase must be set/i,
            "the stack's passphrase is not set; set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE.",
        ],
        [
            /access[ _]?token|not logged in|pulumi login/i,
            "Pulumi is not logged in; run `pulumi login`, or set PULUMI_BACKEND_URL.",
        ],
    ];
    const known = causes.find(([pattern]) => pattern.test(stderr))?.[1];
    return `cannot read the stack: ${known ?? ""}${known === undefined || said === undefined ? "" : " "}${said === undefined ? "" : `(Pulumi: ${said})`}`;
}
