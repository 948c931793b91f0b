/* Huffman codes, and where their bits go; see scan.h. */

#ifndef BITSWAP_JPEG_ENCODER_H
#define BITSWAP_JPEG_ENCODER_H

#include "scan.h"

#define UNWRITABLE (-2)  /* the scan has no code for its coefficients */
#define NO_ROOM (-3)
#define DIFFERENT (-4)   /* from what is expected */
#define MARGIN 16        /* bytes that 64 bits take at most */

#define SMALL 16         /* numbers below this, whose bits are joined to their codes at once */

/* Bits, and from bit 0 to 7 how many: 0 where there is no code. */
typedef uint32_t entry;

typedef struct {
    entry code[256];
    entry small[16][2 * SMALL]; /* of zeros and the number behind them + SMALL */
} encoder;

INLINE int size_of(int value) { return value ? 32 - __builtin_clz((uint32_t)abs(value)) : 0; }

/* The `size` bits of a number. */
INLINE uint32_t low_bits(int value, int size) {
    return (uint32_t)(value + (value >> 31)) & ((1u << size) - 1);
}

static void arrange(encoder *e, const table *t) {
    uint32_t code = 0;
    int index = 0;
    memset(e, 0, sizeof *e);
    for (int length = 1; length <= 16; length++, code <<= 1)
        for (int k = 0; k < t->counts[length - 1] && index < 256; k++, code++, index++)
            if (!e->code[t->symbols[index]])
                e->code[t->symbols[index]] = (code & 0xffff) << 8 | (entry)length;
    for (int zeros = 0; zeros < 16; zeros++)
        for (int value = 1 - SMALL; value < SMALL; value++) {
            int size = size_of(value);
            entry found = e->code[zeros << 4 | size];
            if (found && value)
                e->small[zeros][value + SMALL] =
                    ((found >> 8 << size | low_bits(value, size)) << 8) + (found & 255) +
                    (entry)size;
        }
}

/* Where bits go: all into `out`, or piece by piece through it, compared with what is expected. */
typedef struct {
    uint8_t *out;
    int64_t at, room;
    const uint8_t *expected; /* or 0 */
    int64_t left;            /* bytes that are still expected */
    int64_t surplus;         /* bytes written behind these */
    uint64_t bits;           /* the lowest `held` bits are not in `out` yet; fewer than 64 */
    int held;
    int failed;
} sink;

INLINE void fail(sink *o, int reason) {
    if (!o->failed) o->failed = reason;
}

/* Compare what is in `out` with what is expected. */
static void compare(sink *o) {
    int64_t count = o->at < o->left ? o->at : o->left;
    o->surplus += o->at - count;
    if (memcmp(o->out, o->expected, (size_t)count) || o->surplus > 2) fail(o, DIFFERENT);
    o->expected += count;
    o->left -= count;
}

/* Empty `out`. By value: its caller's stays in registers. */
static sink emptied(sink o) {
    if (o.expected) compare(&o);
    else fail(&o, NO_ROOM);
    o.at = 0;
    return o;
}

INLINE void make_room(sink *o) {
    if (o->at + MARGIN > o->room) *o = emptied(*o);
}

INLINE void put_byte(sink *o, uint8_t byte) {
    o->out[o->at++] = byte;
    if (byte == 0xff) o->out[o->at++] = 0;
}

INLINE void put_word(sink *o, uint64_t word) {
    make_room(o);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (!(word & (~word - 0x0101010101010101ull) & 0x8080808080808080ull)) { /* no 0xff */
        word = __builtin_bswap64(word);
        memcpy(o->out + o->at, &word, sizeof word);
        o->at += (int64_t)sizeof word;
        return;
    }
#endif
    for (int k = 56; k >= 0; k -= 8) put_byte(o, (uint8_t)(word >> k));
}

INLINE void put(sink *o, uint64_t value, int count) /* count <= 32, no bits above these */
{
    int left = 64 - o->held;
    if (count < left) {
        o->bits = o->bits << count | value;
        o->held += count;
        return;
    }
    put_word(o, o->bits << left | value >> (count - left));
    o->bits = value;
    o->held = count - left;
}

INLINE void put_symbol(sink *o, const encoder *e, int found) {
    if (!e->code[found]) fail(o, UNWRITABLE);
    put(o, e->code[found] >> 8, (int)(e->code[found] & 255));
}

/* A symbol and the number of `size` bits behind it; size <= 15. */
INLINE void put_pair(sink *o, const encoder *e, int found, int value, int size) {
    if (!e->code[found]) fail(o, UNWRITABLE);
    put(o, (uint64_t)(e->code[found] >> 8) << size | low_bits(value, size),
        (int)(e->code[found] & 255) + size);
}

/* Fill the byte at hand with the lowest bits of `padding`, and write what is held. */
static void fill(sink *o, uint32_t padding) {
    int left = -o->held & 7;
    put(o, padding & ((1u << left) - 1), left);
    make_room(o);
    for (; o->held; o->held -= 8) put_byte(o, (uint8_t)(o->bits >> (o->held - 8)));
}

#endif
