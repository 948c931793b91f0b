/* Decisions to words and back: rANS of one lane, the law and layout of bitswap_cli/ans. */
#ifndef BITSWAP_MIXING_DECISIONS_H
#define BITSWAP_MIXING_DECISIONS_H

#include "messages.h"
#include "processor.h"

/* Code a decision whose probability of 1 is `one` / 2^16, 0 < one < 2^16; a decoder returns it.
 * There is no branch on what it is, which could not be foreseen. */
TARGET INLINE int code(coder *c, int32_t one, int bit) {
    if (!c->decoding) {
        c->cost += c->costs[(65536 - one + bit * (2 * one - 65536)) >> 4];
        c->pending[c->count++] = (uint32_t)bit << 16 | (uint32_t)one;
        if (c->count == SEGMENT) flush(c);
        return bit;
    }
    if (!c->count && !next(c)) c->failed = WRONG;
    if (c->failed) return 0;
    c->count--;
    uint32_t low = (uint32_t)c->head & 0xffff, p = (uint32_t)one;
    uint32_t is = low < p, start = p & (is - 1), freq = (65536 & (is - 1)) + (is * 2 - 1) * p;
    c->head = freq * (c->head >> PRECISION) + low - start;
    if (c->head < HEAD_MIN) {
        if (c->tail == c->tail_end) {
            c->failed = WRONG;
            return 0;
        }
        c->head = c->head << 32 | *c->tail++;
    }
    return (int)is;
}

#endif
