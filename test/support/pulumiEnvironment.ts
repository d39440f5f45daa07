import { ensurePulumi } from "../../scripts/pulumi.mts";

let environment: Promise<NodeJS.ProcessEnv> | undefined;

/** The environment in which the Pulumi CLI and its hosts are found; installs or builds them where they are missing. */
export function pulumiEnvironment(): Promise<NodeJS.ProcessEnv> {
    environment ??= ensurePulumi().then((pulumi) => ({ ...pulumi.env, PULUMI_NODEJS_TYPESCRIPT: undefined, NO_COLOR: "1" }));
    return environment;
}
