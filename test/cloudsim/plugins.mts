import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CloudName } from "./types.mts";

/**
 * Writes the executables that the engine starts as provider plugins. Each prints the port on which the simulation serves its cloud and
 * stays as long as the engine does: the simulation is one process for all clouds and all commands, so that a command starts fast and
 * an account outlives it. When the simulation is gone, as after a killed test, it ends the engine, which would wait for ever.
 *
 * @returns the folder to put first on PATH
 */
export function writePlugins(folder: string, clouds: readonly CloudName[]): string {
    const bin = join(folder, "bin");
    mkdirSync(bin, { recursive: true });
    for (const cloud of clouds) {
        const script = `#!/bin/sh
cat '${portFile(folder, cloud)}' || exit 1
exec >/dev/null 2>&1
while kill -0 "$PPID"; do
    kill -0 ${process.pid} || kill -9 "$PPID"
    sleep 1
done
`;
        writeFileSync(join(bin, `pulumi-resource-${cloud}`), script, { mode: 0o755 });
    }
    return bin;
}

/** Tells plugins that start from now on where the simulation serves a cloud. */
export function writePort(folder: string, cloud: CloudName, port: number): void {
    writeFileSync(portFile(folder, cloud), `${port}\n`);
}

function portFile(folder: string, cloud: CloudName): string {
    return join(folder, `${cloud}.port`);
}
