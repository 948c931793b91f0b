/* A run of a predictor over the inflated bytes, told after each token what the token really was.
 *
 * Describing, the truth comes from the tokens of the stream and corrections are written; restoring,
 * it comes from the corrections and tokens are written. Everything else is the same code, so the
 * two cannot drift apart.
 */
#ifndef BITSWAP_RUN_H
#define BITSWAP_RUN_H

#include "splitter.h"

enum { RANKS = 1024 }; /* candidates looked at to name a distance by its rank */

typedef struct {
    const uint8_t *data; /* size bytes and PADDING zeros */
    int64_t size;
    const parameters *how;
    int restoring;

    uint32_t *tokens;
    int64_t count, capacity; /* tokens so far, and room for them (describing: all there are) */
    int32_t *blocks;         /* as inflate gives them */
    int64_t rows, row_capacity;
    column *columns;
    int64_t right[4]; /* right predictions since the last wrong one, or left until the next */
    int64_t stored_gap; /* blocks since the last stored one, or left until the next; < 0: none */

    int stored, told, last; /* the block: whether it is stored, and whether its size is told */
    int64_t start, edge;    /* its first byte; if stored and told, its end */
    int64_t before;         /* where its last token starts */
    int64_t in_block, told_size;
    int clipped;
    splitter split; /* of libdeflate's predictors */
    int64_t stop, budget, wrong; /* give up behind so many tokens, or when so many are wrong */
    int done;
    int64_t error;
    uint32_t *seen; /* what was predicted at each token, stored ones too; or null */
    int64_t seen_at;
} run;

/* What is kept of a prediction: a match, and in the bits that it leaves whether it was taken, and
 * what the splitter said behind its token. */
enum { TAKEN_SHIFT = 31, DUE_SHIFT = 29 };

/* Whether the predicted splitter ends a block before position p: 0 no, 1 yes, 2 as the last. It
 * does so where it can first; so never behind that. */
INLINE int ends(const run *r, int64_t p) {
    if (r->how->predictor >= LD_HASHED)
        return r->split.due == 2 ? 0 : p == r->size ? 2 : r->split.due;
    if (r->in_block >= r->how->full) return r->in_block == r->how->full;
    if (r->how->predictor == NG_QUICK && r->how->feed && r->size - r->start >= LOOKAHEAD) {
        if (r->size - r->before < LOOKAHEAD) return 0;
        if (r->size - p < LOOKAHEAD) return 1;
    }
    return p == r->size ? 2 : 0;
}

/* Right predictions of one class: whether the next one is right, while restoring. */
INLINE int is_right(run *r, int class) {
    if (r->right[class] < 0) return 1;
    if (r->right[class]) {
        r->right[class]--;
        return 1;
    }
    r->right[class] = next(&r->columns[class == 3 ? RIGHT_SPLIT : class], -1);
    return 0;
}

INLINE void was(run *r, int class, int right) {
    if (right) {
        r->right[class]++;
        return;
    }
    put(&r->columns[class == 3 ? RIGHT_SPLIT : class], r->right[class]);
    r->right[class] = 0;
}

void open_split(run *r, int64_t p);
void watch(run *r, int64_t p, uint32_t truth);
void open_block(run *r, int64_t p);
void close_block(run *r, int64_t p, int end);

/* After a token, or at the start: end the block and begin the next, empty ones included. */
INLINE void turn(run *r, int64_t p) {
    while (!r->done && !r->error) {
        int end;
        if (r->restoring || r->stored) {
            end = !r->told    ? ends(r, p)
                  : r->stored ? (p == r->edge ? 1 + r->last : 0)
                              : (r->in_block == r->told_size ? 1 + r->last : 0);
        } else {
            end = r->in_block == r->told_size ? 1 + r->last : 0;
        }
        if (LIKELY(!end)) return;
        close_block(r, p, end);
        if (!r->done && !r->error) open_block(r, p);
    }
}

uint32_t truth_of(run *r, int64_t p, uint32_t candidate, int taken, const chains *c);
void told_truth(run *r, int64_t p, uint32_t candidate, int taken, uint32_t truth, const chains *c);

/* Settle the token at p < size: `candidate` is a match or 0, `taken` says whether it is predicted,
 * `c` the chains to name other distances by, or null. Returns the token that it really is. */
INLINE uint32_t settle(run *r, int64_t p, uint32_t candidate, int taken, const chains *c) {
    uint32_t predicted = taken ? candidate : 0, truth = predicted;
    if (p >= r->size) { /* a block wants more tokens than there are bytes */
        r->error = DAMAGED;
        return 0;
    }
    int class = !candidate ? RIGHT_PLAIN : taken ? RIGHT_TAKEN : RIGHT_DEFERRED;
    if (r->stored) {
        if (span(predicted) > r->edge - p) {
            truth = 0;
            r->clipped = 1;
        }
    } else if (r->restoring) {
        if (!LIKELY(is_right(r, class))) truth = truth_of(r, p, candidate, taken, c);
        if (r->error) return 0;
        if (r->count >= r->capacity) {
            r->error = DAMAGED;
            return 0;
        }
        r->tokens[r->count++] = truth;
    } else {
        truth = r->tokens[r->count++];
        was(r, class, truth == predicted);
        if (!LIKELY(truth == predicted)) {
            told_truth(r, p, candidate, taken, truth, c);
            r->wrong++;
        }
    }
    r->in_block++;
    r->before = p;
    if (r->how->predictor >= LD_HASHED) {
        if (r->seen && r->restoring) r->split.due = (int)(r->seen[r->seen_at - 1] >> DUE_SHIFT & 3);
        else watch(r, p, truth);
    }
    if (r->seen && !r->restoring)
        r->seen[r->seen_at++] =
            candidate | (uint32_t)taken << TAKEN_SHIFT | (uint32_t)r->split.due << DUE_SHIFT;
    if (r->count >= r->stop || r->wrong > r->budget) r->done = 1;
    turn(r, p + span(truth));
    return truth;
}

/* Bytes that a and b have in common, at most `most`; both have 8 readable bytes behind that. */
INLINE int common(const uint8_t *a, const uint8_t *b, int most) {
    for (int length = 0; length < most; length += 8) {
        uint64_t left, right;
        memcpy(&left, a + length, 8);
        memcpy(&right, b + length, 8);
        if (left != right) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
            int equal = length + (__builtin_clzll(left ^ right) >> 3);
#else
            int equal = length + (__builtin_ctzll(left ^ right) >> 3);
#endif
            return equal < most ? equal : most;
        }
    }
    return most;
}

INLINE int reach(const run *r, int64_t p) { /* the longest match that the data's end allows */
    return r->size - p < MAX_MATCH ? (int)(r->size - p) : MAX_MATCH;
}

/* Places of a ring for a window's positions: a power of two. */
INLINE size_t ring_of(const run *r) {
    size_t places = (size_t)1 << r->how->window_bits;
    while ((int64_t)places / 2 >= r->size && places > 1) places /= 2; /* no more than come */
    return places;
}

int64_t predict_zlib(run *r);
int64_t predict_ng(run *r);
int64_t predict_libdeflate(run *r);

#endif
