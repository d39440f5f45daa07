import { type EmqxClient, UnknownOutcomeError, type UserLogin } from "../emqx/client.js";
import { codeOf, statusOf } from "./apiCalls.js";

/** Makes a user of the built-in database, or takes over the one of its name. It is never left a superuser. */
export async function ensureUser(client: EmqxClient, { username, password }: Omit<UserLogin, "superuser">): Promise<void> {
    const exists = (await client.getUser(username)) !== undefined;
    try {
        await (exists
            ? client.updateUser(username, { password, superuser: false })
            : client.addUser({ username, password, superuser: false }));
    } catch (error) {
        // Somebody made or removed it in between.
        if (codeOf(error) === "ALREADY_EXISTS") {
            await client.updateUser(username, { password, superuser: false });
        } else if (statusOf(error) === 404 && exists) {
            await client.addUser({ username, password, superuser: false });
        } else {
            throw error;
        }
    }
}

/** For changes that may be made twice without harm: one that had no answer is simply made again. */
export async function again<T>(change: () => Promise<T>): Promise<T> {
    try {
        return await change();
    } catch (error) {
        if (!(error instanceof UnknownOutcomeError)) {
            throw error;
        }
        return change();
    }
}
