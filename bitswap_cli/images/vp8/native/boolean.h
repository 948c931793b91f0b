/* The boolean coder of VP8 (RFC 6386, section 7): decisions under probabilities that both sides
 * know, as bytes. reference.py and boolean.py are the definition. */
#ifndef BITSWAP_VP8_BOOLEAN_H
#define BITSWAP_VP8_BOOLEAN_H

#include <stddef.h>
#include <stdint.h>

#include "processor.h"

enum { BEYOND = 8 }; /* bytes that may be told behind the end of a partition */

/* Reads a partition; behind its end are zeros. */
typedef struct {
    const uint8_t *at, *end;
    uint32_t value, range;
    int waiting; /* bits of `value` below its highest byte that were read already */
} reader;

TARGET INLINE uint32_t one_byte(reader *r) { return r->at < r->end ? *r->at++ : 0; }

TARGET INLINE void begin_reading(reader *r, const uint8_t *at, int64_t size) {
    *r = (reader){.at = at, .end = at + size, .range = 255};
    r->value = one_byte(r) << 8;
    r->value |= one_byte(r);
    r->waiting = 8;
}

/* How far a range below 128 has to be shifted. */
TARGET INLINE int shift_of(uint32_t range) {
#if defined(__GNUC__)
    return __builtin_clz(range) - 24;
#else
    int n = 0;
    while (range << n < 128) n++;
    return n;
#endif
}

TARGET INLINE int read_bit(reader *r, uint32_t probability) {
    const uint32_t split = 1 + (((r->range - 1) * probability) >> 8);
    const int bit = r->value >> 8 >= split;
    r->value -= bit ? split << 8 : 0;
    r->range = bit ? r->range - split : split;
    for (int n = shift_of(r->range); n > 0; n--) {
        r->value <<= 1, r->range <<= 1;
        if (!--r->waiting) r->value |= one_byte(r), r->waiting = 8;
    }
    return bit;
}

/* Writes a partition of a given size. What would stand behind its end is lost. */
typedef struct {
    uint8_t *to;
    int64_t size, count;   /* bytes of the partition, and that are determined so far */
    int64_t pending;       /* of 255 that follow these, which a carry would make 0 */
    uint32_t value, range; /* what is not yet determined: `held` bits and eight more */
    int held;              /* from -8 on */
} writer;

TARGET INLINE void begin_writing(writer *w, uint8_t *to, int64_t size) {
    *w = (writer){.to = to, .size = size, .range = 255, .held = -8};
}

TARGET INLINE void put_byte(writer *w, uint32_t byte) {
    if (w->count < w->size) w->to[w->count] = (uint8_t)byte;
    w->count++;
}

/* Determine the eight highest bits, whose carry is above them. */
TARGET INLINE void put_bits(writer *w) {
    const uint32_t bits = w->value >> (w->held + 8), carry = bits >> 8;
    w->value -= bits << (w->held + 8);
    w->held -= 8;
    if ((bits & 255) == 255 && !carry) {
        w->pending++;
        return;
    }
    if (carry && w->count && w->count <= w->size) w->to[w->count - 1]++;
    for (; w->pending; w->pending--) put_byte(w, carry ? 0 : 255);
    put_byte(w, bits & 255);
}

TARGET INLINE void write_bit(writer *w, uint32_t probability, int bit) {
    const uint32_t split = 1 + (((w->range - 1) * probability) >> 8);
    w->value += bit ? split : 0;
    w->range = bit ? w->range - split : split;
    const int n = shift_of(w->range);
    w->range <<= n, w->value <<= n, w->held += n;
    if (w->held > 0) put_bits(w);
}

/* Fill the rest of a partition as endless zeros would. 0: what was written does not fit in. A byte
 * behind the end has to be determined as well, as until then a carry might reach those before. */
TARGET INLINE int end_writing(writer *w) {
    if (w->count + w->pending > w->size + BEYOND) return 0;
    while (w->count <= w->size) write_bit(w, 128, 0);
    return 1;
}

#endif
