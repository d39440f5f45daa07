import { textAt } from "./paths.mts";
import { type Cloud, CloudError, type CloudObject } from "./types.mts";

/** A cloud with a few types, for tests of the framework itself. */
export const tinyCloud: Cloud = {
    name: "aws",
    version: "7.0.0",
    types: {
        "aws:t/net:Net": {
            required: ["range"],
            autoName: { max: 20 },
            replaceOn: ["range", "options.zone"],
            unique: ({ inputs }) => [textAt(inputs, "range")],
            id: ({ account }) => `net-${account.next("net")}`,
            outputs: ({ id, object }) => ({
                arn: `arn:${id}`,
                updates: object === undefined ? 0 : Number(object.outputs.updates) + 1,
            }),
            volatile: () => ["updates"],
            handles: ({ id, outputs }) => [id, textAt(outputs, "arn")],
            parts: (object) => [{ type: "aws:t/door:Door", id: `${object.id}-door`, inputs: { net: object.id }, outputs: {} }],
            timing: { create: 5, usableAfter: 60 },
        },
        "aws:t/door:Door": {
            references: [{ path: "net", to: "aws:t/net:Net" }],
            id: ({ account }) => `door-${account.next("door")}`,
        },
        "aws:t/ownDoor:OwnDoor": {
            references: [{ path: "net", to: "aws:t/net:Net", holds: false }],
            adopts: ({ inputs, account }) => account.list("aws:t/door:Door").find((each) => each.inputs.net === inputs.net),
            id: ({ object }) => object?.id ?? "",
        },
        "aws:t/host:Host": {
            defaults: ({ config }) => ({ region: config.region ?? "nowhere" }),
            references: [
                { path: "nets[].id", to: "aws:t/net:Net", patient: false, foreign: (value) => value === "default" },
                { path: "later", to: "aws:t/net:Net" },
            ],
            replaceOn: "all",
            deleteBeforeReplace: true,
            verify: ({ account, object }) => {
                if (object === undefined && account.list("aws:t/host:Host").length >= account.setting("hosts", 3)) {
                    throw new CloudError("LimitExceeded", "no more hosts");
                }
            },
            guard: ({ inputs }) => {
                if (inputs.locked === true) {
                    throw new CloudError("Locked", "the host is locked");
                }
            },
            id: ({ account }) => `host-${account.next("host")}`,
            timing: { create: 30, remove: 5 },
            lock: ({ inputs }) => {
                if (inputs.queue !== undefined) {
                    return { key: `queue ${textAt(inputs, "queue")}`, busy: "queue" };
                }
                return inputs.lock === undefined
                    ? undefined
                    : { key: textAt(inputs, "lock"), busy: new CloudError("Busy", "another operation is in progress") };
            },
        },
    },
    functions: {
        "aws:t/getZone:getZone": (args, { config }) => {
            if (args.fail === true) {
                throw new CloudError("NoSuchZone", "there is none");
            }
            return { zone: `${String(config.region)}a` };
        },
    },
    say: ({ code, message }, operation) => `${operation}: ${code}: ${message}`,
    missing: (type, handle) => new CloudError("NotFound", `no ${type} ${handle}`),
    inUse: (object: CloudObject, by: CloudObject) => new CloudError("InUse", `${object.id} is in use by ${by.id}`),
    duplicate: (_type, text) => new CloudError("Exists", `${text} exists`),
    machines: () => [],
    lookup: (_account, name) => (name === "two.example.com" ? ["192.0.2.1", "192.0.2.2"] : []),
    route: (_account, { source, address, port }, ready) => {
        if (address === "192.0.2.1") {
            return { dropped: "no rule" };
        }
        if (address !== "192.0.2.2") {
            return undefined;
        }
        const machines = ["one", "two"].filter(ready);
        return source === "203.0.113.7" && port === 8884 && machines.length > 0
            ? { machines, port: 8884 }
            : { refused: `no listener for ${source} on ${port}` };
    },
};
