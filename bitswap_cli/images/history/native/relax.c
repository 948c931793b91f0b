/* Pixels of which channels were cut -> coefficients that give them: what is wrong of the colours
   that a decoder makes is taken back to coefficients, and added up there until it comes to a step.

   That is a projection between two sets in turn: the pictures that a decoder makes, and all luma
   and chroma that a pixel's colour allows, as a channel at an end of its range may be anything
   beyond it. No single step that is tried for itself finds its way where most of a block is cut. */

#include "carry.h"
#include "scene.h"

#define FARTHEST 1024 /* beyond its range no value counts as farther */

/* 2^8 times what a wave of a block grows by if it is interpolated and added up again, inverted; see
   chroma.c. */
static const int32_t GROWTH[8] = {128, 132, 144, 167, 205, 266, 356, 460};

typedef struct {
    scene s;
    transform t;
    const uint8_t *meant[3], *known; /* luma and chroma of pixels, and whether they are known */
    int32_t *carried[3]; /* what is added up of coefficients, in 1 / UNIT */
    int32_t *missing[3]; /* samples lack so much, likewise: luma's by blocks, chroma's by rows */
    int64_t rows, columns; /* of MCUs */
    uint16_t *wrong; /* pixels of each MCU */
    const uint8_t *clear; /* whether an MCU is asked at all */
    uint8_t *changed; /* whether any of its blocks did */
    int64_t patient; /* see search.py */
    rates rates[2]; /* of luma and of chroma */
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
INLINE int errors_in(board *b, int64_t row, int64_t column) {
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
            const int64_t at = 64 * (y / 8 * across(s, 0) + x / 8) + 8 * (y & 7) + (x & 7);
            note(b, y, x, cb[x - left], cr[x - left], b->missing[0] + at);
            wrong++;
        }
    }
    return wrong;
}

#if X86
AVX2_TARGET static int errors_by_avx2(board *b, int64_t row, int64_t column) {
    return errors_in(b, row, column);
}
#endif

static int errors_of(board *b, int64_t row, int64_t column) {
    b->at = -1;
    *b->s.left -= 64 * b->s.told[TALL] * b->s.told[WIDE];
#if X86
    if (b->s.steps[0].avx2) return errors_by_avx2(b, row, column);
#endif
    return errors_in(b, row, column);
}

/* Add up what a block lacks, and move coefficients where that comes to a step. Returns whether any
   is. */
static int push(board *b, int k, int64_t row, int64_t column, const int32_t *lack) {
    const int64_t at = row * across(&b->s, k) + column, stride = 8 * across(&b->s, k);
    int16_t *own = b->s.blocks[k] + 64 * at;
    if (!carry(&b->t, b->s.steps + k, &b->rates[k > 0], lack, b->carried[k] + 64 * at, own))
        return 0;
    inverse(own, b->s.steps + k, b->s.planes[k] + 8 * row * stride + 8 * column, stride);
    return 1;
}

/* How coefficients of chroma are carried, or (`luma`) those of luma. */
static rates rates_of(const int64_t *told, int luma, int64_t rate, int64_t leak) {
    rates found = {{0}, (double)rate / 256, (double)leak / 256};
    const double share = luma ? 1 : 1. / (double)(told[TALL] * told[WIDE]);
    for (int n = 0; n < 64; n++) {
        const int32_t down = told[TALL] == 2 ? GROWTH[ZIGZAG[n] / 8] : 256;
        const int interpolated = !luma && told[FANCY] && told[WIDE] == 2;
        found.weights[n] = interpolated ? down * GROWTH[ZIGZAG[n] % 8] / 65536. : share;
    }
    return found;
}

/* Push luma of an MCU, if its pixels are wrong. */
static void push_luma(board *b, int64_t row, int64_t column) {
    const int64_t tall = b->s.told[TALL], wide = b->s.told[WIDE], m = row * b->columns + column;
    for (int64_t n = 0; n < tall * wide; n++) {
        const int64_t down = tall * row + n / wide, over = wide * column + n % wide;
        const int64_t at = 64 * (down * across(&b->s, 0) + over);
        int32_t *lack = b->missing[0] + at, *carried = b->carried[0] + at;
        if (b->wrong[m]) b->changed[m] |= (uint8_t)push(b, 0, down, over, lack);
        else memset(carried, 0, 64 * sizeof *carried);
        memset(lack, 0, 64 * sizeof *lack);
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

/* Mark an MCU, and those that share samples with it. */
static void mark(const board *b, int64_t m, uint8_t *marks) {
    const int64_t reach = b->s.told[FANCY] && b->s.told[WIDE] == 2;
    const int64_t row = m / b->columns, column = m % b->columns;
    for (int64_t y = row - reach; y <= row + reach; y++)
        for (int64_t x = column - reach; x <= column + reach; x++)
            if (y >= 0 && x >= 0 && y < b->rows && x < b->columns) marks[y * b->columns + x] = 1;
}

/* Note what all MCUs lack that may be wrong; returns how many pixels are. */
static int64_t look(board *b, uint8_t *marks) {
    const int64_t count = b->rows * b->columns;
    int64_t wrong = 0;
    for (int64_t m = 0; m < count; m++) marks[m] = b->wrong[m] > 0;
    for (int64_t m = 0; m < count; m++)
        if (b->changed[m]) mark(b, m, marks);
    for (int64_t m = 0; m < count; m++) {
        if (marks[m]) b->wrong[m] = (uint16_t)errors_of(b, m / b->columns, m % b->columns);
        wrong += b->wrong[m];
    }
    return wrong;
}

/* Push what was looked at. */
static void move(board *b, uint8_t *marks) {
    const int64_t count = b->rows * b->columns;
    for (int64_t m = 0; m < count; m++) {
        b->changed[m] = 0;
        if (marks[m]) push_luma(b, m / b->columns, m % b->columns);
        marks[m] = 0;
    }
    for (int64_t m = 0; m < count; m++)
        if (b->wrong[m]) mark(b, m, marks);
    for (int64_t m = 0; m < count; m++)
        if (marks[m]) push_chroma(b, m / b->columns, m % b->columns);
}

/* Keep the blocks of those MCUs that have changed, or take them back. */
static void keep(board *b, int16_t *const *kept, uint8_t *changed, int back) {
    for (int64_t m = 0; m < b->rows * b->columns; m++) {
        if (!changed[m]) continue;
        changed[m] = 0;
        for (int k = 0; k < 3; k++) {
            const int64_t tall = k ? 1 : b->s.told[TALL], wide = k ? 1 : b->s.told[WIDE];
            const int64_t row = m / b->columns * tall, column = m % b->columns * wide;
            for (int64_t y = 0; y < tall; y++) {
                const int64_t at = 64 * ((row + y) * b->columns * wide + column);
                int16_t *own = b->s.blocks[k] + at, *other = kept[k] + at;
                memcpy(back ? own : other, back ? other : own, (size_t)(64 * wide) * sizeof *own);
            }
        }
    }
}

/* Move until all is right, or nothing gets better; returns how many pixels are wrong of the blocks
   that it leaves, those of which fewest are. `kept` has room for them, `marks` and `since` for a
   byte of each MCU. */
static int64_t settled(board *b, uint8_t *marks, uint8_t *since, int16_t *const *kept) {
    const int64_t count = b->rows * b->columns;
    int64_t least = INT64_MAX, mark = INT64_MAX / 16;
    memset(since, 1, (size_t)count);
    for (int stuck = 0; least && stuck < b->patient && *b->s.left > 0; stuck++) {
        const int64_t wrong = look(b, marks);
        *b->s.left -= count;
        if (wrong < least) {
            if (16 * wrong <= 15 * mark) mark = wrong, stuck = 0;
            least = wrong;
            keep(b, kept, since, 0);
        }
        if (!wrong) break;
        move(b, marks);
        for (int64_t m = 0; m < count; m++) since[m] |= b->changed[m];
    }
    if (least < INT64_MAX) keep(b, kept, since, 1);
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
    uint8_t *bytes = malloc((size_t)(3 * size + 3 * count)), *marks = bytes + 3 * size;
    int32_t *numbers = calloc((size_t)(2 * all), sizeof *numbers), *lack = numbers + all;
    int16_t *kept = malloc((size_t)all * sizeof *kept);
    uint16_t *wrong = calloc((size_t)count, sizeof *wrong);
    int64_t least = -1;
    if (bytes && numbers && kept && wrong) {
        board b = {{{bytes, bytes + size, bytes + 2 * size},
                    told,
                    left,
                    {luma, blue, red},
                    {luma_blocks, blue_blocks, red_blocks},
                    {quantizer_of(steps, told[METHOD]), quantizer_of(steps + 64, told[METHOD]),
                     quantizer_of(steps + 128, told[METHOD])},
                    0,
                    0},
                   {{{0}}, 0, {{0}}},
                   {meant, meant + size, meant + 2 * size},
                   known,
                   {numbers, numbers + whole, numbers + whole + chroma},
                   {lack, lack + whole, lack + whole + chroma},
                   rows,
                   told[ACROSS],
                   wrong,
                   clear,
                   marks + 2 * count,
                   patient,
                   {rates_of(told, 1, rate, leak), rates_of(told, 0, rate, leak)},
                   -1,
                   {0}};
        arrange(&b.t);
        for (int64_t p = 0; p < size; p++)
            for (int k = 0; k < 3; k++) bytes[k * size + p] = pixels[3 * p + k];
        memset(b.changed, 1, (size_t)count);
        int16_t *const parts[3] = {kept, kept + whole, kept + whole + chroma};
        least = settled(&b, marks, marks + count, parts);
    }
    free(bytes), free(numbers), free(kept), free(wrong);
    return least;
}
