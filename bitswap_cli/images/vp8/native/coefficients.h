/* Coefficients of a block (RFC 6386, section 13), and what is known of them. */
#ifndef BITSWAP_VP8_COEFFICIENTS_H
#define BITSWAP_VP8_COEFFICIENTS_H

#include "pixels.h"

static const uint8_t ZIGZAG[16] = {0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15};
static const uint8_t BANDS[16] = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7};
/* Of the categories of large coefficients the least one, and how many bits follow. */
static const uint8_t LEAST[6] = {5, 7, 11, 19, 35, 67}, FURTHER[6] = {1, 2, 3, 4, 5, 11};

/* Where decisions on modes begin, and those on headers; and their sets of weights. */
enum { OF_MODES = OF_BLOCKS, OF_HEADERS = OF_BLOCKS + 64 };
enum { NEAR_EXTRA = 256, NEAR_SIGNS = 512, NEAR_MODES = 600, NEAR_HEADERS = 700 };
enum { AT_SIGNS = 1536, AT_MODES = 1700, AT_EXTRA = 2040, AT_HEADERS = 2041 };

/* A block and what is known of it before its coefficients. */
typedef struct {
    int part, type, mode, index; /* its partition; mode: submodes 0..9, then those of macroblocks */
    int first, filled; /* its first place; how many of two neighbours have any */
    const int *steps; /* of DC and AC */
    int around, active; /* levels of what else is known; of how pixels next to it vary */
    const block *above, *left, *corner, *right, *farther[2]; /* the block above to the right */
    const block *like[2]; /* blocks of other planes */
} place_of;

/* What is known of a block so far. */
typedef struct {
    int n, zigzag, context, after_zero; /* the place at hand */
    int last[3], sum, count; /* magnitudes of the last ones, and of all */
} progress;

TARGET INLINE int magnitude(const block *b, int at) { return size_of(b->c[at]); }

/* The magnitudes next to a place, in the blocks above and to the left. */
TARGET INLINE int beside_place(const place_of *p, int z) {
    const int row = z >> 2, column = z & 3;
    int sum = 0;
    if (column < 3) sum += magnitude(p->above, z + 1) + magnitude(p->left, z + 1);
    if (row < 3) sum += magnitude(p->above, z + 4) + magnitude(p->left, z + 4);
    if (column > 0) sum += magnitude(p->above, z - 1) + magnitude(p->left, z - 1);
    if (row > 0) sum += magnitude(p->above, z - 4) + magnitude(p->left, z - 4);
    return sum;
}

/* Coefficients of the block next to a place: above, before, above that, far above and before, above
 * to the right, below to the left; 0 where there is none, or none yet. */
enum { UP, BACK, DIAGONAL, FAR_UP, FAR_BACK, RISING, FALLING, SIDES };

TARGET INLINE void sides(const block *b, int z, int *found) {
    const int row = z >> 2, column = z & 3;
    found[UP] = row ? b->c[z - 4] : 0;
    found[BACK] = column ? b->c[z - 1] : 0;
    found[DIAGONAL] = row && column ? b->c[z - 5] : 0;
    found[FAR_UP] = row > 1 ? b->c[z - 8] : 0;
    found[FAR_BACK] = column > 1 ? b->c[z - 2] : 0;
    found[RISING] = row && column < 3 ? b->c[z - 3] : 0;
    found[FALLING] = row < 3 && column ? b->c[z + 3] : 0;
}

/* What pixels next to the block tell of the coefficient: by those above and before, in quarters of
 * a step. */
TARGET INLINE void expected(const work *w, const place_of *p, int z, int *found) {
    const int unit = 16 * p->steps[z > 0];
    found[0] = w->across[z & 3] / unit, found[1] = w->down[z >> 2] / unit;
}

/* What is known of a coefficient's magnitude. */
TARGET APART known of_size(const work *w, const place_of *p, const progress *g, const int *next) {
    const int z = g->zigzag, zero = g->after_zero, context = g->context;
    int says[2], rest = 0;
    expected(w, p, z, says);
    for (int i = 0; i < 4; i++) rest += size_of(w->across[i]) + size_of(w->down[i]);
    rest = most(level(rest / (16 * p->steps[1])), 15);
    const int both = size_of(signed_level(says[0] + says[1]) - 12);
    const int up = signed_level(says[0]) - 12, back = signed_level(says[1]) - 12;
    const int finer = 32 * signed_level(2 * says[1]) + signed_level(2 * says[0]);
    const int a = magnitude(p->above, z), l = magnitude(p->left, z);
    const int like =
        2 * (2 * (a + l) + magnitude(p->corner, z) + magnitude(p->right, z)) + beside_place(p, z);
    const int near = level(like), energy = p->above->sum + p->left->sum;
    const int far = level(p->farther[0]->sum + p->farther[1]->sum);
    const int around = level(2 * energy + p->corner->sum + p->right->sum);
    const int inner = 2 * (size_of(next[UP]) + size_of(next[BACK])) + size_of(next[DIAGONAL]) +
                      size_of(next[FAR_UP]) + size_of(next[FAR_BACK]) + size_of(next[RISING]) +
                      size_of(next[FALLING]);
    const int last = most(g->last[0], 2);
    const int pattern = most(size_of(next[UP]), 3) + 4 * most(size_of(next[BACK]), 3) +
                        16 * most(size_of(next[DIAGONAL]), 3) +
                        64 * most(size_of(next[RISING]), 2) + 256 * most(size_of(next[FALLING]), 2);
    return (known){
        {(uint32_t)(context + 4 * most(p->steps[1] / 8, 31) + 1024 * most(g->sum, 3)),
         (uint32_t)(most(g->last[0], 7) + 8 * most(g->last[1], 4) + 64 * most(g->last[2], 2) +
                    256 * zero),
         (uint32_t)(both + 16 * near + 1024 * zero), (uint32_t)(near + 64 * context),
         (uint32_t)(p->above->last + 17 * p->left->last + 512 * (last > 0)),
         (uint32_t)(most(g->sum, 15) + 16 * g->count + 512 * context),
         (uint32_t)(most(magnitude(p->like[0], z), 3) + 4 * most(magnitude(p->like[1], z), 3) +
                    16 * p->around + 4096 * last),
         (uint32_t)(pattern + 1024 * zero + 2048 * most(both, 7)),
         (uint32_t)(around + 64 * far + 4096 * last),
         (uint32_t)(size_of(up) + 16 * size_of(back) + 256 * ((says[0] ^ says[1]) < 0) +
                    512 * p->mode + 8192 * zero + 16384 * last),
         (uint32_t)(most(level(inner), 15) + 16 * near + 1024 * last),
         (uint32_t)(level(like + 2 * inner + energy / 2) + 64 * p->mode + 1024 * zero),
         (uint32_t)(rest + 16 * context + 64 * most(g->sum, 7) + 512 * zero),
         (uint32_t)(finer + 1024 * context),
         (uint32_t)(both + 16 * most(a, 2) + 64 * most(l, 2) + 256 * most(level(inner), 7) +
                    2048 * zero),
         (uint32_t)(p->active + 16 * most(around, 15) + 256 * context),
         (uint32_t)(p->active + 16 * near + 1024 * last + 4096 * zero),
         (uint32_t)(rest + 16 * p->mode + 256 * context)},
        18,
        16 * most(near, 15),
        8 * (48 * p->type + 4 * most(both, 11) + context)};
}

/* What is known of a coefficient's sign. */
TARGET APART known of_sign(const work *w, const place_of *p, const block *b, const progress *g,
                           const int *next, int size) {
    const int z = g->zigzag, mode = p->mode;
    const int16_t *above = p->above->c, *left = p->left->c;
    int says[2];
    expected(w, p, z, says);
    const int both = signed_level(says[0] + says[1]);
    const uint32_t a = sign_of(above[z]), l = sign_of(left[z]);
    const uint32_t up = sign_of(next[UP]), back = sign_of(next[BACK]);
    const uint32_t like = sign_of(p->like[0]->c[z]), other = sign_of(p->like[1]->c[z]);
    const uint32_t own = 3 * (3 * sign_of(b->c[4]) + sign_of(b->c[1])) + sign_of(b->c[0]);
    return (known){
        {16 * (3 * a + l) + (uint32_t)mode,
         16 * (9 * up + 3 * back + sign_of(next[DIAGONAL])) + (uint32_t)mode,
         27 * a + 9 * l + 3 * up + back, 16 * own + (uint32_t)mode,
         16 * (3 * like + other) + (uint32_t)mode, (uint32_t)(both + 32 * most(size, 4)),
         (uint32_t)(signed_level(says[0]) + 32 * signed_level(says[1]) + 1024 * most(size, 2)),
         (uint32_t)(both + 32 * mode + 1024 * most(size, 2)),
         27 * a + 9 * l + 3 * sign_of(p->corner->c[z]) + sign_of(p->right->c[z]),
         16 * (27 * sign_of(above[0]) + 9 * sign_of(left[0]) + 3 * sign_of(above[1]) +
               sign_of(left[4])) +
             (uint32_t)mode,
         243 * a + 81 * l + 27 * sign_of(above[4]) + 9 * sign_of(left[1]) + 3 * sign_of(above[8]) +
             sign_of(left[2]),
         (uint32_t)p->index + 32 * like,
         27 * sign_of(next[FAR_UP]) + 9 * sign_of(next[FAR_BACK]) + 3 * sign_of(next[RISING]) +
             sign_of(next[FALLING])},
        13,
        NEAR_SIGNS + mode,
        AT_SIGNS + 4 * both + most(size, 3)};
}

/* The further bits of a large coefficient of a category. */
TARGET APART int code_extra(work *w, const place_of *p, int node, int category, const known *k) {
    int found = 0;
    for (int i = 0; i < FURTHER[category]; i++) {
        const uint32_t so_far = (uint32_t)(2048 * (16 * category + i) + found);
        const known own = {{so_far, hash(so_far, k->keys[3]), hash(so_far, k->keys[9])},
                           3,
                           NEAR_EXTRA + 16 * category + i,
                           AT_EXTRA};
        const int probability = w->n->extra[12 * category + i];
        found = 2 * found + decided(w, p->part, node + 11 + most(i, 3), &own, probability);
    }
    return found;
}

/* One more branch of the tree of a coefficient. */
TARGET INLINE int branch(work *w, const place_of *p, int node, int number, known *k,
                         const uint8_t *probabilities) {
    k->near += number, k->place += most(number, 7);
    const int bit = decided(w, p->part, node + number, k, probabilities[number]);
    k->near -= number, k->place -= most(number, 7);
    return bit;
}

/* The magnitude of a coefficient that is not 0. */
TARGET INLINE int code_size(work *w, const place_of *p, int node, known *k, const uint8_t *q) {
    if (!branch(w, p, node, 2, k, q)) return 1;
    if (!branch(w, p, node, 3, k, q)) {
        if (!branch(w, p, node, 4, k, q)) return 2;
        return 3 + branch(w, p, node, 5, k, q);
    }
    int category;
    if (!branch(w, p, node, 6, k, q)) {
        category = branch(w, p, node, 7, k, q);
    } else {
        const int high = branch(w, p, node, 8, k, q);
        category = 2 + 2 * high + branch(w, p, node, 9 + high, k, q);
    }
    return LEAST[category] + code_extra(w, p, node, category, k);
}

/* Code the coefficients of a block; returns whether there is any token but an end. */
TARGET APART int code_block(work *w, const place_of *p, block *b) {
    progress g = {.n = p->first, .context = p->filled};
    *b = (block){.sum = 0};
    while (g.n < 16 && !w->failed) {
        const int z = g.zigzag = ZIGZAG[g.n], node = EACH * (16 * p->type + g.n);
        const uint8_t *q = w->probabilities[p->type][BANDS[g.n]][g.context];
        int next[SIDES];
        known k = {.count = 0};
        sides(b, z, next);
        if (w->task != CHECKING) k = of_size(w, p, &g, next);
        if (!g.after_zero && !branch(w, p, node, 0, &k, q)) break;
        int value = 0;
        if (branch(w, p, node, 1, &k, q)) {
            value = code_size(w, p, node, &k, q);
            if (w->task != CHECKING) k = of_sign(w, p, b, &g, next, value);
            g.sum += value, g.count++;
            b->sum += value;
            if (decided(w, p->part, node + 15, &k, 128)) value = -value;
            b->c[z] = (int16_t)value;
            b->last = (int16_t)(g.n + 1);
            take_out(w, z, value * p->steps[z > 0], p->type != Y2);
        }
        const int size = size_of(value);
        g.last[2] = g.last[1], g.last[1] = g.last[0], g.last[0] = size;
        g.after_zero = !size, g.context = most(size, 2);
        g.n++;
    }
    return g.n > p->first;
}

#endif
