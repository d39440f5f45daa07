import type { Access, DatabaseRule } from "../access.js";
import { ApiError, type Call, created, noContent, objectBody, ok, page, type Route } from "./router.js";

const authenticatorId = "password_based:built_in_database";
const ruleCount = 100;

function fault(message: string): ApiError {
    return new ApiError(400, "BAD_REQUEST", message);
}

function checkRules(value: unknown): DatabaseRule[] {
    if (!Array.isArray(value) || value.length > ruleCount) {
        throw fault(`rules must be a list of at most ${ruleCount} rules`);
    }
    return value.map((entry: Partial<DatabaseRule>) => {
        if (typeof entry?.topic !== "string" || entry.topic === "") {
            throw fault(JSON.stringify({ reason: "required_field", path: "rules.topic", kind: "validation_error" }));
        }
        if (entry.permission !== "allow" && entry.permission !== "deny") {
            throw fault(
                JSON.stringify({
                    value: entry.permission,
                    reason: "not_a_enum_symbol",
                    path: "rules.permission",
                    kind: "validation_error",
                }),
            );
        }
        if (entry.action !== "publish" && entry.action !== "subscribe" && entry.action !== "all") {
            throw fault(
                JSON.stringify({
                    value: entry.action,
                    reason: "not_a_enum_symbol",
                    path: "rules.action",
                    kind: "validation_error",
                }),
            );
        }
        return { topic: entry.topic, permission: entry.permission, action: entry.action };
    });
}

function text(body: Record<string, unknown>, key: string): string {
    const value = body[key];
    if (typeof value !== "string" || value === "") {
        throw fault(JSON.stringify({ reason: "required_field", path: key, kind: "validation_error" }));
    }
    return value;
}

/** `/authentication`: the one password authenticator and its users. */
function authenticationRoutes(access: Access): Route[] {
    const authenticator = {
        id: authenticatorId,
        backend: "built_in_database",
        bootstrap_file: "",
        bootstrap_type: "plain",
        enable: true,
        mechanism: "password_based",
        password_hash_algorithm: { name: "sha256", salt_position: "suffix" },
        precondition: "",
        user_id_type: "username",
    };
    const known = ({ params }: Call) => {
        if (params.id !== authenticatorId) {
            throw new ApiError(404, "NOT_FOUND", `Authenticator '${params.id}' does not exist`);
        }
    };
    const user = (call: Call) => {
        known(call);
        const found = access.user(call.params.user ?? "");
        if (found === undefined) {
            throw new ApiError(404, "NOT_FOUND", "User not found");
        }
        return found;
    };
    const root = "/api/v5/authentication";
    return [
        { method: "GET", path: root, handle: () => ok([authenticator]) },
        {
            method: "POST",
            path: root,
            handle: () => {
                throw new ApiError(400, "ALREADY_EXISTS", `Authenticator '${authenticatorId}' already exists`);
            },
        },
        {
            method: "GET",
            path: `${root}/{id}`,
            handle: (call) => {
                known(call);
                return ok(authenticator);
            },
        },
        {
            method: "GET",
            path: `${root}/{id}/users`,
            handle: (call) => {
                known(call);
                const like = call.query.get("like_user_id");
                const users = access
                    .users()
                    .filter(({ username }) => like === null || username.includes(like))
                    .map(({ username, superuser }) => ({ is_superuser: superuser, user_id: username }));
                return ok(page(users, call.query));
            },
        },
        {
            method: "POST",
            path: `${root}/{id}/users`,
            handle: (call) => {
                known(call);
                const body = objectBody(call);
                const name = text(body, "user_id");
                const password = text(body, "password");
                if (access.user(name) !== undefined) {
                    throw new ApiError(409, "ALREADY_EXISTS", "User already exists");
                }
                access.setUser(name, password, body.is_superuser === true);
                return created({ is_superuser: body.is_superuser === true, user_id: name });
            },
        },
        {
            method: "GET",
            path: `${root}/{id}/users/{user}`,
            handle: (call) => {
                const { superuser, username } = user(call);
                return ok({ is_superuser: superuser, user_id: username });
            },
        },
        {
            method: "PUT",
            path: `${root}/{id}/users/{user}`,
            handle: (call) => {
                const { username } = user(call);
                const body = objectBody(call);
                access.setUser(
                    username,
                    text(body, "password"),
                    body.is_superuser === undefined ? undefined : body.is_superuser === true,
                );
                return ok({ is_superuser: user(call).superuser, user_id: username });
            },
        },
        {
            method: "DELETE",
            path: `${root}/{id}/users/{user}`,
            handle: (call) => {
                access.removeUser(user(call).username);
                return noContent;
            },
        },
    ];
}

/** Rules per user, per client id and for all: EMQX's built_in_database source. */
function ruleRoutes(access: Access): Route[] {
    const root = "/api/v5/authorization/sources/built_in_database/rules";
    const kinds = [
        { kind: "users", field: "username", rules: access.state.userRules },
        { kind: "clients", field: "clientid", rules: access.state.clientRules },
    ] as const;
    const perName = kinds.flatMap(({ kind, field, rules }): Route[] => {
        const one = ({ params }: Call) => {
            const name = params.name ?? "";
            if (!Object.hasOwn(rules, name)) {
                throw new ApiError(404, "NOT_FOUND", "Not Found");
            }
            return name;
        };
        return [
            {
                method: "GET",
                path: `${root}/${kind}`,
                handle: (call) =>
                    ok(
                        page(
                            Object.entries(rules).map(([name, list]) => ({ [field]: name, rules: list })),
                            call.query,
                        ),
                    ),
            },
            {
                method: "POST",
                path: `${root}/${kind}`,
                handle: (call) => {
                    if (!Array.isArray(call.body)) {
                        throw fault("the body must be a list");
                    }
                    const entries = call.body.map(
                        (entry: Record<string, unknown>) => [text(entry, field), checkRules(entry.rules)] as const,
                    );
                    const twice = entries.find(([name]) => Object.hasOwn(rules, name));
                    if (twice !== undefined) {
                        throw new ApiError(
                            409,
                            "ALREADY_EXISTS",
                            `${kind === "users" ? "User" : "Client"} '${twice[0]}' already exist`,
                        );
                    }
                    for (const [name, list] of entries) {
                        rules[name] = list;
                    }
                    access.save();
                    return noContent;
                },
            },
            {
                method: "GET",
                path: `${root}/${kind}/{name}`,
                handle: (call) => ok({ [field]: one(call), rules: rules[one(call)] }),
            },
            {
                method: "PUT",
                path: `${root}/${kind}/{name}`,
                handle: (call) => {
                    rules[call.params.name ?? ""] = checkRules(objectBody(call).rules);
                    access.save();
                    return noContent;
                },
            },
            {
                method: "DELETE",
                path: `${root}/${kind}/{name}`,
                handle: (call) => {
                    delete rules[one(call)];
                    access.save();
                    return noContent;
                },
            },
        ];
    });
    const setAll = (list: DatabaseRule[]) => {
        access.state.allRules = list;
        access.save();
        return noContent;
    };
    return [
        ...perName,
        { method: "GET", path: `${root}/all`, handle: () => ok({ rules: access.state.allRules }) },
        { method: "POST", path: `${root}/all`, handle: (call) => setAll(checkRules(objectBody(call).rules)) },
        { method: "DELETE", path: `${root}/all`, handle: () => setAll([]) },
    ];
}

/** `/authorization`: settings and sources. */
function authorizationRoutes(access: Access): Route[] {
    const root = "/api/v5/authorization";
    const database = () => ({ type: "built_in_database", enable: true, max_rules: ruleCount });
    const file = {
        type: "file",
        enable: true,
        rules: "%% the rules of this broker's configuration, after the built-in ones for $LINK and $SYS",
    };
    const mayHaveDatabase = () => {
        if (!access.state.databaseEnabled) {
            throw new ApiError(404, "NOT_FOUND", "Not found: built_in_database");
        }
    };
    const setDatabase = (enabled: boolean) => {
        access.state.databaseEnabled = enabled;
        access.save();
        return noContent;
    };
    return [
        { method: "GET", path: `${root}/settings`, handle: () => ok(access.settings) },
        {
            method: "PUT",
            path: `${root}/settings`,
            handle: (call) => {
                const body = objectBody(call);
                const { cache, no_match, deny_action } = { ...access.settings, ...body } as typeof access.settings;
                if ((no_match !== "allow" && no_match !== "deny") || (deny_action !== "ignore" && deny_action !== "disconnect")) {
                    throw fault(JSON.stringify({ reason: "not_a_enum_symbol", path: "settings", kind: "validation_error" }));
                }
                access.state.settings = { cache, deny_action, no_match };
                access.save();
                return ok(access.settings);
            },
        },
        {
            method: "GET",
            path: `${root}/sources`,
            handle: () => ok({ sources: access.state.databaseEnabled ? [file, database()] : [file] }),
        },
        {
            method: "POST",
            path: `${root}/sources`,
            handle: (call) => {
                if (objectBody(call).type !== "built_in_database") {
                    throw fault("this local broker has the sources file and built_in_database only");
                }
                if (access.state.databaseEnabled) {
                    throw fault("duplicated_authz_source_type: built_in_database");
                }
                return setDatabase(true);
            },
        },
        {
            method: "GET",
            path: `${root}/sources/built_in_database`,
            handle: () => {
                mayHaveDatabase();
                return ok(database());
            },
        },
        {
            method: "DELETE",
            path: `${root}/sources/built_in_database`,
            handle: () => {
                mayHaveDatabase();
                return setDatabase(false);
            },
        },
        ...ruleRoutes(access),
    ];
}

export function securityRoutes(access: Access): Route[] {
    return [...authenticationRoutes(access), ...authorizationRoutes(access)];
}
