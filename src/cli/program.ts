import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { InputError, messageOf } from "../errors.js";
import { CliError, type ExitCode, exitCodes } from "./cliError.js";
import type { CliIo } from "./output.js";
import { exportStack } from "./stackExport.js";
import { parseStackState, type StackState } from "./stackState.js";

/** Options of every command. */
interface GlobalOptions {
    readonly stack?: string;
    readonly cwd: string;
    readonly state?: string;
    readonly json?: boolean;
    readonly color: boolean;
    readonly timeout?: number;
}

const exitCodeHelp = `
Exit codes: 0 all is well; 1 a check failed or messages were lost; 2 wrong options; 3 the stack or an API cannot be read.
The stack is read with \`pulumi stack export --show-secrets\`; its secrets stay in memory and are never printed.`;

/**
 * Runs the command line.
 *
 * @returns the exit code; every error has been written to `io.err` by then
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<ExitCode> {
    let code: ExitCode = exitCodes.ok;
    try {
        const program = await build(io, (found) => {
            code = found;
        });
        await program.parseAsync([...argv], { from: "user" });
        return code;
    } catch (error) {
        return explain(error, io);
    }
}

function explain(error: unknown, io: CliIo): ExitCode {
    if (typeof error === "object" && error !== null && "code" in error && String(error.code).startsWith("commander.")) {
        // It has written its own message. Help and version that were asked for are no error.
        return "exitCode" in error && error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    io.err(`error: ${messageOf(error)}\n`);
    return error instanceof CliError ? error.exitCode : error instanceof InputError ? exitCodes.usage : exitCodes.unreadable;
}

async function build(io: CliIo, done: (code: ExitCode) => void): Promise<Command> {
    const { Command, InvalidArgumentError, Option } = await import("commander");
    const whole = (text: string): number => {
        if (!/^\d{1,9}$/.test(text)) {
            throw new InvalidArgumentError("It must be a whole number.");
        }
        return Number(text);
    };
    const positive = (text: string): number => {
        const value = Number(text);
        if (text.trim() === "" || !Number.isFinite(value) || value <= 0 || value > 86_400) {
            throw new InvalidArgumentError("It must be a number of seconds above 0, at most 86400.");
        }
        return value;
    };

    const program = new Command("linkspan")
        .description(
            "Looks after the MQTT mesh of a Pulumi stack: both ends of every link, delivery by counted messages, causes and fixes.",
        )
        .version(version())
        .option("-s, --stack <name>", "stack to read (default: the selected one)")
        .option("-C, --cwd <folder>", "folder of the Pulumi project", ".")
        .option("--state <file>", "read a file from `pulumi stack export --show-secrets` instead of calling pulumi")
        .option("--json", "one JSON document on standard output")
        .option("--no-color", "no colours (also: environment variable NO_COLOR)")
        .addOption(
            new Option("--timeout <seconds>", "for each answer of an API, and for each stage of a proof").argParser(positive),
        )
        .addHelpText("after", exitCodeHelp)
        .showSuggestionAfterError()
        .exitOverride()
        .configureOutput({ writeOut: io.out, writeErr: io.err });

    /** Reads the stack, runs a command on it, and keeps its exit code. */
    const onStack = async (work: (state: StackState, options: GlobalOptions, io: CliIo) => Promise<ExitCode>): Promise<void> => {
        const options = program.opts<GlobalOptions>();
        const cwd = resolve(io.cwd, options.cwd);
        const file = options.state === undefined ? undefined : resolve(io.cwd, options.state);
        const state = parseStackState(await exportStack({ stack: options.stack, cwd, state: file, env: io.env }));
        done(await work(state, options, { ...io, color: io.color && options.color && options.json !== true }));
    };

    program
        .command("status")
        .description("both ends of every link side by side, with the age of the last proof")
        .action(() =>
            onStack(async (state, options, shown) => {
                const { status } = await import("./statusCommand.js");
                return await status(state, { json: options.json === true, timeoutSeconds: options.timeout }, shown);
            }),
        );

    program
        .command("verify")
        .description("send counted messages over every link now, and say what arrived")
        .option("--pair <key...>", "only these pairs, such as aws-gcp")
        .option("--count <n>", "numbered messages per direction", whole)
        .option("--rate <n>", "messages per second and direction, up to 5000", whole)
        .addOption(new Option("--qos <n>", "quality of service").choices(["0", "1", "2"]))
        .option("--payload <bytes>", "size of a message", whole)
        .option("--watch <seconds>", "again and again with this pause, until Ctrl-C", positive)
        .option("--junit <file>", "write a JUnit report")
        .action(
            (given: {
                pair?: string[];
                count?: number;
                rate?: number;
                qos?: string;
                payload?: number;
                watch?: number;
                junit?: string;
            }) =>
                onStack(async (state, options, shown) => {
                    const [{ verify }, { runDelivery }, { likelyCause }] = await Promise.all([
                        import("./verifyCommand.js"),
                        import("../probe/deliveryRun.js"),
                        import("../probe/pairDiagnosis.js"),
                    ]);
                    const { payload, qos, junit, ...rest } = given;
                    return await verify(
                        state,
                        {
                            ...rest,
                            qos: qos === undefined ? undefined : qos === "0" ? 0 : qos === "1" ? 1 : 2,
                            payloadBytes: payload,
                            junit: junit === undefined ? undefined : resolve(shown.cwd, junit),
                            timeoutSeconds: options.timeout === undefined ? undefined : Math.ceil(options.timeout),
                            json: options.json === true,
                        },
                        shown,
                        { run: runDelivery, cause: likelyCause },
                    );
                }),
        );

    program
        .command("doctor")
        .description("every check on both ends of every link, each with cause and fix")
        .option("--pair <key...>", "only these pairs, such as aws-gcp")
        .option("--all", "also show the checks that are fine")
        .action((given: { pair?: string[]; all?: boolean }) =>
            onStack(async (state, options, shown) => {
                const { doctor } = await import("./doctorCommand.js");
                return await doctor(
                    state,
                    { pair: given.pair, all: given.all === true, json: options.json === true, timeoutSeconds: options.timeout },
                    shown,
                );
            }),
        );

    program
        .command("logs")
        .description("the logs of local sites' brokers; for other sites, where they are")
        .argument("[site]", "one site (default: every local one)")
        .option("-f, --follow", "keep showing what is added, until Ctrl-C")
        .option("-n, --lines <n>", "lines to begin with", whole, 100)
        .action((site: string | undefined, given: { follow?: boolean; lines: number }) =>
            onStack(async (state, _options, shown) => {
                const { logs } = await import("./logsCommand.js");
                return await logs(state, { site, follow: given.follow === true, lines: given.lines }, shown);
            }),
        );

    for (const command of program.commands) {
        command.addHelpText("after", "\nGlobal options: see `linkspan --help`.");
    }
    return program;
}

function version(): string {
    const manifest: unknown = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
    return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";
}
