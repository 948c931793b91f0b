/* Huffman codes of entropy-coded data, and numbers behind them; see scan.h. */

#ifndef BITSWAP_JPEG_DECODER_H
#define BITSWAP_JPEG_DECODER_H

#include "scan.h"

#define FAST 10     /* bits of a code that are looked up at once */
#define END (-1)    /* the data ends, or is none of this scan */
#define BEYOND 4096 /* zeros behind the data: more than any MCU takes */

/* What the next FAST bits begin with, in bits 16 to 31 a number, or 0 where it does not fit;
   from bit 8 on the symbol before it, from bit 4 on the length of the end of the block behind it,
   or 0; and the length of all, 0 if the code alone is longer. */
typedef uint32_t entry;

typedef struct {
    entry fast[1 << FAST];
    int32_t most[17];   /* greatest code of each length, or -1 */
    int32_t offset[17]; /* of its symbol */
    uint8_t symbols[256];
} decoder;

/* The number of `size` bits, whose highest one tells its sign. */
INLINE int number(uint32_t found, int size) {
    return size && !(found >> (size - 1)) ? (int)found - (1 << size) + 1 : (int)found;
}

static void prepare(decoder *d, const table *t) {
    int32_t code = 0, index = 0;
    memset(d, 0, sizeof *d);
    memcpy(d->symbols, t->symbols, 256);
    for (int length = 1; length <= 16; length++, code <<= 1) {
        d->offset[length] = index - code;
        d->most[length] = -1;
        for (int k = 0; k < t->counts[length - 1] && index < 256; k++, code++, index++) {
            if (code >= 1 << length) continue; /* no such code: never found */
            d->most[length] = code;
            int free = FAST - length, size = t->symbols[index] & 15;
            for (int more = 0; free >= 0 && more < 1 << free; more++) {
                entry e = (entry)t->symbols[index] << 8 | (entry)length;
                if (size && size <= free) {
                    int value = number((uint32_t)more >> (free - size), size);
                    e = (e + (entry)size) | (entry)value << 16;
                }
                d->fast[(code << free) + more] = e;
            }
        }
    }
}

/* Look up ends of blocks with the numbers before them. */
static void join_ends(decoder *d) {
    entry plain[1 << FAST];
    memcpy(plain, d->fast, sizeof plain);
    for (uint32_t k = 0; k < 1 << FAST; k++) {
        entry length = plain[k] & 15, behind = plain[k << length & ((1 << FAST) - 1)];
        if (plain[k] >> 16 && behind && behind < 16 && length + behind <= FAST)
            d->fast[k] = plain[k] + (behind << 4) + behind;
    }
}

/* The bits of an interval between restart markers; what is behind its end are zeros. */
typedef struct {
    const uint8_t *next; /* bytes not taken yet */
    uint64_t word;       /* bits taken, the next one highest */
    int held;            /* how many of them count */
} bits;

/* Have 56 bits at hand. Those below them may be there already. */
INLINE void refill(bits *b) {
    uint64_t word;
    memcpy(&word, b->next, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    b->word |= word >> b->held;
    b->next += (63 - b->held) >> 3;
    b->held |= 56;
}

INLINE void advance(bits *b, int count) {
    b->word <<= count;
    b->held -= count;
}

INLINE int take(bits *b, int count) /* 1 <= count <= 16 */
{
    refill(b);
    int value = (int)(b->word >> (64 - count));
    advance(b, count);
    return value;
}

/* A symbol whose code is longer than FAST, and 256 times the length of that. */
static int look_on(uint64_t word, const decoder *d) {
    for (int length = FAST + 1; length <= 16; length++) {
        int32_t code = (int32_t)(word >> (64 - length)), index = code + d->offset[length];
        if (code <= d->most[length])
            return index < 0 || index > 255 ? END : length << 8 | d->symbols[index];
    }
    return END;
}

/* A symbol, whose code is looked up at once, and the number of symbol & 15 bits behind it. */
INLINE int pair(bits *b, const decoder *d, int *value) {
    refill(b);
    entry e = d->fast[b->word >> (64 - FAST)];
    int found = e >> 8 & 255, length = (int)(e & 15);
    *value = (int32_t)e >> 16;
    if (!*value) {
        if (!length) {
            if ((found = look_on(b->word, d)) == END) return END;
            length = found >> 8, found &= 255;
        }
        int size = found & 15;
        if (size) *value = number((uint32_t)(b->word << length >> (64 - size)), size);
        length += size;
    }
    advance(b, length);
    return found;
}

/* A symbol without a number behind it. */
INLINE int symbol(bits *b, const decoder *d) {
    refill(b);
    entry e = d->fast[b->word >> (64 - FAST)];
    int found = e >> 8 & 255, length = (int)(e & 15);
    if (e >> 16) {
        length -= found & 15; /* for a number that is none */
    } else if (!length) {
        if ((found = look_on(b->word, d)) == END) return END;
        length = found >> 8, found &= 255;
    }
    advance(b, length);
    return found;
}

#endif
