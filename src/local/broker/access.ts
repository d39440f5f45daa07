import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { covers, matches } from "../../emqx/topicFilter.js";
import { OperationError } from "../../errors.js";
import type { AclRule, ApiRole, BrokerApiKey, BrokerUser, LocalBrokerConfig } from "./config.js";
import { writePrivate } from "./files.js";
import { linkTopicRoot } from "./message.js";

/** Who is behind a connection. */
export interface Person {
    readonly username: string | undefined;
    readonly clientId: string;
    readonly superuser: boolean;
    /** `cluster.name` of the peer, when this is the user of a peer's link. */
    readonly link: string | undefined;
}

/** A rule of EMQX's built_in_database source. */
export interface DatabaseRule {
    readonly topic: string;
    readonly permission: "allow" | "deny";
    readonly action: "publish" | "subscribe" | "all";
}

export interface AuthorizationSettings {
    no_match: "allow" | "deny";
    deny_action: "ignore" | "disconnect";
    cache: Record<string, unknown>;
}

/** A user that REST added, changed or removed. */
export interface ChangedUser {
    readonly passwordHash: string;
    readonly salt: string;
    readonly superuser: boolean;
    readonly removed?: true;
    /** The configuration's hash at the time of the change: a later change of the configuration wins over this one. */
    readonly instead?: string;
}

/** What was added or changed by REST; kept in `data/access.json`. */
export interface AccessState {
    users: Record<string, ChangedUser>;
    userRules: Record<string, DatabaseRule[]>;
    clientRules: Record<string, DatabaseRule[]>;
    allRules: DatabaseRule[];
    databaseEnabled: boolean;
    settings?: AuthorizationSettings;
}

const linkUserPrefix = "link-";

function sha256(text: string | Buffer, salt: string): Buffer {
    return createHash("sha256").update(text).update(salt).digest();
}

/** Users, access rules and API keys. */
export class Access {
    readonly #path: string;
    #config: LocalBrokerConfig;
    readonly state: AccessState;

    constructor(config: LocalBrokerConfig, path: string) {
        this.#config = config;
        this.#path = path;
        const kept = read(path);
        this.state = {
            ...kept,
            // Names come from users: none of them may reach an object's prototype.
            users: bare(kept.users),
            userRules: bare(kept.userRules),
            clientRules: bare(kept.clientRules),
            allRules: kept.allRules ?? [],
            databaseEnabled: kept.databaseEnabled ?? true,
        };
    }

    /** Takes the users, rules and keys of a changed configuration. */
    reload(config: LocalBrokerConfig): void {
        this.#config = config;
    }

    /** Writes what REST changed. */
    save(): void {
        writePrivate(this.#path, JSON.stringify(this.state));
    }

    get settings(): AuthorizationSettings {
        return (
            this.state.settings ?? {
                cache: { enable: true, excludes: [], max_size: 32, ttl: "1m" },
                deny_action: "ignore",
                no_match: this.#config.noMatch,
            }
        );
    }

    get denyAction(): "ignore" | "disconnect" {
        return this.settings.deny_action;
    }

    // Users

    users(): BrokerUser[] {
        const names = new Set([...this.#config.users.map(({ username }) => username), ...Object.keys(this.state.users)]);
        return [...names].flatMap((name) => this.user(name) ?? []);
    }

    user(username: string): BrokerUser | undefined {
        const configured = this.#config.users.find((user) => user.username === username);
        const changed = this.state.users[username];
        if (changed === undefined || (configured !== undefined && configured.passwordHash !== changed.instead)) {
            return configured;
        }
        const { passwordHash, salt, superuser, removed } = changed;
        return removed === true ? undefined : { username, passwordHash, salt, superuser };
    }

    setUser(username: string, password: string | undefined, superuser: boolean | undefined): void {
        const before = this.user(username);
        const salt = password === undefined ? (before?.salt ?? "") : randomBytes(16).toString("hex");
        const passwordHash = password === undefined ? (before?.passwordHash ?? "") : sha256(password, salt).toString("hex");
        this.#change(username, { passwordHash, salt, superuser: superuser ?? before?.superuser ?? false });
    }

    removeUser(username: string): void {
        if (this.#config.users.some((user) => user.username === username)) {
            this.#change(username, { passwordHash: "", salt: "", superuser: false, removed: true });
        } else {
            delete this.state.users[username];
            this.save();
        }
    }

    #change(username: string, user: ChangedUser): void {
        const instead = this.#config.users.find((other) => other.username === username)?.passwordHash;
        this.state.users[username] = instead === undefined ? user : { ...user, instead };
        this.save();
    }

    /** Logs a client in. The answer is the person, or the reason of the refusal. */
    login(
        username: string | undefined,
        password: Buffer | undefined,
        clientId: string,
        linkDoor: boolean,
    ): Person | "bad_username_or_password" | "not_authorized" {
        const user = username === undefined ? undefined : this.user(username);
        const given = sha256(password ?? "", user?.salt ?? "");
        const expected = Buffer.from(user?.passwordHash ?? "", "hex");
        if (user === undefined || expected.length !== given.length || !timingSafeEqual(expected, given)) {
            return "bad_username_or_password";
        }
        const link = user.username.startsWith(linkUserPrefix) ? user.username.slice(linkUserPrefix.length) : undefined;
        if (linkDoor && link === undefined) {
            return "not_authorized";
        }
        return { username: user.username, clientId, superuser: user.superuser, link };
    }

    // Rules

    mayPublish(person: Person, topic: string): boolean {
        return this.#may(person, "publish", topic);
    }

    maySubscribe(person: Person, filter: string): boolean {
        return this.#may(person, "subscribe", filter);
    }

    #may(person: Person, action: "publish" | "subscribe", topic: string): boolean {
        if (person.link !== undefined) {
            const denied = this.#database(person, action, topic) === "deny";
            return !denied && mayLink(person.link, action, topic);
        }
        if (topic.startsWith(linkTopicRoot) || topic === "$LINK") {
            return false;
        }
        if (person.superuser) {
            return true;
        }
        if (action === "subscribe" && (topic.startsWith("$SYS/") || topic === "#" || topic === "+/#")) {
            return false;
        }
        return (
            (this.#database(person, action, topic) ?? this.#configured(person, action, topic) ?? this.settings.no_match) ===
            "allow"
        );
    }

    #database(person: Person, action: "publish" | "subscribe", topic: string): "allow" | "deny" | undefined {
        if (!this.state.databaseEnabled) {
            return undefined;
        }
        const { clientRules, userRules, allRules } = this.state;
        const first = (rules: readonly DatabaseRule[] | undefined) =>
            rules?.find((rule) => (rule.action === "all" || rule.action === action) && fits(rule.topic, action, topic, person))
                ?.permission;
        const own = Object.hasOwn(clientRules, person.clientId) ? clientRules[person.clientId] : undefined;
        const users =
            person.username !== undefined && Object.hasOwn(userRules, person.username) ? userRules[person.username] : undefined;
        return first(own) ?? first(users) ?? first(allRules);
    }

    #configured(person: Person, action: "publish" | "subscribe", topic: string): "allow" | "deny" | undefined {
        return this.#config.acl.find(
            (rule: AclRule) =>
                (rule.action === "all" || rule.action === action) &&
                (rule.username === undefined || rule.username === person.username) &&
                (rule.clientId === undefined || rule.clientId === person.clientId) &&
                rule.topics.some((filter) => fits(filter, action, topic, person)),
        )?.permission;
    }

    // API keys

    /** Role of an API key, undefined when key and secret do not belong together. */
    apiRole(key: string, secret: string): ApiRole | undefined {
        const found = this.#config.api.find((entry: BrokerApiKey) => entry.key === key);
        const given = sha256(secret, "");
        const expected = Buffer.from(found?.secretHash ?? "", "hex");
        return found !== undefined && expected.length === given.length && timingSafeEqual(expected, given)
            ? found.role
            : undefined;
    }
}

/** What the user of a peer's link may do: use its own `$LINK` topics and nothing else. */
function mayLink(peer: string, action: "publish" | "subscribe", topic: string): boolean {
    if (action === "publish") {
        return topic === `${linkTopicRoot}cluster/route/${peer}` || topic === `${linkTopicRoot}cluster/msg/${peer}`;
    }
    const prefix = `${linkTopicRoot}cluster/resp/${peer}/`;
    return topic.startsWith(prefix) && topic.length > prefix.length && !/[/#]/.test(topic.slice(prefix.length));
}

/** A rule for subscriptions fits a filter that asks for nothing beyond it. */
function fits(pattern: string, action: "publish" | "subscribe", topic: string, person: Person): boolean {
    const within = action === "publish" ? matches : covers;
    if (pattern.startsWith("eq ")) {
        return pattern.slice(3) === topic;
    }
    if (!pattern.includes("${")) {
        return within(pattern, topic);
    }
    // A name with a wildcard or a slash in it must not widen the rule.
    const filled = pattern.replace(/\$\{(username|clientid)\}/g, (_all, word: string) => {
        const value = word === "username" ? person.username : person.clientId;
        return value === undefined || /[/+#]/.test(value) ? "\u0000" : value;
    });
    return !filled.includes("\u0000") && within(filled, topic);
}

function bare<T>(record: Record<string, T> | undefined): Record<string, T> {
    return Object.assign(Object.create(null), record);
}

function read(path: string): Partial<AccessState> {
    let text: string;
    try {
        text = readFileSync(path, "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return {};
        }
        throw error;
    }
    try {
        return JSON.parse(text) as Partial<AccessState>;
    } catch {
        // Going on without the rules in it could open what they close.
        throw new OperationError({
            what: "read users and rules",
            where: path,
            message: "the file is no JSON",
            todo: " Restore the file, or remove it to go on with the configuration's users and rules only.",
        });
    }
}
