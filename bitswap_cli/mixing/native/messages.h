/* Decisions as messages of words: rANS of one lane, the law and layout of bitswap_cli/ans.
 *
 * A message is words: how many follow, the high and the low word of the head, the tail from its top
 * down. An encoder keeps up to SEGMENT decisions, then pushes them, the last one first; so every
 * message but the last has SEGMENT of them.
 */
#ifndef BITSWAP_MIXING_MESSAGES_H
#define BITSWAP_MIXING_MESSAGES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT = 1 << 18, PRECISION = 16 };
static const uint64_t HEAD_MIN = (uint64_t)1 << 31;

/* Why there is no going on. WRONG: words that no encoder made, a colour that a palette lacks. */
enum { WRONG = 1, NO_MEMORY = 2 };

typedef struct {
    int decoding;
    int failed; /* why, or 0 */
    const int32_t *costs;
    int64_t cost;      /* of all decisions so far, in 1/4096 bit */
    uint32_t *pending; /* an encoder's decisions: probability of 1, and the bit above it */
    int64_t count;     /* of them; a decoder's: how many of the message are left */
    uint32_t *words;   /* an encoder's: all messages */
    int64_t size, room;
    const uint32_t *from, *end; /* a decoder's: what is still to be read */
    const uint32_t *tail, *tail_end;
    uint64_t head;
} coder;

/* Push what is pending as a message. */
static inline void flush(coder *c) {
    if (!c->count) return;
    int64_t most = c->count / 2 + 4; /* a decision gives at most 16 bits */
    if (c->size + most > c->room) {
        int64_t room = 2 * (c->size + most);
        uint32_t *words = realloc(c->words, (size_t)room * sizeof *words);
        if (!words) {
            c->failed = NO_MEMORY, c->count = 0; /* what is pending is lost, and has room again */
            return;
        }
        c->words = words, c->room = room;
    }
    uint32_t *end = c->words + c->size + most, *top = end;
    uint64_t head = HEAD_MIN;
    for (int64_t i = c->count - 1; i >= 0; i--) {
        uint32_t one = c->pending[i] & 0xffff, bit = c->pending[i] >> 16;
        uint64_t freq = one + ((bit - 1) & (65536 - 2 * one)), start = one & (bit - 1);
        if (head >= freq << (63 - PRECISION)) {
            *--top = (uint32_t)head;
            head >>= 32;
        }
        head = (head / freq << PRECISION) + head % freq + start;
    }
    int64_t length = end - top;
    uint32_t *message = c->words + c->size;
    memmove(message + 3, top, (size_t)length * 4);
    message[0] = (uint32_t)(length + 2);
    message[1] = (uint32_t)(head >> 32);
    message[2] = (uint32_t)head;
    c->size += length + 3;
    c->count = 0;
}

/* Begin to pop the next message; 0: there is none, or the last one is not at its end. */
static inline int next(coder *c) {
    if (c->tail != c->tail_end || c->head != HEAD_MIN) return 0; /* of the last one, or the start */
    if (c->end - c->from < 3 || c->from[0] < 2 || c->from[0] > c->end - c->from - 1) return 0;
    c->head = (uint64_t)c->from[1] << 32 | c->from[2];
    c->tail = c->from + 3;
    c->tail_end = c->from = c->from + 1 + c->from[0];
    c->count = SEGMENT;
    return c->head >= HEAD_MIN && c->head < (uint64_t)1 << 63;
}

/* Whether a decoder has read all of it, to the bit. */
static inline int complete(const coder *c) {
    return !c->failed && c->from == c->end && c->tail == c->tail_end && c->head == HEAD_MIN;
}

#endif
