/* Pixels in work, and what is known of one that is to be corrected. reference.py is the definition.
 */
#ifndef BITSWAP_CORRECTIONS_WORK_H
#define BITSWAP_CORRECTIONS_WORK_H

#define TARGET
#include "decisions.h"
#include "mixing.h"

enum { CONTEXTS = 7, TABLE_BITS = 15 };
enum { BLOCKS, PIXELS, NUMBERS, SUBJECTS }; /* what is decided */
enum { NODES = 256, OF_CHANNEL = 64, CASES = 64 }; /* decisions, and sets of weights of each */
enum { SIDE = 8, RATE = 90, BEYOND = 4, FEW = 3, MANY = 15 }; /* FEW, MANY: where numbers are cut */

/* What adapts, in the order of state.py. */
typedef struct {
    uint32_t *states; /* [SUBJECTS][CONTEXTS][STATES] */
    uint32_t *alone; /* [NODES] */
    uint32_t *steps; /* [NODES][STEPS] */
    int32_t *by_node; /* [NODES][INPUTS] */
    int32_t *by_near; /* [SUBJECTS][CASES][INPUTS] */
    int32_t *by_place; /* [SUBJECTS][CASES][INPUTS] */
    int32_t *sets; /* [NODES][MOST_SETS] */
} state;

/* Those of `Grid` in state.py, behind the picture's sides. */
typedef struct {
    int64_t height, width, channels, top, left, tall, wide, linked;
} geometry;

typedef struct {
    tables t;
    state a;
    geometry g;
    const uint8_t *made;
    uint8_t *pixels; /* corrected ones so far, others as they were made */
    int64_t rows, columns; /* blocks that the picture has a part of */
    uint8_t *wrong; /* of each block: 0, or 1 and how many pixels were wrong so far */
    uint8_t *cut; /* how many are at an end of their range */
    uint16_t *slots; /* [CONTEXTS][1 << TABLE_BITS] */
} work;

typedef struct {
    uint32_t keys[CONTEXTS];
    int near, place; /* which sets of weights */
} known;

INLINE int greater(int a, int b) { return a > b ? a : b; }

/* Code a bit of which something is known. */
static int decide(work *w, coder *c, int subject, int node, const known *k, int bit) {
    decision d;
    d.t = &w->t;
    begin(&d);
    for (int i = 0; i < CONTEXTS; i++) {
        const uint32_t at = hash(k->keys[i], (uint32_t)(8 * node + i)) >> (32 - TABLE_BITS);
        see_slot(&d, w->slots + ((size_t)i << TABLE_BITS) + at,
                 w->a.states + (subject * CONTEXTS + i) * STATES);
    }
    see(&d, w->a.alone + node);
    d.sets[d.chosen++] = w->a.by_node + node * INPUTS;
    d.sets[d.chosen++] = w->a.by_near + (subject * CASES + k->near) * INPUTS;
    d.sets[d.chosen++] = w->a.by_place + (subject * CASES + k->place) * INPUTS;
    const int32_t one = mix(&d, w->a.sets + node * MOST_SETS, w->a.steps + node * STEPS);
    bit = code(c, one, bit);
    learn(&d, bit, RATE);
    return bit;
}

INLINE int64_t at(const work *w, int64_t y, int64_t x) {
    return (y * w->g.width + x) * w->g.channels;
}

/* By what a channel of a pixel differs, as far as that is known. */
INLINE int differs(const work *w, int64_t y, int64_t x, int64_t channel) {
    if (y < 0 || x < 0 || x >= w->g.width) return 0;
    const int64_t i = at(w, y, x) + channel;
    return (int8_t)(uint8_t)(w->pixels[i] - w->made[i]);
}

INLINE uint32_t is_wrong(const work *w, int64_t y, int64_t x) {
    int any = 0;
    for (int64_t k = 0; k < w->g.channels; k++) any |= differs(w, y, x, k);
    return any != 0;
}

INLINE uint32_t cut_to(int value, int most) { return (uint32_t)(clip(value, -most, most) + most); }

/* By what all channels of a pixel differ, by FEW at most. */
INLINE uint32_t all_of(const work *w, int64_t y, int64_t x) {
    uint32_t all = 0;
    for (int64_t k = 0; k < w->g.channels; k++) all = 32 * all + cut_to(differs(w, y, x, k), FEW);
    return all;
}

/* 1, 2 or 0: a sample that is 0, 255, or between. */
INLINE uint32_t end_of(uint8_t sample) { return sample == 0 ? 1 : sample == 255 ? 2 : 0; }

INLINE uint32_t ends_of(const work *w, int64_t y, int64_t x) {
    uint32_t all = 0;
    for (int64_t k = 0; k < w->g.channels; k++) all = 3 * all + end_of(w->made[at(w, y, x) + k]);
    return all;
}

/* What is noted of a block; 0 of one that is not there. */
INLINE int noted(const work *w, const uint8_t *notes, int64_t i, int64_t j) {
    return i < 0 || j < 0 || i >= w->rows || j >= w->columns ? 0 : notes[i * w->columns + j];
}

/* How near an end the n-th of some is, and which one. */
INLINE uint32_t nearness(int64_t n, int64_t size) {
    const int64_t rest = size - 1 - n, least = n < rest ? n : rest;
    return (uint32_t)(2 * (least < 3 ? least : 3) + (n < rest));
}

/* What is known of whether any pixel of a block is wrong. */
static known of_block(const work *w, int64_t i, int64_t j) {
    const int64_t tall = w->g.tall, wide = w->g.wide;
    const int64_t down = (w->g.top >> 3) % tall, right = (w->g.left >> 3) % wide;
    const int64_t first = (i + down) / tall * tall - down, left = (j + right) / wide * wide - right;
    const int west = noted(w, w->wrong, i, j - 1), north = noted(w, w->wrong, i - 1, j);
    const uint32_t two = (uint32_t)(2 * (west > 0) + (north > 0));
    uint32_t around = 2 * two + (noted(w, w->wrong, i - 1, j - 1) > 0);
    around = 2 * around + (noted(w, w->wrong, i - 1, j + 1) > 0);
    around = 2 * around + (noted(w, w->wrong, i, j - 2) > 0);
    around = 2 * around + (noted(w, w->wrong, i - 2, j) > 0);
    uint32_t mcu = 0;
    int cut = 0;
    for (int64_t y = first; y < first + tall; y++)
        for (int64_t x = left; x < left + wide; x++) {
            cut += noted(w, w->cut, y, x);
            if (y < i || (y == i && x < j)) mcu = 4 * mcu + 2 + (noted(w, w->wrong, y, x) > 0);
        }
    const uint32_t place = (uint32_t)(2 * (i - first) + j - left);
    const uint32_t edge = 8 * nearness((i + down) / tall, (w->rows + down + tall - 1) / tall) +
                          nearness((j + right) / wide, (w->columns + right + wide - 1) / wide);
    return (known){
        {hash(around, place), hash(edge, two), hash((uint32_t)bits_of(noted(w, w->cut, i, j)), two),
         hash((uint32_t)bits_of(cut), hash(mcu, edge)),
         hash((uint32_t)bits_of(west), hash((uint32_t)bits_of(north), place)),
         hash(edge, hash(mcu, place)), (uint32_t)j},
        (int)around,
        (int)edge};
}

/* What is known of whether a pixel of such a block is wrong. */
static known of_pixel(const work *w, int64_t y, int64_t x) {
    const int64_t py = y + w->g.top, px = x + w->g.left;
    const int64_t i = (py >> 3) - (w->g.top >> 3), j = (px >> 3) - (w->g.left >> 3);
    const uint32_t two = 2 * is_wrong(w, y, x - 1) + is_wrong(w, y - 1, x);
    uint32_t around = 4 * two + 2 * is_wrong(w, y - 1, x - 1) + is_wrong(w, y - 1, x + 1);
    around = 4 * around + 2 * is_wrong(w, y, x - 2) + is_wrong(w, y - 2, x);
    uint32_t farther = 0;
    for (int64_t k = -3; k <= 3; k++) farther = 2 * farther + is_wrong(w, y - 2, x + k);
    farther = 2 * farther + is_wrong(w, y, x - 3);
    const uint32_t place = (uint32_t)(8 * (py & 7) + (px & 7));
    const uint32_t own = (uint32_t)noted(w, w->wrong, i, j) - 1;
    const uint32_t north = (uint32_t)noted(w, w->wrong, i - 1, j) / 8;
    const uint32_t west = (uint32_t)noted(w, w->wrong, i, j - 1) / 8;
    const uint32_t east = noted(w, w->wrong, i, j + 1) > 0;
    const int64_t mid = w->g.channels / 2;
    uint32_t middle = cut_to(differs(w, y, x - 1, mid), MANY);
    middle = 32 * middle + cut_to(differs(w, y - 1, x, mid), MANY);
    middle = 32 * middle + cut_to(differs(w, y - 1, x + 1, mid), MANY);
    return (known){
        {hash(around, (uint32_t)(2 * (py & 1) + (px & 1))),
         hash(all_of(w, y, x - 1), all_of(w, y - 1, x)), hash(ends_of(w, y, x), two),
         hash(16 * own / (place + 1), hash((uint32_t)bits_of((int32_t)place), two)),
         hash(around, farther), hash(16 * north + west, 2 * two + (own > 0)), hash(middle, east)},
        (int)around,
        (int)place};
}

/* What a channel is by its neighbours in a picture: that above, that before, or their sum less the
 * one between, whichever is in the midst. */
INLINE int by_neighbours(const work *w, int64_t y, int64_t x, int64_t channel) {
    const int west = w->pixels[at(w, y, x - 1) + channel];
    const int north = w->pixels[at(w, y - 1, x) + channel];
    const int sum = west + north - w->pixels[at(w, y - 1, x - 1) + channel];
    return clip(sum, lesser(west, north), greater(west, north));
}

/* By how much more a pixel differs from what was made than from what its neighbours say. */
INLINE int missed(const work *w, int64_t y, int64_t x) {
    int all = 0;
    for (int64_t k = 0; k < w->g.channels; k++) {
        const int made = differs(w, y, x, k);
        const int other = w->pixels[at(w, y, x) + k] - by_neighbours(w, y, x, k);
        all += (made < 0 ? -made : made) - (other < 0 ? -other : other);
    }
    return all;
}

/* Whether what was made says less of a pixel than its neighbours do: it was painted over. */
INLINE int is_foreign(const work *w, int64_t y, int64_t x) {
    return y > 1 && x > 1 && is_wrong(w, y, x - 1) && is_wrong(w, y - 1, x) &&
           missed(w, y, x - 1) + missed(w, y - 1, x) > BEYOND;
}

/* What is known of a channel of a wrong pixel. `base` is what is added to it as to the first one,
 * `before` a hash of what was said of the ones before. */
static known of_channel(const work *w, int64_t y, int64_t x, int64_t channel, int foreign, int base,
                        int less, uint32_t before) {
    const int64_t ys[4] = {y, y - 1, y - 1, y - 1}, xs[4] = {x - 1, x, x - 1, x + 1};
    int near[4] = {0, 0, 0, 0};
    for (int m = 0; m < 4 && !foreign; m++)
        near[m] = differs(w, ys[m], xs[m], channel) - (less ? differs(w, ys[m], xs[m], 1) : 0);
    const uint32_t west = cut_to(near[0], FEW), north = cut_to(near[1], FEW);
    const uint32_t corners = 8 * cut_to(near[2], FEW) + cut_to(near[3], FEW);
    const uint32_t end = end_of(w->made[at(w, y, x) + channel]);
    const int parity = (int)(2 * ((y + w->g.top) & 1) + ((x + w->g.left) & 1));
    return (known){
        {hash(cut_to(near[0], MANY), 2 * cut_to(near[1], MANY) + (uint32_t)foreign),
         hash(before, 0), hash(before, all_of(w, y, x - 1)), hash(before, all_of(w, y - 1, x)),
         hash(before, 4 * cut_to(near[0] + near[1], MANY) + end), hash(8 * west + north, corners),
         hash(before, ends_of(w, y, x))},
        (int)(7 * west + north),
        (int)(8 * cut_to(base, FEW)) + 4 * foreign + parity};
}

#endif
