/* Pixels of which channels were cut -> coefficients that give them: what is wrong of the colours
   that a decoder makes is taken back to coefficients, and added up there until it comes to a step.

   That is a projection between two sets in turn: the pictures that a decoder makes, and all luma
   and chroma that a pixel's colour allows, as a channel at an end of its range may be anything
   beyond it. No single step that is tried for itself finds its way where most of a block is cut. */

#include "scene.h"
#include "transform.h"

#define LARGE 2047    /* no coefficient becomes larger */
#define FARTHEST 1024 /* beyond its range no value counts as farther */

/* 2^8 times what a wave of a block grows by if it is interpolated and added up again, inverted; see
   chroma.c. */
static const int32_t GROWTH[8] = {128, 132, 144, 167, 205, 266, 356, 460};

typedef struct {
    scene s;
    transform t;
    const uint8_t *meant[3], *known; /* luma and chroma of pixels, and whether they are known */
    int32_t *carried[3]; /* what is added up of coefficients, in 1 / UNIT */
    int32_t *missing[3]; /* samples of chroma lack so much, likewise */
    int64_t rows, columns; /* of MCUs */
    uint16_t *wrong; /* pixels of each MCU */
    const uint8_t *clear; /* whether an MCU is asked at all */
    uint8_t *changed; /* whether any of its blocks did */
    int64_t rate, leak, patient; /* see search.py */
    int64_t at; /* of a block of luma, and what it makes */
    int32_t made[64];
} board;

/* Add what a pixel's chroma lacks to the samples that it was interpolated of. */
INLINE void scatter(board *b, int64_t y, int64_t x, int32_t blue, int32_t red) {
    const int64_t *told = b->s.told, stride = 8 * told[ACROSS];
    const int64_t row = y / told[TALL], column = x / told[WIDE];
    const int64_t down = y & 1 ? row + 1 : row - 1, side = x & 1 ? column + 1 : column - 1;
    if (!told[FANCY] || told[WIDE] == 1) {
        b->missing[1][row * stride + column] += blue, b->missing[2][row * stride + column] += red;
        return;
    }
    const int64_t beside = clamped((int32_t)side, 0, (int32_t)told[COLUMNS] - 1);
    const int64_t other = clamped((int32_t)down, 0, (int32_t)told[ROWS] - 1);
    for (int k = 1; k < 3; k++) {
        int32_t *to = b->missing[k] + row * stride, *far = b->missing[k] + other * stride;
        const int32_t much = k == 1 ? blue : red, quarter = much / 4;
        const int32_t there = told[TALL] == 2 ? quarter : 0, here = much - there;
        to[column] += here - here / 4, to[beside] += here / 4;
        far[column] += there - there / 4, far[beside] += there / 4;
    }
}

/* Luma of a pixel in 1 / UNIT, which may be beyond its range. */
static int32_t beyond(board *b, int64_t y, int64_t x) {
    const int64_t at = y / 8 * across(&b->s, 0) + x / 8;
    if (b->at != at) backward(&b->t, b->s.blocks[0] + 64 * at, b->s.steps, b->made);
    b->at = at;
    const int32_t made = b->made[8 * (y & 7) + (x & 7)];
    return clamped(made, -(FARTHEST << FINE), (FARTHEST + 255) << FINE) * (UNIT >> FINE);
}

/* Note what luma and chroma of a pixel lack that is wrong. */
static void note(board *b, int64_t y, int64_t x, int32_t cb, int32_t cr, int32_t *lack) {
    const int64_t *told = b->s.told;
    const int64_t p = (y - told[TOP]) * told[WIDTH] + x - told[LEFT];
    const int32_t luma = b->s.planes[0][y * 8 * across(&b->s, 0) + x];
    if (b->known[p] == 1) {
        *lack = (b->meant[0][p] - luma) * UNIT;
        scatter(b, y, x, (b->meant[1][p] - cb) * UNIT, (b->meant[2][p] - cr) * UNIT);
        return;
    }
    const int32_t made[3] = {luma + to_red(cr), luma + to_green(cb, cr), luma + to_blue(cb)};
    int32_t d[3];
    for (int k = 0; k < 3; k++) {
        const int32_t own = b->s.pixels[k][p];
        d[k] = own - made[k];
        if ((own == 0 && d[k] > 0) || (own == 255 && d[k] < 0)) d[k] = 0;
    }
    *lack = 77 * d[0] + 150 * d[1] + 29 * d[2];
    if (luma == 0 || luma == 255) {
        const int32_t over = beyond(b, y, x) - luma * UNIT;
        if (luma ? over > 0 && *lack < 0 : over < 0 && *lack > 0) *lack -= over;
        else if (luma ? over > 0 : over < 0) *lack = 0;
    }
    scatter(b, y, x, -43 * d[0] - 85 * d[1] + 128 * d[2], 128 * d[0] - 107 * d[1] - 21 * d[2]);
}

/* Note what pixels of an MCU lack; returns how many are wrong. */
INLINE int errors_in(board *b, int64_t row, int64_t column, int32_t lack[4][64]) {
    const scene *s = &b->s;
    const int64_t *told = s->told, tall = 8 * told[TALL], wide = 8 * told[WIDE];
    const int64_t end = told[TOP] + told[HEIGHT], side = told[LEFT] + told[WIDTH];
    const int64_t left = wide * column > told[LEFT] ? wide * column : told[LEFT];
    const int64_t right = wide * (column + 1) < side ? wide * (column + 1) : side;
    int64_t y = tall * row > told[TOP] ? tall * row : told[TOP];
    int wrong = 0;
    if (left >= right || !b->clear[row * b->columns + column]) return 0;
    for (; y < tall * (row + 1) && y < end; y++) {
        const uint8_t *luma = s->planes[0] + y * 8 * across(s, 0) + left;
        const int64_t first = (y - told[TOP]) * told[WIDTH] + left - told[LEFT];
        const uint8_t *red = s->pixels[0] + first, *green = s->pixels[1] + first;
        const uint8_t *blue = s->pixels[2] + first;
        int16_t cb[WIDEST], cr[WIDEST];
        uint8_t other[WIDEST], any = 0;
        upsampled(s, 1, y, left, right, cb);
        upsampled(s, 2, y, left, right, cr);
        for (int64_t x = 0; x < right - left; x++) {
            const int32_t r = clamped(luma[x] + to_red(cr[x]), 0, 255) ^ red[x];
            const int32_t g = clamped(luma[x] + to_green(cb[x], cr[x]), 0, 255) ^ green[x];
            other[x] = (uint8_t)(r | g | (clamped(luma[x] + to_blue(cb[x]), 0, 255) ^ blue[x]));
            any |= other[x];
        }
        if (!any) continue;
        for (int64_t x = left; x < right; x++) {
            if (!other[x - left]) continue;
            const int64_t at = (y - tall * row) / 8 * told[WIDE] + (x - wide * column) / 8;
            note(b, y, x, cb[x - left], cr[x - left], &lack[at][8 * (y & 7) + (x & 7)]);
            wrong++;
        }
    }
    return wrong;
}

#if X86
AVX2_TARGET static int errors_by_avx2(board *b, int64_t row, int64_t column, int32_t lack[4][64]) {
    return errors_in(b, row, column, lack);
}
#endif

static int errors_of(board *b, int64_t row, int64_t column, int32_t lack[4][64]) {
    b->at = -1;
    *b->s.left -= 64 * b->s.told[TALL] * b->s.told[WIDE];
#if X86
    if (b->s.steps[0].avx2) return errors_by_avx2(b, row, column, lack);
#endif
    return errors_in(b, row, column, lack);
}

/* Add up what a block's coefficients lack, and move those where it comes to a step. Returns whether
   any is. */
static int push(board *b, int k, int64_t row, int64_t column, const int32_t *lack) {
    const int64_t at = row * across(&b->s, k) + column, stride = 8 * across(&b->s, k);
    const quantizer *q = b->s.steps + k;
    int16_t *own = b->s.blocks[k] + 64 * at;
    int32_t *carried = b->carried[k] + 64 * at, told[64];
    int moved = 0;
    forward(&b->t, lack, told);
    for (int n = 0; n < 64; n++) {
        int64_t much = told[n];
        if (k && b->s.told[FANCY] && b->s.told[WIDE] == 2) {
            const int64_t down = b->s.told[TALL] == 2 ? GROWTH[ZIGZAG[n] / 8] : 256;
            much = much * down * GROWTH[ZIGZAG[n] % 8] / 65536;
        } else if (k) {
            much /= b->s.told[TALL] * b->s.told[WIDE];
        }
        carried[n] += (int32_t)((much * b->rate - carried[n] * b->leak) / 256);
        const int32_t size = abs(carried[n]), step = q->fine[n];
        if (2 * size <= step) continue;
        const int32_t steps = (size + step / 2) / step * (carried[n] < 0 ? -1 : 1);
        carried[n] -= steps * step, moved = 1;
        own[n] = (int16_t)clamped(own[n] + steps, -LARGE, LARGE);
    }
    if (moved) inverse(own, q, b->s.planes[k] + 8 * row * stride + 8 * column, stride);
    return moved;
}

/* Push luma of an MCU as far as its pixels are wrong. */
static void push_luma(board *b, int64_t row, int64_t column) {
    const int64_t tall = b->s.told[TALL], wide = b->s.told[WIDE], m = row * b->columns + column;
    int32_t lack[4][64] = {{0}};
    b->wrong[m] = (uint16_t)errors_of(b, row, column, lack);
    for (int64_t n = 0; n < tall * wide; n++) {
        const int64_t down = tall * row + n / wide, over = wide * column + n % wide;
        if (b->wrong[m]) b->changed[m] |= (uint8_t)push(b, 0, down, over, lack[n]);
        else memset(b->carried[0] + 64 * (down * across(&b->s, 0) + over), 0, sizeof lack[0]);
    }
}

/* Likewise chroma, which others may have a part in. */
static void push_chroma(board *b, int64_t row, int64_t column) {
    const int64_t stride = 8 * b->columns, m = row * b->columns + column;
    for (int k = 1; k < 3; k++) {
        int32_t lack[64], *from = b->missing[k] + 8 * row * stride + 8 * column;
        for (int y = 0; y < 8; y++) {
            memcpy(lack + 8 * y, from + y * stride, 8 * sizeof *lack);
            memset(from + y * stride, 0, 8 * sizeof *lack);
        }
        b->changed[m] |= (uint8_t)push(b, k, row, column, lack);
    }
}

/* Whether an MCU, or one that shares samples with it, is marked. */
static int near_any(board *b, int64_t row, int64_t column, int changed) {
    const int64_t reach = b->s.told[FANCY] && b->s.told[WIDE] == 2;
    for (int64_t y = row - reach; y <= row + reach; y++)
        for (int64_t x = column - reach; x <= column + reach; x++) {
            if (y < 0 || x < 0 || y >= b->rows || x >= b->columns) continue;
            if (changed ? b->changed[y * b->columns + x] : b->wrong[y * b->columns + x]) return 1;
        }
    return 0;
}

/* Go over all MCUs that may be wrong; returns how many pixels were. */
static int64_t sweep(board *b, uint8_t *looked) {
    const int64_t count = b->rows * b->columns;
    int64_t wrong = 0;
    for (int64_t m = 0; m < count; m++)
        looked[m] = b->wrong[m] || near_any(b, m / b->columns, m % b->columns, 1);
    for (int64_t m = 0; m < count; m++) b->changed[m] = 0;
    for (int64_t m = 0; m < count; m++) {
        if (looked[m]) push_luma(b, m / b->columns, m % b->columns);
        wrong += b->wrong[m];
    }
    for (int64_t m = 0; m < count && wrong; m++)
        if (near_any(b, m / b->columns, m % b->columns, 0))
            push_chroma(b, m / b->columns, m % b->columns);
    return wrong;
}

/* Sweep until all is right, or nothing gets better; returns how many pixels are wrong of the blocks
   that it leaves, those of which fewest are. `held` and `best` have room for them. */
static int64_t settled(board *b, uint8_t *looked, int16_t *held, int16_t *best, int64_t luma,
                       int64_t chroma) {
    const int64_t sizes[3] = {luma, chroma, chroma};
    int64_t least = INT64_MAX, mark = INT64_MAX / 16;
    for (int stuck = 0; least && stuck < b->patient && *b->s.left > 0; stuck++) {
        int16_t *to = held;
        for (int k = 0; k < 3; to += sizes[k++])
            memcpy(to, b->s.blocks[k], (size_t)sizes[k] * sizeof *to);
        const int64_t wrong = sweep(b, looked);
        *b->s.left -= b->rows * b->columns;
        if (wrong >= least) continue;
        if (16 * wrong <= 15 * mark) mark = wrong, stuck = 0;
        least = wrong, to = held, held = best, best = to;
    }
    const int16_t *from = best;
    for (int k = 0; k < 3 && least < INT64_MAX; from += sizes[k++])
        memcpy(b->s.blocks[k], from, (size_t)sizes[k] * sizeof *from);
    return least;
}

/* Move coefficients of MCUs of which pixels are wrong, as long as `left` pixels may be compared.
   `meant` are luma and chroma of the pixels where they are `known`. Blocks become those of which
   fewest pixels were wrong; returns how many. */
EXPORT int64_t bitswap_history_relax(const uint8_t *pixels, const uint8_t *meant,
                                     const uint8_t *known, const uint8_t *clear,
                                     const int64_t *told, uint8_t *luma, uint8_t *blue,
                                     uint8_t *red, int16_t *luma_blocks, int16_t *blue_blocks,
                                     int16_t *red_blocks, const int32_t *steps, int64_t rate,
                                     int64_t leak, int64_t patient, int64_t *left) {
    const int64_t size = told[HEIGHT] * told[WIDTH], rows = (told[ROWS] + 7) / 8;
    const int64_t count = rows * told[ACROSS], chroma = 64 * count;
    const int64_t whole = chroma * told[TALL] * told[WIDE], all = whole + 2 * chroma;
    uint8_t *bytes = malloc((size_t)(3 * size + 2 * count));
    int32_t *numbers = calloc((size_t)(all + 2 * chroma), sizeof *numbers);
    int16_t *room = malloc((size_t)(2 * all) * sizeof *room);
    uint16_t *wrong = calloc((size_t)count, sizeof *wrong);
    int64_t least = -1;
    if (bytes && numbers && room && wrong) {
        board b = {{{bytes, bytes + size, bytes + 2 * size},
                    told,
                    left,
                    {luma, blue, red},
                    {luma_blocks, blue_blocks, red_blocks},
                    {quantizer_of(steps, told[METHOD]), quantizer_of(steps + 64, told[METHOD]),
                     quantizer_of(steps + 128, told[METHOD])},
                    0,
                    0},
                   {{{0}}, {{0}}, 0, {{0}}},
                   {meant, meant + size, meant + 2 * size},
                   known,
                   {numbers, numbers + whole, numbers + whole + chroma},
                   {0, numbers + all, numbers + all + chroma},
                   rows,
                   told[ACROSS],
                   wrong,
                   clear,
                   bytes + 3 * size,
                   rate,
                   leak,
                   patient,
                   -1,
                   {0}};
        arrange(&b.t);
        for (int64_t p = 0; p < size; p++)
            for (int k = 0; k < 3; k++) bytes[k * size + p] = pixels[3 * p + k];
        memset(b.changed, 1, (size_t)count);
        least = settled(&b, b.changed + count, room, room + all, whole, chroma);
    }
    free(bytes), free(numbers), free(room), free(wrong);
    return least;
}
