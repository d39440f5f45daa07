import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";

const root = join(__dirname, "..", "..");

function sources(folder: string): string[] {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        return entry.isDirectory() ? sources(path) : path.endsWith(".ts") && !path.endsWith(".test.ts") ? [path] : [];
    });
}

let built: string | undefined;

/** The broker's process entry as JavaScript, translated from the sources as they are at the first call. Kept below node_modules/.cache. */
export function builtBroker(): string {
    built ??= build();
    return built;
}

function build(): string {
    const files = [
        join(root, "src/errors.ts"),
        join(root, "src/emqx/topicFilter.ts"),
        ...sources(join(root, "src/local/broker")),
    ];
    const hash = createHash("sha256");
    for (const file of files) {
        hash.update(file).update(readFileSync(file));
    }
    const cache = join(root, "node_modules/.cache/linkspan");
    const folder = join(cache, `broker-${hash.digest("hex").slice(0, 16)}`);
    const main = join(folder, "local/broker/main.js");
    if (existsSync(main)) {
        return main;
    }
    const half = `${folder}.${process.pid}`;
    for (const file of files) {
        const target = join(half, relative(join(root, "src"), file)).replace(/\.ts$/, ".js");
        mkdirSync(dirname(target), { recursive: true });
        const { outputText } = ts.transpileModule(readFileSync(file, "utf8"), {
            fileName: file,
            compilerOptions: {
                target: ts.ScriptTarget.ES2022,
                module: ts.ModuleKind.Node16,
                moduleResolution: ts.ModuleResolutionKind.Node16,
                esModuleInterop: true,
            },
        });
        writeFileSync(target, outputText);
    }
    writeFileSync(join(half, "package.json"), '{"type":"commonjs"}');
    try {
        renameSync(half, folder);
    } catch {
        // Another test was faster.
        rmSync(half, { recursive: true, force: true });
    }
    return main;
}
