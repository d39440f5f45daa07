import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import { join } from "node:path";
import { Access } from "./access.js";
import { Alarms } from "./alarms.js";
import { type BrokerPorts, checkBrokerConfig, type LocalBrokerConfig, resolveLimits } from "./config.js";
import { Engine } from "./engine.js";
import { Evacuations } from "./evacuation.js";
import { License } from "./license.js";
import { LinkManager } from "./links/manager.js";
import { publishOwnName } from "./links/names.js";
import { type Listener, linkContext, listen, mqttListeners, serverContext } from "./listeners.js";
import { type Log, silent } from "./log.js";
import { Members } from "./members.js";
import { clientRoutes, listenerRoutes } from "./rest/clients.js";
import { connectorRoutes } from "./rest/connectors.js";
import { linkRoutes } from "./rest/links.js";
import { nodeRoutes } from "./rest/node.js";
import { Router } from "./rest/router.js";
import { securityRoutes } from "./rest/security.js";

/** A running broker. */
export interface Broker {
    /** The ports it listens on. */
    readonly ports: BrokerPorts;
    readonly engine: Engine;
    readonly links: LinkManager;
    /** Takes users, rules, keys and certificates of a changed configuration; everything else needs a new start. */
    reload(config: LocalBrokerConfig): void;
    /** Closes the doors, sends what the links still hold (at most `limits.drainMs`) and frees the data folder. */
    stop(): Promise<void>;
}

/**
 * Starts a broker in this process. Its state is under `<stateDir>/data`. Throws an InputError for a wrong configuration and an OperationError when a port is
 * taken or the data folder is in use.
 */
export async function startBroker(
    config: LocalBrokerConfig,
    options: { readonly stateDir: string; readonly log?: Log },
): Promise<Broker> {
    let current = checkBrokerConfig(config);
    const log = options.log ?? silent;
    const startedAt = Date.now();
    const dataDir = join(options.stateDir, "data");
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const access = new Access(current, join(dataDir, "access.json"));
    const alarms = new Alarms();
    const engine = await Engine.start(current, join(dataDir, "messages"), access, log);
    const links = new LinkManager(current, dataDir, engine, alarms, log);
    const members = new Members(current.nodeName, startedAt, current.membersFile);
    const license = new License(join(dataDir, "license"));
    const evacuations = new Evacuations(engine, members, resolveLimits(current.limits).evacuationWaitMs);
    const listeners = mqttListeners(
        () => current,
        (socket, listener) => engine.handle(socket, listener),
        log,
    );
    const router = new Router(
        [
            ...nodeRoutes({ config: current, engine, links, alarms, members, evacuations, license }),
            ...linkRoutes(links, current.nodeName),
            ...clientRoutes(engine, current.nodeName),
            ...listenerRoutes(listeners, current.nodeName),
            ...securityRoutes(access),
            ...connectorRoutes(current),
        ],
        access,
        log,
    );
    const api = createServer(
        { ...serverContext(current), keepAliveTimeout: 60_000 },
        (request, response) => void router.serve(request, response),
    );
    api.on("connection", (socket: Socket) => socket.setNoDelay(true));

    const close = async (doors: readonly Listener[]) => {
        await Promise.all(doors.map((door) => door.close()));
    };
    const stop = async () => {
        evacuations.abandon();
        engine.refuseNew = true;
        // Devices first, so that nothing new comes; the links' door last, so that peers can still hand over what is on its way.
        await close([listeners["tcp:default"], listeners["ssl:default"]]);
        await links.drain(resolveLimits(current.limits).drainMs);
        links.stop();
        await close(Object.values(listeners));
        await closeApi(api);
        await engine.stop();
    };
    try {
        await openDoors(listeners);
        await listen(api, current.bind, current.ports.api, "api");
    } catch (error) {
        await stop();
        throw error;
    }
    const ports: BrokerPorts = {
        mqtt: listeners["tcp:default"].port,
        mqtts: listeners["ssl:default"].port,
        links: listeners["ssl:links"].port,
        api: portOf(api),
    };
    publishOwnName(current.namesDir, current.linkHost, current.bind, ports.links);
    links.start();
    log("started", {
        node: current.nodeName,
        cluster: current.clusterName,
        ports,
        run: randomBytes(4).toString("hex"),
        pid: process.pid,
    });
    return {
        ports,
        engine,
        links,
        reload: (next) => {
            current = checkBrokerConfig(next);
            access.reload(current);
            listeners["ssl:default"].renew(serverContext(current));
            listeners["ssl:links"].renew(linkContext(current));
            api.setSecureContext(serverContext(current));
            log("reloaded");
        },
        stop,
    };
}

async function openDoors(listeners: Record<string, Listener>): Promise<void> {
    for (const listener of Object.values(listeners)) {
        if (listener.enabled) {
            await listener.open();
        }
    }
}

function portOf(server: Server): number {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
}

async function closeApi(api: Server): Promise<void> {
    if (api.listening) {
        await new Promise<void>((resolve) => {
            api.close(() => resolve());
            api.closeAllConnections();
        });
    }
}
