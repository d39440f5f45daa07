// Starts a script of this folder: `node scripts/run.cjs demo up`. Plain JavaScript of an old dialect on purpose: an older Node
// has to get far enough to say what is missing. `npm run` puts the repository's own Node 22 (npm package `node`) first on PATH.
const path = require("node:path");
const childProcess = require("node:child_process");
const fs = require("node:fs");
const url = require("node:url");

const root = path.resolve(__dirname, "..");
const name = process.argv[2] || "";
const script = path.join(__dirname, `${name}.mts`);
const version = process.versions.node.split(".").map(Number);
// 22.18 is the first version 22 that runs TypeScript without a flag.
const able = version[0] > 22 || (version[0] === 22 && version[1] >= 18);
const own = path.join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");

function stop(text) {
    process.stderr.write(`${text}\n`);
    process.exit(1);
}

if (!/^[a-zA-Z]+$/.test(name) || !fs.existsSync(script)) {
    process.stderr.write(`No script ${JSON.stringify(name)} in scripts/.\n`);
    process.exit(2);
}
if (!fs.existsSync(path.join(root, "node_modules", "typescript"))) {
    stop("The dependencies are not installed: run `npm ci` in the repository first.");
}
if (able) {
    process.argv.splice(1, 2, script);
    import(url.pathToFileURL(script).href).catch((error) => {
        process.stderr.write(`${error?.stack ? error.stack : error}\n`);
        process.exit(1);
    });
} else if (!fs.existsSync(own) || process.env.LINKSPAN_OWN_NODE) {
    stop(
        `Node 22.18 or newer is needed, this is ${process.version}. \`npm ci\` brings Node 22 along as the npm package \`node\`; ` +
            "it needs that package's install script (do not use --ignore-scripts), then `npm run ...` uses it.",
    );
} else {
    const child = childProcess.spawn(own, process.argv.slice(1), {
        stdio: "inherit",
        env: Object.assign({}, process.env, { LINKSPAN_OWN_NODE: "1" }),
    });
    ["SIGINT", "SIGTERM", "SIGHUP"].forEach((signal) => {
        // A terminal signals the child itself; a signal sent to this process only is passed on.
        process.on(signal, () => {
            if (signal !== "SIGINT") child.kill(signal);
        });
    });
    child.on("exit", (code, signal) => process.exit(signal ? 128 + (signal === "SIGINT" ? 2 : 15) : code));
}
