// The layers of the sources, highest last. Imports point down or stay within a layer; ARCHITECTURE.md says why.
const layers = [
    { name: "L0 errors and names", path: "^src/(errors|naming)[.]ts$" },
    { name: "L1 addressing, IPsec and EMQX", path: "^src/(addressing|emqx|ipsec)/" },
    { name: "L2 contracts, input, dynamic resources", path: "^src/(contracts/|dynamic/|input[.]ts$)" },
    { name: "L3 tiers, links, probe, identities, what cloud clusters share", path: "^src/(tiers|link|probe|identity|cluster)/" },
    { name: "L4 kinds of sites", path: "^src/(local|external|aws|gcp|azure)/" },
    {
        name: "L5 mesh, ready stack, command line, policies",
        path: "^src/(mesh[^/]*[.]ts$|migration|failover|stack/|cli/|policy/)",
    },
    { name: "L6 entry points", path: "^src/(index|provider)[.]ts$" },
];
const anyLayer = layers.map(({ path }) => path).join("|");
const tests = "[.]test[.]ts$";
const pulumi = "node_modules/@pulumi/|^@pulumi/";

const upward = layers.slice(0, -1).map(({ name, path }, level) => ({
    name: `no-import-upward-from-L${level}`,
    comment: `${name} must not know the layers above it.`,
    severity: "error",
    from: { path, pathNot: tests },
    to: {
        path: layers
            .slice(level + 1)
            .map((above) => above.path)
            .join("|"),
    },
}));

/** A kind of site sees its own folder only, never another kind's. */
const sites = ["local", "external", "aws", "gcp", "azure"];
const siteFolders = sites.map((site) => ({
    name: `no-other-site-from-${site}`,
    comment:
        "What kinds of sites share belongs into contracts/ or tiers/, so that a new kind adds one folder and no edit elsewhere.",
    severity: "error",
    from: { path: `^src/${site}/`, pathNot: tests },
    to: {
        path: `^src/(${sites.filter((other) => other !== site).join("|")})/`,
    },
}));

/** Each cloud's SDK is touched in its own folder only: a program loads no more clouds than it names. */
const cloudSdks = [
    ["aws", "aws"],
    ["gcp", "gcp"],
    ["azure", "azure-native"],
].map(([folder, sdk]) => ({
    name: `cloud-sdk-${sdk}-only-under-${folder}`,
    comment: `@pulumi/${sdk} is optional for users; only src/${folder} may import it, in code or in types.`,
    severity: "error",
    from: { pathNot: `^src/${folder}/` },
    to: { path: `node_modules/@pulumi/${sdk}(/|$)|^@pulumi/${sdk}(/|$)` },
}));

/** Peer dependencies are development dependencies as well, so that this repository has them. */
const peers = "node_modules/@pulumi/(pulumi|aws|gcp|azure-native|policy)/";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
    forbidden: [
        ...upward,
        ...siteFolders,
        ...cloudSdks,
        {
            name: "policy-sdk-only-under-policy",
            comment: "@pulumi/policy is optional for users; only src/policy may import it, in code or in types.",
            severity: "error",
            from: { pathNot: "^src/policy/" },
            to: { path: "node_modules/@pulumi/policy(/|$)|^@pulumi/policy(/|$)" },
        },
        {
            name: "no-sites-in-policy",
            comment: "Rules look at plain resources of anybody's program: they know addresses and words, and no kind of site.",
            severity: "error",
            from: { path: "^src/policy/", pathNot: tests },
            to: { path: "^src/", pathNot: `^src/policy/|${layers[0].path}|${layers[1].path}` },
        },
        {
            name: "no-pulumi-below-contracts",
            comment: "Errors, names, addressing and the EMQX client are plain code: usable and testable without Pulumi.",
            severity: "error",
            from: { path: `${layers[0].path}|${layers[1].path}` },
            to: { path: pulumi },
        },
        {
            name: "no-pulumi-in-broker-and-command-line",
            comment: "The local broker is a process of its own and the command line starts fast: neither loads Pulumi's SDK.",
            severity: "error",
            from: { path: "^src/(local/broker|cli)/" },
            to: { path: pulumi },
        },
        {
            name: "no-pulumi-in-network-holder",
            comment: "What holds a local network is a process of its own too: it outlives every run of Pulumi.",
            severity: "error",
            from: { path: "^src/local/network/holder/", pathNot: tests },
            to: { path: pulumi },
        },
        {
            name: "no-site-code-in-network-holder",
            comment:
                "What holds a local network knows addresses, IPsec configuration and how processes are told apart, nothing of the library around it.",
            severity: "error",
            from: { path: "^src/local/network/holder/", pathNot: tests },
            to: {
                path: "^src/",
                pathNot: `^src/local/network/holder/|^src/local/broker/(files|lease|log|processIdentity)[.]ts$|${layers[0].path}|${layers[1].path}`,
            },
        },
        {
            name: "no-site-code-in-broker",
            comment:
                "The local broker stands alone: it may use errors, names and EMQX's formats, nothing of the library around it.",
            severity: "error",
            from: { path: "^src/local/broker/", pathNot: tests },
            to: { path: "^src/", pathNot: `^src/local/broker/|${layers[0].path}|${layers[1].path}` },
        },
        {
            name: "mqtt-only-in-probe-and-broker",
            comment:
                "MQTT is spoken by the delivery probe and the local broker; everything else works through REST or through these two.",
            severity: "error",
            from: { path: "^src/", pathNot: `^src/(probe|local/broker)/|${tests}` },
            to: { path: "node_modules/(mqtt|mqtt-packet|aedes)(/|$)|^(mqtt|mqtt-packet|aedes)$" },
        },
        {
            name: "not-placed-in-a-layer",
            comment:
                "Every source belongs to a layer. Put the file into a folder of its layer, or name it in .dependency-cruiser.cjs.",
            severity: "error",
            module: { path: "^src/", pathNot: `${anyLayer}|${tests}`, numberOfDependentsLessThan: 100 },
            from: {},
        },
        {
            name: "no-circular",
            comment: "Two modules that need each other are one module, or want a third one below them.",
            severity: "error",
            from: {},
            to: { circular: true },
        },
        {
            name: "no-import-of-dist",
            comment: "Sources import sources. Only tests of the packed package see dist/, by the package's name.",
            severity: "error",
            from: { path: "^src/" },
            to: { path: "^dist/|[.]{2}/dist/" },
        },
        {
            name: "no-test-in-source",
            comment: "Code must not depend on tests or on what only tests use.",
            severity: "error",
            from: { path: "^src/", pathNot: tests },
            to: { path: `^test/|${tests}` },
        },
        {
            name: "no-undeclared-package",
            comment:
                "What users run may use declared dependencies only: a devDependency or a package of a package is missing at their place.",
            severity: "error",
            from: { path: "^src/", pathNot: tests },
            to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: peers },
        },
        {
            name: "no-unresolvable",
            comment: "An import that leads nowhere.",
            severity: "error",
            from: {},
            // The package's own name leads to dist/, which need not be built for this check.
            to: { couldNotResolve: true, pathNot: "^linkspan(/|$)" },
        },
        {
            name: "no-catch-all-names",
            comment: "Name a file after what it does; utils, helpers and common collect what nobody finds again.",
            severity: "error",
            module: {
                path: "(^|/)(utils?|helpers?|common)([.][cm]?[jt]s$|/)",
                pathNot: "node_modules",
                numberOfDependentsLessThan: 100,
            },
            from: {},
        },
    ],
    options: {
        doNotFollow: { path: "node_modules|^dist/" },
        exclude: { path: "^examples/" },
        // Imports of types count as well: a type of an SDK in a public declaration binds users just the same.
        tsPreCompilationDeps: true,
        tsConfig: { fileName: "tsconfig.json" },
        enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default", "types"] },
    },
};
