/* Chooses luma and chroma of pixels for which several are possible, or none. */
#include "maps.h"

typedef struct {
    const uint8_t *pixels;
    int64_t height, width;
    uint8_t *first, *second; /* chroma, rows x columns */
    uint8_t *settled; /* 1: known, 3: chosen, else neither */
    int64_t rows, columns;
    int64_t how; /* one of those below */
    int64_t tall, wide; /* pixels of each row and column of chroma */
    int32_t unit, shift; /* parts that chroma is computed in */
} picture;

/* Chroma of each pixel, of four, of each second one, interpolated between; of two in a row; of
   four, interpolated from their middles. */
enum { FULL, REPEATED, BETWEEN, NONE, ACROSS, SMOOTH };

/* How far the other row, or column, is whose samples a pixel is seen with as well. */
INLINE int64_t other(const picture *p, int64_t pixel, int64_t count) {
    const int64_t after = (pixel & 1) && (pixel >> 1) + 1 < count;
    return p->how == BETWEEN || pixel & 1 ? after : -(pixel > 0);
}

/* The chroma of a pixel, in parts. */
INLINE int32_t parts_at(const picture *p, const uint8_t *plane, int64_t row, int64_t column) {
    const int64_t i = row >> (p->tall >> 1), j = column >> (p->wide >> 1);
    const uint8_t *here = plane + i * p->columns + j;
    if (p->how != BETWEEN && p->how != SMOOTH) return p->unit * here[0];
    const int64_t down = p->columns * other(p, row, p->rows);
    const int64_t right = other(p, column, p->columns);
    const int32_t beside = here[down] + here[right];
    if (p->how == SMOOTH) return 9 * here[0] + 3 * beside + here[down + right];
    return here[0] + beside + here[down + right];
}

INLINE int32_t chroma_of(const picture *p, int32_t parts) {
    return (parts + p->unit / 2) >> p->shift;
}

INLINE int32_t chroma_at(const picture *p, const uint8_t *plane, int64_t row, int64_t column) {
    return chroma_of(p, parts_at(p, plane, row, column));
}

/* Whether all samples of chroma that a pixel is seen with are settled. */
static int is_settled(const picture *p, int64_t row, int64_t column) {
    if (p->how != BETWEEN && p->how != SMOOTH) return 1;
    const uint8_t *here = p->settled + (row >> 1) * p->columns + (column >> 1);
    const int64_t down = p->columns * other(p, row, p->rows);
    const int64_t right = other(p, column, p->columns);
    return (here[0] & here[down] & here[right] & here[down + right]) & 1;
}

enum { NEAR = 9, PLACES = 16 }; /* the first ones, and all */

/* Which pixels a sample of chroma is seen in that count: those of samples that are settled. Its own
   one is the first. Returns how many. */
static int seen_in(const picture *p, int64_t i, int64_t j, int64_t (*seen)[2]) {
    static const int8_t places[PLACES][2] = {{0, 0},   {0, 1},  {1, 0},  {1, 1},  {-1, 0}, {0, -1},
                                             {-1, -1}, {-1, 1}, {1, -1}, {-1, 2}, {0, 2},  {1, 2},
                                             {2, -1},  {2, 0},  {2, 1},  {2, 2}};
    const int most = p->how == SMOOTH    ? PLACES
                     : p->how == BETWEEN ? NEAR
                                         : (int)(p->tall * p->wide);
    int count = 0;
    for (int k = 0; k < most; k++) {
        const int64_t row = p->tall * i + places[k][0], column = p->wide * j + places[k][1];
        if (row < 0 || row >= p->height || column < 0 || column >= p->width) continue;
        if (!is_settled(p, row, column)) continue;
        seen[count][0] = row, seen[count++][1] = column;
    }
    return count;
}

/* How many of these no luma gives. */
static int wrong_around(const picture *p, const map *m, int64_t i, int64_t j) {
    int64_t seen[PLACES][2];
    int wrong = 0;
    for (int k = seen_in(p, i, j, seen) - 1; k >= 0; k--) {
        const int64_t row = seen[k][0], column = seen[k][1];
        int32_t low, high;
        luma_of(m, p->pixels + 3 * (row * p->width + column), chroma_at(p, p->first, row, column),
                chroma_at(p, p->second, row, column), &low, &high);
        wrong += low > high;
    }
    return wrong;
}

/* The mean of the samples beside one: those before it, and those after it that are known. */
static uint8_t beside(const picture *p, const uint8_t *plane, int64_t i, int64_t j) {
    const int64_t n = i * p->columns + j;
    int32_t sum = 0, count = 0;
    if (j) sum += plane[n - 1], count++;
    if (i) sum += plane[n - p->columns], count++;
    if (j + 1 < p->columns && p->settled[n + 1] == 1) sum += plane[n + 1], count++;
    if (i + 1 < p->rows && p->settled[n + p->columns] == 1) sum += plane[n + p->columns], count++;
    return count ? (uint8_t)((2 * sum + count) / (2 * count)) : plane[n];
}

enum { REACH = 8, TRIED = 2 * REACH + 1, PADDED = 32 };

/* Values that are tried for a sample, and the chroma that a pixel has then. */
typedef struct {
    int32_t from, count;
    int32_t at[TRIED];
} trial;

INLINE void try_at(const picture *p, uint8_t *plane, int64_t here, int64_t row, int64_t column,
                   trial *t) {
    const uint8_t was = plane[here];
    plane[here] = 0;
    const int32_t rest = parts_at(p, plane, row, column);
    plane[here] = 1;
    const int32_t share = parts_at(p, plane, row, column) - rest;
    plane[here] = was;
    for (int32_t k = 0; k < TRIED; k++) t->at[k] = chroma_of(p, rest + share * (t->from + k));
}

INLINE trial around(int32_t value) {
    const int32_t from = byte_of(value - REACH);
    const trial t = {from, byte_of(value + REACH) - from + 1, {0}};
    return t;
}

/* Whether luma in low..high, which may be none, gives a channel. */
INLINE uint8_t gives(const map *m, int32_t value, int32_t sum, int32_t low, int32_t high) {
    const int32_t one = (int32_t)1 << m->shift, least = value * one - sum;
    if (low > high || (value && m->y[high] < least)) return 0;
    if (value == 255 || m->y[low] >= least + one) return value == 255;
    if (!value || m->y[low] >= least || m->y[high] < least + one) return 1;
    return m->y[first_luma(m, least)] < least + one;
}

/* Which luma gives a channel with each value: less luma, as chroma ascends. */
typedef struct {
    int32_t low[TRIED], high[TRIED];
} lumas;

INLINE void give(const map *m, int32_t value, const int32_t *table, const trial *t, lumas *l) {
    for (int32_t k = 0; k < t->count; k++) {
        l->low[k] = 0, l->high[k] = 255;
        if (k && t->at[k] == t->at[k - 1]) l->low[k] = l->low[k - 1], l->high[k] = l->high[k - 1];
        else narrow(m, value, table[t->at[k]], &l->low[k], &l->high[k]);
    }
}

/* How many pixels some luma gives with each pair of values. */
typedef struct {
    uint8_t at[TRIED][PADDED];
} pairs;

/* Add where some luma gives a pixel; chroma ascends by 1 at most. Of the values of red's chroma,
   those for which red and blue may want the same luma are next to each other, further on as blue's
   ascends: green is asked of these alone. */
static void add_right(const map *m, const uint8_t *p, const trial *a, const trial *b,
                      pairs *right) {
    lumas blue, red;
    uint8_t given[PADDED] = {0};
    give(m, p[2], m->blue, a, &blue);
    give(m, p[0], m->red, b, &red);
    for (int32_t k = 0, from = 0, to = 0; k < a->count; k++) {
        if (!k || a->at[k] != a->at[k - 1]) {
            const int32_t least = blue.low[k], most = blue.high[k];
            memset(given, 0, sizeof given);
            while (from < b->count && red.low[from] > most) from++;
            while (to < b->count && red.high[to] >= least) to++;
            for (int32_t l = from; l < to; l++) {
                const int32_t green = m->green_of_blue[a->at[k]] + m->green_of_red[b->at[l]];
                given[l] =
                    gives(m, p[1], green, at_least(red.low[l], least), at_most(red.high[l], most));
            }
        }
        if (from >= to) continue;
        for (int32_t l = 0; l < PADDED; l++)
            right->at[k][l] = (uint8_t)(right->at[k][l] + given[l]);
    }
}

/* Move a sample of chroma to where fewer pixels are wrong, near (a, b), the nearest such place;
   `best` are wrong now. */
static int moved(const picture *p, const map *m, int64_t i, int64_t j, int32_t a, int32_t b,
                 int best) {
    const int64_t here = i * p->columns + j;
    int64_t seen[PLACES][2];
    pairs right = {{{0}}};
    trial first = around(a), second = around(b);
    const int count = seen_in(p, i, j, seen);
    for (int k = 0; k < count; k++) {
        const int64_t row = seen[k][0], column = seen[k][1];
        try_at(p, p->first, here, row, column, &first);
        try_at(p, p->second, here, row, column, &second);
        add_right(m, p->pixels + 3 * (row * p->width + column), &first, &second, &right);
    }
    for (int32_t k = 0, nearest = -1; k < first.count; k++) {
        const int32_t da = abs(first.from + k - a);
        uint8_t most = 0;
        for (int32_t l = 0; l < PADDED; l++) most = most < right.at[k][l] ? right.at[k][l] : most;
        if (count - most > best || (count - most == best && da >= nearest)) continue;
        for (int32_t l = 0; l < second.count; l++) {
            const int32_t db = abs(second.from + l - b), far = da > db ? da : db;
            const int bad = count - right.at[k][l];
            if (bad > best || (bad == best && far >= nearest)) continue;
            best = bad, nearest = far;
            p->first[here] = (uint8_t)(first.from + k);
            p->second[here] = (uint8_t)(second.from + l);
        }
    }
    return best;
}

/* Choose the chroma that is not settled; returns what is left of the budget. */
static int64_t settle(const picture *p, const map *m, int64_t budget) {
    for (int64_t n = 0; n < p->rows * p->columns; n++) {
        if (p->settled[n] == 1) continue;
        const int64_t i = n / p->columns, j = n % p->columns;
        const uint8_t was[2] = {p->first[n], p->second[n]};
        p->first[n] = beside(p, p->first, i, j), p->second[n] = beside(p, p->second, i, j);
        p->settled[n] = 3;
        int wrong = wrong_around(p, m, i, j);
        if (!wrong || budget <= 0) continue;
        budget--;
        wrong = moved(p, m, i, j, p->first[n], p->second[n], wrong);
        if (wrong) moved(p, m, i, j, was[0], was[1], wrong);
    }
    return budget;
}

/* Choose again where that left anything wrong: now all is settled. */
static void settle_again(const picture *p, const map *m, int64_t budget) {
    for (int64_t n = 0; n < p->rows * p->columns && budget > 0; n++) {
        if (p->settled[n] == 1) continue;
        const int64_t i = n / p->columns, j = n % p->columns;
        const int wrong = wrong_around(p, m, i, j);
        if (!wrong) continue;
        budget--;
        moved(p, m, i, j, p->first[n], p->second[n], wrong);
    }
}

/* Choose what is not known (1) of the chroma of pixels (height, width, 3), at most `budget` samples
   by search, and then luma, such that it is as it is beside. Returns how many pixels these do not
   give. */
EXPORT int64_t bitswap_history_lay(const int32_t *tables, int64_t shift, int64_t how,
                                   const uint8_t *pixels, int64_t height, int64_t width,
                                   uint8_t *blue, uint8_t *red, uint8_t *known, int64_t rows,
                                   int64_t columns, int64_t budget, uint8_t *y) {
    const map m = of_tables(tables, shift);
    const int64_t tall = how == REPEATED || how == BETWEEN || how == SMOOTH ? 2 : 1;
    const int64_t wide = how == FULL ? 1 : 2;
    const int32_t parts = how == SMOOTH ? 4 : 2;
    const picture p = {pixels,  height, width, blue, red,        known, rows,
                       columns, how,    tall,  wide, 1 << parts, parts};
    int64_t wrong = 0;
    settle_again(&p, &m, settle(&p, &m, budget));
    for (int64_t row = 0; row < height; row++) {
        for (int64_t column = 0; column < width; column++) {
            const int64_t n = row * width + column;
            int32_t low, high;
            luma_of(&m, pixels + 3 * n, chroma_at(&p, blue, row, column),
                    chroma_at(&p, red, row, column), &low, &high);
            if (low > high) {
                wrong++;
                y[n] = (uint8_t)byte_of((low + high) / 2);
                continue;
            }
            const int32_t left = column ? y[n - 1] : row ? y[n - width] : 128;
            const int32_t above = row ? y[n - width] : left;
            const int32_t mean = (left + above + 1) >> 1;
            y[n] = (uint8_t)(mean < low ? low : at_most(mean, high));
        }
    }
    return wrong;
}
