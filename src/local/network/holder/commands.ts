import { spawn } from "node:child_process";
import { OperationError } from "../../../errors.js";

/** What a command said. */
export interface CommandResult {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs a command to its end, with text on its input. Arguments are visible to everybody on the machine: never a secret among them. */
export function run(command: string, args: readonly string[], input = "", timeoutMs = 20_000): Promise<CommandResult> {
    return new Promise((resolve) => {
        const child = spawn(command, [...args], { stdio: ["pipe", "pipe", "pipe"], timeout: timeoutMs, killSignal: "SIGKILL" });
        let [stdout, stderr] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
            stdout += text;
        });
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
            stderr += text;
        });
        child.once("error", (error) => resolve({ code: 127, stdout, stderr: error.message }));
        child.once("close", (code, signal) =>
            resolve({ code: code ?? 128, stdout, stderr: signal === null ? stderr : `ended by ${signal}` }),
        );
        child.stdin.on("error", () => {});
        child.stdin.end(input);
    });
}

/** Runs a command that has to succeed. */
export async function must(what: string, command: string, args: readonly string[], input = ""): Promise<string> {
    const { code, stdout, stderr } = await run(command, args, input);
    if (code !== 0) {
        throw new OperationError({
            what,
            where: "the local network",
            message: `${command}: ${(stderr.trim() || stdout.trim()).slice(-400)}`,
        });
    }
    return stdout;
}

/** Runs a shell script in a namespace; "" is the holder's own. The script comes by standard input. */
export function script(what: string, namespace: string, lines: readonly string[]): Promise<string> {
    const text = ["set -e", ...lines, ""].join("\n");
    return namespace === "" ? must(what, "sh", ["-s"], text) : must(what, "ip", ["netns", "exec", namespace, "sh", "-s"], text);
}
