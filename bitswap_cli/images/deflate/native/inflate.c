/* Inflate that keeps what deflate decided: blocks, code lengths as they were sent, tokens.
 *
 * Every read is checked against the end of the input, every match against what was written, and
 * output against a limit, so that any input ends in a result or in an error.
 */
#include "deflate.h"

const uint16_t length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                  31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                  2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
const uint16_t distance_base[30] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                    33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                    1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
const uint8_t distance_extra[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                    6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
const uint8_t code_order[CODES] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                   11, 4,  12, 3, 13, 2, 14, 1, 15};

typedef struct {
    const uint8_t *in;
    int64_t size, at;
    uint64_t bits; /* the next `held` bits of the input, the first lowest */
    int held;
} reader;

INLINE void refill(reader *r) {
    while (r->held <= 56 && r->at < r->size) {
        r->bits |= (uint64_t)r->in[r->at++] << r->held;
        r->held += 8;
    }
}

/* Up to 16 bits, or -1 where the input ends. */
INLINE int take(reader *r, int count) {
    if (r->held < count) refill(r);
    if (r->held < count) return -1;
    int value = (int)(r->bits & ((1u << count) - 1));
    r->bits >>= count;
    r->held -= count;
    return value;
}

typedef struct {
    uint16_t entries[WINDOW]; /* symbol << 4 | length by the next `bits` bits; 0: no such code */
    int bits;
} table;

/* Build a table; `loose` codes may be empty, or one code of one bit, as in zlib. */
static int build(table *t, const uint8_t *lengths, int count, int loose) {
    int counts[16] = {0}, first[16], longest = 0, left = 1;
    for (int i = 0; i < count; i++) {
        counts[lengths[i]]++;
        if (lengths[i] > longest) longest = lengths[i];
    }
    t->bits = longest ? longest : 1;
    for (int length = 1, code = 0; length <= 15; length++) {
        left = 2 * left - counts[length];
        if (left < 0) return 0;
        first[length] = code;
        code = (code + counts[length]) << 1;
    }
    if (left > 0 && !(loose && longest <= 1)) return 0;
    if (left > 0) memset(t->entries, 0, sizeof(uint16_t) << t->bits);
    for (int symbol = 0; symbol < count; symbol++) {
        int length = lengths[symbol];
        if (!length) continue;
        unsigned code = (unsigned)first[length]++, turned = 0;
        for (int i = 0; i < length; i++) turned |= (code >> i & 1) << (length - 1 - i);
        for (unsigned at = turned; at < 1u << t->bits; at += 1u << length)
            t->entries[at] = (uint16_t)(symbol << 4 | length);
    }
    return 1;
}

INLINE int symbol_of(reader *r, const table *t) {
    if (r->held < 15) refill(r);
    unsigned entry = t->entries[r->bits & ((1u << t->bits) - 1)];
    int length = (int)(entry & 15);
    if (!length || length > r->held) return -1;
    r->bits >>= length;
    r->held -= length;
    return (int)(entry >> 4);
}

/* What comes out: each array may be missing, to learn first how large all of them are. */
typedef struct {
    uint8_t *data;
    uint32_t *tokens;
    int32_t *blocks; /* kind, size (tokens, or bytes of a stored block), padding bits */
    uint8_t *heads;  /* of dynamic blocks: counts less their least, code lengths, operations */
    int64_t written, count, rows, headed, limit;
} writer;

static void keep(writer *w, int value) {
    if (w->heads) w->heads[w->headed] = (uint8_t)value;
    w->headed++;
}

static int read_codes(reader *r, writer *w, table *literals, table *distances) {
    uint8_t lengths[LITERALS + DISTANCES + 138], codes[CODES] = {0};
    int counts[3] = {take(r, 5), take(r, 5), take(r, 4)};
    if (counts[0] < 0 || counts[1] < 0 || counts[2] < 0) return 0;
    for (int i = 0; i < 3; i++) keep(w, counts[i]);
    int literal = counts[0] + 257, distance = counts[1] + 1;
    if (literal > LITERALS || distance > DISTANCES) return 0;
    for (int i = 0; i < counts[2] + 4; i++) {
        int length = take(r, 3);
        if (length < 0) return 0;
        codes[code_order[i]] = (uint8_t)length;
        keep(w, length);
    }
    if (!build(literals, codes, CODES, 0)) return 0;
    int at = 0;
    while (at < literal + distance) {
        int symbol = symbol_of(r, literals);
        if (symbol < 0) return 0;
        keep(w, symbol);
        if (symbol < 16) {
            lengths[at++] = (uint8_t)symbol;
            continue;
        }
        int more = take(r, symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
        if (more < 0 || (symbol == 16 && !at)) return 0;
        keep(w, more);
        int repeat = more + (symbol == 18 ? 11 : 3);
        if (at + repeat > literal + distance) return 0;
        memset(lengths + at, symbol == 16 ? lengths[at - 1] : 0, (size_t)repeat);
        at += repeat;
    }
    if (!lengths[END]) return 0;
    return build(literals, lengths, literal, 1) && build(distances, lengths + literal, distance, 1);
}

/* Write a match, and up to seven bytes more. */
INLINE void repeat(uint8_t *to, int distance, int length) {
    int step = distance, at = 0;
    while (step < 8) step += distance; /* a multiple, at which eight bytes may be copied at once */
    if (step > distance)
        for (; at < length && at < step; at++) to[at] = to[at - distance];
    for (; at < length; at += 8) memcpy(to + at, to + at - step, 8);
}

static int64_t read_tokens(reader *r, writer *w, const table *literals, const table *distances) {
    for (;;) {
        int symbol = symbol_of(r, literals);
        if (symbol < 0) return DAMAGED;
        if (symbol < END) {
            if (w->written >= w->limit) return TOO_LARGE;
            if (w->data) w->data[w->written] = (uint8_t)symbol;
            if (w->tokens) w->tokens[w->count] = 0;
            w->written++;
            w->count++;
            continue;
        }
        if (symbol == END) return 0;
        symbol -= 257;
        if (symbol >= 29) return DAMAGED;
        int extra = take(r, length_extra[symbol]);
        int far = symbol_of(r, distances);
        if (extra < 0 || far < 0 || far >= DISTANCES) return DAMAGED;
        int more = take(r, distance_extra[far]);
        if (more < 0) return DAMAGED;
        int length = length_base[symbol] + extra, distance = distance_base[far] + more;
        /* 258 has two codes; a writer that takes the longer one is beyond this description. */
        if (distance > w->written || (length == 258 && symbol != 28)) return DAMAGED;
        if (length > w->limit - w->written) return TOO_LARGE;
        if (w->data) repeat(w->data + w->written, distance, length);
        if (w->tokens) w->tokens[w->count] = match_of(length, distance);
        w->written += length;
        w->count++;
    }
}

static int64_t read_stored(reader *r, writer *w, int64_t *size) {
    int length = take(r, 16), other = take(r, 16);
    if (length < 0 || other < 0 || length != (other ^ 0xFFFF)) return DAMAGED;
    r->at -= r->held / 8; /* what was held is whole bytes now */
    r->held = 0;
    r->bits = 0;
    if (length > r->size - r->at) return DAMAGED;
    if (length > w->limit - w->written) return TOO_LARGE;
    if (w->data) memcpy(w->data + w->written, r->in + r->at, (size_t)length);
    r->at += length;
    w->written += length;
    *size = length;
    return 0;
}

/* Read a block; `last` is set to whether it is the last one. */
static int64_t read_block(reader *r, writer *w, table *literals, table *distances, int *last) {
    *last = take(r, 1);
    int kind = take(r, 2), pad = 0;
    if (*last < 0 || kind < 0 || kind > DYNAMIC) return DAMAGED;
    int64_t error = 0, size = 0, before = w->count;
    if (kind == STORED) {
        pad = take(r, r->held & 7);
        error = read_stored(r, w, &size);
    } else {
        if (kind == FIXED) {
            uint8_t lengths[288];
            for (int i = 0; i < 288; i++) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
            build(literals, lengths, 288, 0);
            memset(lengths, 5, 32);
            build(distances, lengths, 32, 0);
        } else if (!read_codes(r, w, literals, distances)) {
            return DAMAGED;
        }
        error = read_tokens(r, w, literals, distances);
        size = w->count - before;
    }
    if (error) return error;
    if (size > INT32_MAX) return TOO_LARGE;
    if (w->blocks) {
        int32_t row[3] = {kind, (int32_t)size, pad};
        memcpy(w->blocks + 3 * w->rows, row, sizeof row);
    }
    w->rows++;
    return 0;
}

static int64_t read_blocks(reader *r, writer *w, table *literals, table *distances) {
    for (int last = 0; !last;) {
        int64_t error = read_block(r, w, literals, distances, &last);
        if (error) return error;
    }
    return 0;
}

/* Adler-32 (RFC 1950) of so many bytes. */
EXPORT int64_t bitswap_adler(const uint8_t *data, int64_t size) {
    uint32_t low = 1, high = 0;
    while (size > 0) {
        int64_t part = size < 5552 ? size : 5552; /* as many as 32 bits hold the sums of */
        size -= part;
        for (; part >= 8; part -= 8, data += 8) {
            uint32_t sum = 0, weighted = 0;
            for (uint32_t i = 0; i < 8; i++) {
                sum += data[i];
                weighted += (8 - i) * data[i];
            }
            high += 8 * low + weighted;
            low += sum;
        }
        for (; part; part--) high += low += *data++;
        low %= 65521;
        high %= 65521;
    }
    return (int64_t)high << 16 | low;
}

/* Inflate a raw deflate stream of `size` bytes to at most `limit`. `counts` is set to the bytes
 * read, bytes written, tokens, blocks, bytes of heads and last padding bits; the arrays, as large
 * as those say, and `data` by PADDING larger, are filled unless they are null. Returns 0 or an
 * error. */
EXPORT int64_t bitswap_inflate(const uint8_t *in, int64_t size, int64_t limit, int64_t *counts,
                               uint8_t *data, uint32_t *tokens, int32_t *blocks, uint8_t *heads) {
    reader r = {in, size, 0, 0, 0};
    writer w = {data, tokens, blocks, heads, 0, 0, 0, 0, limit};
    table *tables = malloc(2 * sizeof *tables);
    if (!tables) return NO_MEMORY;
    int64_t error = read_blocks(&r, &w, tables, tables + 1);
    free(tables);
    int pad = error ? 0 : take(&r, r.held & 7);
    int64_t found[6] = {r.at - r.held / 8, w.written, w.count, w.rows, w.headed, pad};
    memcpy(counts, found, sizeof found);
    return error;
}

/* Go through whole blocks of a raw deflate stream, of which `size` bytes are at hand and which
 * inflates to `history` bytes before: until they inflate to `stop` bytes or more and end with a
 * byte, up to the last block of the stream, or up to the last one that ends so before the input
 * does, or before they inflate to more than `limit`. `found` is set to the bit behind them, what
 * they inflate to, the bit at which the last of them begins, and whether it is the last of the
 * stream. Returns 0, or an error if there are none such. */
EXPORT int64_t bitswap_walk(const uint8_t *in, int64_t size, int64_t history, int64_t stop,
                            int64_t limit, int64_t *found) {
    reader r = {in, size, 0, 0, 0};
    writer w = {NULL, NULL, NULL, NULL, history, 0, 0, 0, history + limit};
    int64_t result = DAMAGED;
    int last = 0;
    table *tables = malloc(2 * sizeof *tables);
    if (!tables) return NO_MEMORY;
    while (!last) {
        int64_t start = 8 * r.at - r.held;
        if (read_block(&r, &w, tables, tables + 1, &last)) break;
        if (!last && r.held % 8) continue;
        int64_t row[4] = {8 * r.at - r.held, w.written - history, start, last};
        memcpy(found, row, sizeof row);
        result = 0;
        if (row[1] >= stop) break;
    }
    free(tables);
    return result;
}
