/* Decisions to words and back: rANS of one lane, the law and layout of bitswap_cli/ans. */
#ifndef BITSWAP_DRAWN_CODER_H
#define BITSWAP_DRAWN_CODER_H

#include "chunk.h"

/* Code a decision whose probability of 1 is `one` / 2^16, 0 < one < 2^16; a decoder returns it. */
TARGET INLINE int code(coder *c, int32_t one, int bit) {
    if (!c->decoding) {
        c->cost += c->costs[(bit ? one : 65536 - one) >> 4];
        c->pending[c->count++] = (uint32_t)bit << 16 | (uint32_t)one;
        if (c->count == SEGMENT) bitswap_drawn_flush(c);
        return bit;
    }
    if (!c->count && !bitswap_drawn_next(c)) c->failed = WRONG;
    if (c->failed) return 0;
    c->count--;
    uint64_t low = c->head & 0xffff;
    bit = low < (uint64_t)one;
    uint64_t freq = bit ? (uint64_t)one : 65536 - (uint64_t)one;
    c->head = freq * (c->head >> PRECISION) + low - (bit ? 0 : (uint64_t)one);
    if (c->head < HEAD_MIN) {
        if (c->tail == c->tail_end) {
            c->failed = WRONG;
            return 0;
        }
        c->head = c->head << 32 | *c->tail++;
    }
    return bit;
}

#endif
