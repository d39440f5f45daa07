/**
 * A text in gzip's format (RFC 1952 and 1951), with the same bytes on every machine and in every release of Node.js. What zlib makes of a
 * text differs between its builds, and another text of the same user data would replace every broker.
 */
export function gzipSame(text: string): Buffer {
    const input = Buffer.from(text);
    // No file name, no time, no flags, unknown system.
    const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    const tail = Buffer.alloc(8);
    tail.writeUInt32LE(crc32(input), 0);
    tail.writeUInt32LE(input.length, 4);
    return Buffer.concat([head, deflate(input), tail]);
}

const window = 32_768;
const shortest = 3;
const longest = 258;
/** How many earlier places with the same beginning are tried; more gains little for texts. */
const tries = 128;
const endOfBlock = 256;

/** One block with the fixed codes: good enough for texts of some kilobytes, and short. */
function deflate(input: Buffer): Buffer {
    const out = new BitWriter();
    out.bits(1, 1);
    out.bits(1, 2);
    const places = new Map<number, number[]>();
    let at = 0;
    while (at < input.length) {
        const { length, distance } = longestMatch(input, at, places);
        if (length < shortest) {
            literal(out, input[at] ?? 0);
        } else {
            copy(out, length, distance);
        }
        for (const end = at + Math.max(length, 1); at < end; at++) {
            const key = keyAt(input, at);
            const known = places.get(key);
            if (known === undefined) {
                places.set(key, [at]);
            } else {
                known.push(at);
            }
        }
    }
    literal(out, endOfBlock);
    return out.end();
}

function longestMatch(
    input: Buffer,
    at: number,
    places: ReadonlyMap<number, readonly number[]>,
): { readonly length: number; readonly distance: number } {
    let best = { length: 0, distance: 0 };
    const room = Math.min(longest, input.length - at);
    const candidates = room < shortest ? [] : (places.get(keyAt(input, at)) ?? []).slice(-tries).reverse();
    for (const place of candidates) {
        if (at - place > window) {
            break;
        }
        let length = 0;
        while (length < room && input[place + length] === input[at + length]) {
            length++;
        }
        if (length > best.length) {
            best = { length, distance: at - place };
        }
    }
    return best;
}

function keyAt(input: Buffer, at: number): number {
    return ((input[at] ?? 0) << 16) | ((input[at + 1] ?? 0) << 8) | (input[at + 2] ?? 0);
}

/** A byte, the end of the block, or the code of a length: RFC 1951, 3.2.6. */
function literal(out: BitWriter, symbol: number): void {
    if (symbol < 144) {
        out.code(0x30 + symbol, 8);
    } else if (symbol < 256) {
        out.code(0x190 + symbol - 144, 9);
    } else if (symbol < 280) {
        out.code(symbol - 256, 7);
    } else {
        out.code(0xc0 + symbol - 280, 8);
    }
}

/** RFC 1951, 3.2.5: codes cover ranges that double in width, with the place in the range behind them. */
function copy(out: BitWriter, length: number, distance: number): void {
    if (length === longest) {
        literal(out, 285);
    } else {
        const { code, extra, rest } = rangeOf(length - shortest, 4);
        literal(out, 257 + code);
        out.bits(rest, extra);
    }
    const { code, extra, rest } = rangeOf(distance - 1, 2);
    out.code(code, 5);
    out.bits(rest, extra);
}

/** Ranges of one value each up to twice `steps`, then `steps` ranges of each width 2, 4, 8 and so on. */
function rangeOf(value: number, steps: 2 | 4): { readonly code: number; readonly extra: number; readonly rest: number } {
    if (value < 2 * steps) {
        return { code: value, extra: 0, rest: 0 };
    }
    const extra = 31 - Math.clz32(value) - Math.log2(steps);
    return { code: steps * extra + (value >> extra), extra, rest: value & ((1 << extra) - 1) };
}

class BitWriter {
    readonly #bytes: number[] = [];
    #open = 0;
    #count = 0;

    /** Numbers go in lowest bit first. */
    bits(value: number, count: number): void {
        for (let bit = 0; bit < count; bit++) {
            this.#bit((value >> bit) & 1);
        }
    }

    /** Codes go in highest bit first. */
    code(value: number, count: number): void {
        for (let bit = count - 1; bit >= 0; bit--) {
            this.#bit((value >> bit) & 1);
        }
    }

    end(): Buffer {
        return Buffer.from(this.#count === 0 ? this.#bytes : [...this.#bytes, this.#open]);
    }

    #bit(bit: number): void {
        this.#open |= bit << this.#count;
        this.#count++;
        if (this.#count === 8) {
            this.#bytes.push(this.#open);
            this.#open = 0;
            this.#count = 0;
        }
    }
}

function crc32(input: Buffer): number {
    let crc = 0xffffffff;
    for (const byte of input) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) {
            crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return (crc ^ 0xffffffff) >>> 0;
}
