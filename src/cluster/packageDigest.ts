import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { guardedLookup } from "../emqx/guardedLookup.js";
import { checkHost, withoutSecrets } from "../emqx/host.js";
import { messageOf, OperationError, quote } from "../errors.js";

/** What a file was found to be. */
export interface PackageDigest {
    readonly sha256: string;
    readonly bytes: number;
}

/** What a download may take, and where it may go; tests take less. */
export interface DownloadLimits {
    readonly bytes: number;
    /** For all attempts together. */
    readonly totalSeconds: number;
    /** Without a byte. */
    readonly idleSeconds: number;
    readonly redirects: number;
    readonly attempts: number;
    /** PEM of a further authority. @default the public ones */
    readonly ca?: string | undefined;
    /** @default false */
    readonly allowLoopback?: boolean | undefined;
}

export const downloadLimits: DownloadLimits = {
    bytes: 1024 ** 3,
    totalSeconds: 1_200,
    idleSeconds: 60,
    redirects: 5,
    attempts: 3,
};

/** First bytes of every `.deb`, which is an `ar` archive. */
const debStart = Buffer.from("!<arch>\n");
const pauseMs = 1_000;

/** A download that failed. `again`: the same may succeed a moment later. */
class DownloadFailure extends Error {
    readonly again: boolean;

    constructor(message: string, again: boolean) {
        super(message);
        this.name = "DownloadFailure";
        this.again = again;
    }
}

/**
 * Downloads a file once and returns its SHA-256; nothing is kept of it. Sends no credentials, follows redirects to https only.
 *
 * @param onProgress told how many bytes have come, as they come
 * @throws OperationError what failed and what to set instead
 */
export async function digestOf(
    url: string,
    onProgress: (bytes: number) => void,
    limits: DownloadLimits = downloadLimits,
): Promise<PackageDigest> {
    const deadline = performance.now() + limits.totalSeconds * 1000;
    for (let attempt = 1; ; attempt++) {
        try {
            return await follow(url, onProgress, limits, deadline);
        } catch (error) {
            const again = error instanceof DownloadFailure && error.again;
            if (again && attempt < limits.attempts && performance.now() + pauseMs < deadline) {
                await sleep(pauseMs);
                continue;
            }
            throw new OperationError({
                what: "take the SHA-256 of EMQX's package",
                where: withoutSecrets(url),
                message: messageOf(error),
                todo: "Set broker.package.url and broker.package.sha256, and nothing is downloaded by this machine; a mirror that brokers reach does as well",
            });
        }
    }
}

async function follow(
    url: string,
    onProgress: (bytes: number) => void,
    limits: DownloadLimits,
    deadline: number,
): Promise<PackageDigest> {
    // A redirect may lead to a name without an ending.
    const isDeb = /\.deb(?:[?#]|$)/.test(url);
    let at = url;
    for (let redirects = 0; ; redirects++) {
        const target = checkTarget(at, limits);
        const answer = await digestOrRedirect(target, isDeb, onProgress, limits, deadline);
        if (typeof answer !== "string") {
            return answer;
        }
        if (redirects === limits.redirects) {
            throw new DownloadFailure(`it redirects more than ${limits.redirects} times`, false);
        }
        at = URL.canParse(answer, target.href) ? new URL(answer, target.href).href : answer;
    }
}

/** A server must not send the deployer anywhere: no other scheme, no login, nothing of this machine or its cloud. */
function checkTarget(url: string, { allowLoopback = false }: DownloadLimits): URL {
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (target?.protocol !== "https:" || target.username !== "" || target.password !== "") {
        throw new DownloadFailure(`it leads to ${quote(withoutSecrets(url))}, which is no plain https:// address`, false);
    }
    try {
        checkHost(target.hostname.replace(/^\[|\]$/g, ""), { allowLoopback, argument: "url" });
    } catch (error) {
        throw new DownloadFailure(messageOf(error), false);
    }
    return target;
}

/** @returns the digest, or where the server redirects to */
function digestOrRedirect(
    target: URL,
    isDeb: boolean,
    onProgress: (bytes: number) => void,
    limits: DownloadLimits,
    deadline: number,
): Promise<PackageDigest | string> {
    return new Promise((resolve, reject) => {
        const asked = request(target, {
            method: "GET",
            agent: false,
            ca: limits.ca,
            rejectUnauthorized: true,
            lookup: guardedLookup,
            headers: { accept: "*/*", "accept-encoding": "identity" },
        });
        const fail = (message: string, again: boolean) => {
            clearTimeout(timer);
            asked.destroy();
            reject(new DownloadFailure(message, again));
        };
        const timer = setTimeout(
            () => fail(`it was not complete within ${limits.totalSeconds} s`, false),
            Math.max(1, deadline - performance.now()),
        );
        asked.setTimeout(limits.idleSeconds * 1000, () => fail(`nothing came for ${limits.idleSeconds} s`, true));
        asked.on("error", (error: NodeJS.ErrnoException) =>
            fail(
                `${error.code ?? "FAILED"} ${error.message.split("\n")[0] ?? ""}`.trim(),
                !/^(?:CERT_|ERR_TLS|SELF_|DEPTH_|UNABLE_|ADDRESS_)/.test(error.code ?? ""),
            ),
        );
        asked.on("response", (response) => {
            const refusal = refusalOf(response, limits);
            if (typeof refusal === "object") {
                fail(refusal.message, refusal.again);
                return;
            }
            if (typeof refusal === "string") {
                clearTimeout(timer);
                asked.destroy();
                resolve(refusal);
                return;
            }
            read(response, isDeb, onProgress, limits, fail, (digest) => {
                clearTimeout(timer);
                resolve(digest);
            });
        });
        asked.end();
    });
}

/** Why an answer is not the file, where it redirects to, or `undefined`: it is the file. */
function refusalOf(
    { statusCode: status = 0, headers }: IncomingMessage,
    { bytes }: DownloadLimits,
): DownloadFailure | string | undefined {
    if (status >= 300 && status < 400 && headers.location !== undefined) {
        return headers.location;
    }
    if (status !== 200) {
        return new DownloadFailure(
            `it answers ${status}${status === 404 ? ": there is no such file" : ""}`,
            status >= 500 || status === 429,
        );
    }
    const encoding = headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity") {
        return new DownloadFailure(`it sends the file with the encoding ${quote(encoding)}, though none was asked for`, false);
    }
    return Number(headers["content-length"] ?? 0) > bytes ? tooLong(bytes) : undefined;
}

function read(
    response: IncomingMessage,
    isDeb: boolean,
    onProgress: (bytes: number) => void,
    limits: DownloadLimits,
    fail: (message: string, again: boolean) => void,
    done: (digest: PackageDigest) => void,
): void {
    const hash = createHash("sha256");
    let bytes = 0;
    let start = Buffer.alloc(0);
    response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (start.length < debStart.length) {
            start = Buffer.concat([start, chunk.subarray(0, debStart.length - start.length)]);
        }
        if (bytes > limits.bytes) {
            const { message, again } = tooLong(limits.bytes);
            fail(message, again);
            return;
        }
        hash.update(chunk);
        onProgress(bytes);
    });
    response.on("error", () => fail("the file broke off", true));
    response.on("end", () => {
        if (!response.complete) {
            fail("the file broke off", true);
        } else if (bytes === 0 || (isDeb && !start.equals(debStart))) {
            fail("what it sends is no Debian package but perhaps a page for people", false);
        } else {
            done({ sha256: hash.digest("hex"), bytes });
        }
    });
}

function tooLong(bytes: number): DownloadFailure {
    return new DownloadFailure(`the file is larger than ${Math.round(bytes / 1024 ** 2)} MiB`, false);
}
