/* Chroma that a decoder interpolated -> its samples and the coefficients that give them.

   Interpolation is linear but for rounding: least squares undo it, row by row and column by column.
   What they leave open a search decides, which interpolates again what a change of coefficients
   touches. */

#include "around.h"
#include "transform.h"

#define MOST_MOVES 32
#define CLOSE 1000 /* errors of blocks that few moves may make right */
#define PAIRED 300 /* and of those where pairs may */
#define HALF (1 << (FINE - 1))
#define TRIAL 70         /* comparisons of 64 samples that take as long */
#define LEFT 3           /* state of blocks that stay as they are */
#define ROUNDS 12        /* of refining, where pixels are not known */

typedef struct {
    const uint8_t *low, *high; /* at each pixel */
    uint8_t *plane;            /* samples, (height, width) of them valid */
    int64_t stride, across;    /* of the plane, and of the limits */
    int64_t height, width, vertical;
    int32_t bias; /* of a table, in fine units */
    int wide;     /* whether blocks cover their pixels without any interpolation */
    int64_t *work; /* comparisons of 64 samples that may still be made, see solve.c */
    around *around; /* of the block at hand */
} scene;

/* Fill the neighbours of a block, repeated beyond the ends. */
static void surround(const scene *s, int64_t top, int64_t left, samples patch) {
    memset(patch, 0, sizeof(samples));
    for (int64_t y = 0; y < SPAN; y++)
        for (int64_t x = 0; x < SPAN; x++) {
            int64_t row = top + y - 1, column = left + x - 1;
            row = row < 0 ? 0 : row < s->height ? row : s->height - 1;
            column = column < 0 ? 0 : column < s->width ? column : s->width - 1;
            patch[y][x] = s->plane[row * s->stride + column];
        }
}

/* Put the samples of a block into its patch; beyond the ends of the plane the last one counts. */
static void fill(const scene *s, int64_t top, int64_t left, const uint8_t *made, samples patch) {
    if (top && left && top + 8 < s->height && left + 8 < s->width) {
        for (int y = 0; y < 8; y++) memcpy(patch[y + 1] + 1, made + 8 * y, 8);
        return;
    }
    for (int64_t y = 0; y < 8; y++)
        for (int64_t x = 0; x < 8; x++) {
            const int64_t row = top + y < s->height ? y : s->height - 1 - top;
            const int64_t column = left + x < s->width ? x : s->width - 1 - left;
            patch[y + 1][x + 1] = made[8 * row + column];
        }
    for (int64_t y = 0; y < SPAN; y++) {
        if (!top && !y) memcpy(patch[0], patch[1], SPAN);
        if (y && top + y - 1 >= s->height) memcpy(patch[y], patch[y - 1], SPAN);
    }
    for (int64_t y = 0; y < SPAN; y++) {
        if (!left) patch[y][0] = patch[y][1];
        for (int64_t x = 1; x < SPAN; x++)
            if (left + x - 1 >= s->width) patch[y][x] = patch[y][x - 1];
    }
}

/* The error of a block that is as wide as its pixels; see error_around. */
static int64_t error_of_wide(const scene *s, const int16_t *block, const quantizer *steps,
                             int64_t top, int64_t left) {
    const int64_t first = s->vertical * top * s->across + 2 * left;
    uint8_t made[256];
    int64_t sum = 0;
    inverse_wide(block, steps, s->vertical, made, 16);
    for (int64_t p = 0; p < 128 * s->vertical; p++) {
        const int64_t at = first + p / 16 * s->across + p % 16;
        const int32_t out = made[p] < s->low[at]    ? s->low[at] - made[p]
                            : made[p] > s->high[at] ? made[p] - s->high[at]
                                                    : 0;
        sum += out * out;
    }
    return sum;
}

static int64_t try_block(const scene *s, const int16_t *block, const quantizer *steps, int64_t top,
                         int64_t left, samples patch, int64_t most) {
    uint8_t made[64];
    *s->work -= TRIAL;
    if (s->wide) return error_of_wide(s, block, steps, top, left);
    inverse(block, steps, made, 8);
    fill(s, top, left, made, patch);
    return error_around(s->around, patch, most);
}

/* What a block's samples, interpolated, lack at the pixels that it has a part in, added up again
   where it comes from; in fine units. Pixels that are not known lack what their limits ask for. */
static void lack(const scene *s, int32_t fine[SPAN][SPAN], int64_t top, int64_t left,
                 int32_t out[SPAN][SPAN]) {
    const int64_t down = s->vertical;
    memset(out, 0, sizeof(int32_t[SPAN][SPAN]));
    for (int64_t y = down == 2 ? -1 : 0; y < (down == 2 ? 17 : 8); y++) {
        const int64_t pixel = down * top + y, row = down == 2 ? (pixel >> 1) - top + 1 : y + 1;
        if (pixel < 0 || pixel >= down * s->height) continue;
        const int64_t far = down == 1 ? row : pixel & 1 ? row + 1 : row - 1;
        const uint8_t *low = s->low + pixel * s->across, *high = s->high + pixel * s->across;
        for (int64_t x = 0; x < SPAN; x++) {
            for (int odd = x ? 0 : 1; odd < (x == SPAN - 1 ? 1 : 2); odd++) {
                const int64_t at = 2 * (left + x - 1) + odd, beside = odd ? x + 1 : x - 1;
                if (at < 0 || at >= 2 * s->width) continue;
                const int32_t here = 9 * fine[row][x] + 3 * fine[row][beside];
                const int32_t made = (here + 3 * fine[far][x] + fine[far][beside]) >> 4;
                const int32_t low_at = (low[at] << FINE) + s->bias;
                const int32_t high_at = (high[at] << FINE) + s->bias;
                const int32_t least = low[at] ? low_at - HALF : -(512 << FINE);
                const int32_t most = high[at] < 255 ? high_at + HALF : 1024 << FINE;
                const int32_t goal = low[at] == high[at] ? low_at : clamped(made, least, most);
                const int32_t rest = goal - made;
                out[row][x] += 9 * rest, out[row][beside] += 3 * rest;
                out[far][x] += 3 * rest, out[far][beside] += rest;
            }
        }
    }
}

/* Refine what least squares tell of a block, whose neighbours are in `patch`, where pixels are not
   known: these move within their limits. */
static void refine(const scene *s, const transform *t, int64_t top, int64_t left, samples patch,
                   int32_t *told) {
    /* 2^8 times what a wave of a block grows by if it is interpolated and added up again, inverted:
       1 / (5/4 + 3/4 cos(u pi / 8)). */
    static const int32_t GROWTH[8] = {128, 132, 144, 167, 205, 266, 356, 460};
    int32_t fine[SPAN][SPAN], missed[SPAN][SPAN], inner[64], more[64];
    for (int round = 0; round < ROUNDS; round++) {
        unfold(t, told, inner);
        for (int64_t y = 0; y < SPAN; y++)
            for (int64_t x = 0; x < SPAN; x++) fine[y][x] = (patch[y][x] << FINE) + s->bias;
        for (int64_t y = top ? 1 : 0; y < SPAN; y++)
            for (int64_t x = left ? 1 : 0; x < SPAN; x++) {
                int64_t row = y ? y - 1 : 0, column = x ? x - 1 : 0;
                if (top + row >= s->height) row = s->height - 1 - top;
                if (left + column >= s->width) column = s->width - 1 - left;
                if (row < 8 && column < 8) fine[y][x] = inner[8 * row + column];
            }
        lack(s, fine, top, left, missed);
        for (int p = 0; p < 64; p++) inner[p] = missed[p / 8 + 1][p % 8 + 1] * (UNIT >> FINE) / 16;
        forward(t, inner, more);
        for (int k = 0; k < 64; k++) {
            const int64_t down = s->vertical == 2 ? GROWTH[ZIGZAG[k] / 8] : 256;
            told[k] += (int32_t)(more[k] * down * GROWTH[ZIGZAG[k] % 8] / 65536);
        }
    }
}

typedef struct {
    int64_t cost;
    int8_t place, sign;
} move;

/* The moves of one coefficient that change it least against what is told, the cheapest first. */
static void list_moves(const int32_t *told, const int16_t *block, const quantizer *steps,
                       move *moves, int most) {
    int count = 0;
    for (int k = 0; k < 64; k++) {
        const int64_t step = steps->fine[k], rest = told[k] - block[k] * step;
        for (int sign = -1; sign < 2; sign += 2) {
            const move m = {step * (step - sign * 2 * rest), (int8_t)k, (int8_t)sign};
            int at = count < most ? count++ : most;
            if (at == most && moves[--at].cost <= m.cost) continue;
            for (; at > 0 && moves[at - 1].cost > m.cost; at--) moves[at] = moves[at - 1];
            moves[at] = m;
        }
    }
}

/* Take the best of some moves, or of pairs of them, while there is one; returns the error left. */
static int64_t descend(const scene *s, int16_t *block, const quantizer *steps, int64_t top,
                       int64_t left, const move *moves, int count, samples patch, int64_t error) {
    while (error && *s->work > 0) {
        int64_t least = error;
        int first = -1, second = -1;
        for (int m = 0; m < count; m++) {
            block[moves[m].place] = (int16_t)(block[moves[m].place] + moves[m].sign);
            const int64_t now = try_block(s, block, steps, top, left, patch, least);
            block[moves[m].place] = (int16_t)(block[moves[m].place] - moves[m].sign);
            if (now < least) least = now, first = m;
        }
        for (int m = 0; first < 0 && error < PAIRED && m < count && *s->work > 0; m++)
            for (int n = m + 1; n < count; n++) {
                if (moves[m].place == moves[n].place) continue;
                block[moves[m].place] = (int16_t)(block[moves[m].place] + moves[m].sign);
                block[moves[n].place] = (int16_t)(block[moves[n].place] + moves[n].sign);
                const int64_t now = try_block(s, block, steps, top, left, patch, least);
                block[moves[m].place] = (int16_t)(block[moves[m].place] - moves[m].sign);
                block[moves[n].place] = (int16_t)(block[moves[n].place] - moves[n].sign);
                if (now < least) least = now, first = m, second = n;
            }
        if (first < 0) break;
        block[moves[first].place] = (int16_t)(block[moves[first].place] + moves[first].sign);
        if (second >= 0)
            block[moves[second].place] = (int16_t)(block[moves[second].place] + moves[second].sign);
        error = least;
    }
    return error;
}

/* Try all subsets of moves, from where `tried` is; returns the least error that there is, that of
   `block`. */
static int64_t try_subsets(const scene *s, int16_t *block, int16_t *tried, const quantizer *steps,
                           int64_t top, int64_t left, const move *moves, int count, samples patch,
                           int64_t error) {
    uint64_t taken = 0;
    for (uint64_t n = 1; n >> count == 0 && error && *s->work > 0; n++) {
        int m = 0; /* Gray codes change one bit at a time: that of the lowest 1 of n */
        while (!(n >> m & 1)) m++;
        const int sign = taken >> m & 1 ? -moves[m].sign : moves[m].sign;
        taken ^= 1ull << m;
        tried[moves[m].place] = (int16_t)(tried[moves[m].place] + sign);
        const int64_t now = try_block(s, tried, steps, top, left, patch, error);
        if (now < error) error = now, memcpy(block, tried, 64 * sizeof *tried);
    }
    return error;
}

/* Solve blocks of chroma that was interpolated.

   If `wide`, each block covers its pixels alone, and there is no plane.

   `told` (rows, columns, 64) are coefficients in units of 1 / UNIT, as least squares have them;
   `low` and `high` what is known at each pixel, planes (8 vertical rows, 16 columns); `height` and
   `width` count valid samples. `blocks` and the samples that they make, `plane`, change. `moves` of
   one coefficient are tried, for blocks that do not give what they should, then all subsets of
   `subsets` moves, as long as there is `work` left, see solve.c; `state` of each block becomes 1
   where all is right. Returns how many blocks are 1. */
EXPORT int64_t bitswap_history_chroma(const int32_t *told, const uint8_t *low, const uint8_t *high,
                                      int64_t rows, int64_t columns, int64_t height, int64_t width,
                                      int64_t vertical, const int32_t *table, int64_t method,
                                      int64_t wide, int64_t moves, int64_t subsets, int64_t *work,
                                      int16_t *blocks, uint8_t *plane, uint8_t *state) {
    const quantizer own = quantizer_of(table, method), *steps = &own;
    transform t;
    around pixels;
    const scene s = {low,         high,         plane,
                     8 * columns, 16 * columns, height,
                     width,       vertical,     own.bias / (UNIT >> FINE),
                     wide != 0,   work,         &pixels};
    int64_t solved = 0;
    arrange(&t);
    forget_around(&pixels);
    pixels.avx2 = own.avx2;
    for (int64_t b = 0; b < rows * columns; b++) {
        const int64_t top = b / columns * 8, left = b % columns * 8;
        int16_t *block = blocks + 64 * b;
        samples patch;
        if (state[b] == LEFT || top >= height || left >= width) {
            solved++;
            continue;
        }
        if (!wide) {
            surround(&s, top, left, patch);
            look_around(&pixels, low, high, height, width, s.across, vertical, top, left);
        }
        const int64_t before = try_block(&s, block, steps, top, left, patch, INT64_MAX);
        int64_t error = before;
        if (error && *s.work > 0) {
            int16_t again[64];
            int32_t better[64];
            memcpy(better, told + 64 * b, sizeof better);
            if (moves && !wide) refine(&s, &t, top, left, patch, better);
            rounded(better, steps, again);
            const int64_t now = try_block(&s, again, steps, top, left, patch, error);
            if (now < error) memcpy(block, again, sizeof again), error = now;
            if (error && moves) {
                move list[MOST_MOVES];
                list_moves(better, block, steps, list, (int)moves);
                error = descend(&s, block, steps, top, left, list, (int)moves, patch, error);
            }
            if (error && subsets && error < CLOSE) {
                move list[MOST_MOVES];
                list_moves(better, again, steps, list, (int)subsets);
                error = try_subsets(&s, block, again, steps, top, left, list, (int)subsets, patch,
                                    error);
            }
        }
        if (error < before && !wide) inverse(block, steps, plane + top * s.stride + left, s.stride);
        state[b] = !error, solved += !error;
    }
    return solved;
}
