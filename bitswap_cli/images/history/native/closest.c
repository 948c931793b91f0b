/* Samples of which some are known within limits only -> the coefficients that give them; see
   closest.h.

   What multiples of steps give are the points of a lattice, and one is sought that is close to what
   is known: samples that are known count for much, those that were cut for little, and high
   frequencies are rare. Vectors that are nearly orthogonal by that measure (the reduction of
   Lenstra, Lenstra and Lovasz) let coefficients be rounded one after another (Babai's nearest
   plane). What that is off is added to what is asked for, until all samples are within limits.

   Floating-point numbers are added, subtracted, multiplied and divided only, none of these two in
   one step (setup.py), in the order that is written here: so every machine finds the same. */

#include "closest.h"

#define TIMES 200 /* so many times a point is asked for, fewer where more samples are wrong, */
#define ONCE 300 /* which takes as long as so many comparisons of 64 samples, */
#define REDUCTION 10000 /* and a basis as these */
#define SURE .3 /* standard deviations: of samples that are known, */
#define OPEN .6 /* more for each step between a sample's limits, */
#define ROUGH 1000. /* and of coefficients, by the sum of squares of their frequencies */
#define NEARLY .99 /* of its square a vector may lose so that it comes first */
#define SWAPS 20000 /* at most */
#define MOST 1e9 /* no factor is larger */
#define LARGE 2047 /* no coefficient */
#define FAR 4096 /* beyond its range any sample may be */
#define MARGIN 2 /* in fine units: a decoder rounds a little otherwise */

INLINE double dot(const double *a, const double *b, int count) {
    double sums[4] = {0};
    int k = 0;
    for (; k + 4 <= count; k += 4)
        for (int n = 0; n < 4; n++) sums[n] += a[k + n] * b[k + n];
    for (; k < count; k++) sums[0] += a[k] * b[k];
    return sums[0] + sums[1] + (sums[2] + sums[3]);
}

INLINE void subtract(double *from, double much, const double *what, int count) {
    for (int k = 0; k < count; k++) from[k] -= much * what[k];
}

/* The nearest whole number. */
INLINE double whole(double value) {
    const double near = !(value > -MOST) ? -MOST : value < MOST ? value : MOST;
    return (double)(int64_t)(near < 0 ? near - .5 : near + .5);
}

/* Whether that is 0, as mostly. */
INLINE int is_none(double value) { return value > -.5 && value < .5; }

/* What may be known of a sample, at most, where `beyond` is how far it may be beyond its range. */
typedef struct {
    int low, high;
} span;

INLINE span span_of(limits l, int p, int beyond) {
    const int64_t at = p / 8 * l.stride + p % 8;
    const span s = {l.low[at] ? l.low[at] : -beyond, l.high[at] < 255 ? l.high[at] : 255 + beyond};
    return s;
}

/* Weigh samples, and ask for those in the midst of what they may be. Returns whether weights are
   others than before. */
INLINE int ask(lattice *l, const transform *t, const quantizer *q, limits given, int beyond,
               double *asked) {
    double before[64];
    memcpy(before, l->weights, sizeof before);
    for (int p = 0; p < 64; p++) {
        const span s = span_of(given, p, beyond);
        const double wide = SURE + OPEN * (s.high - s.low);
        const double middle = (s.low + s.high) / 2. - 128 + (double)q->bias / UNIT;
        for (int k = 0; k < 64; k++)
            l->waves[p][k] = (double)q->fine[k] * t->basis[k][p] / (UNIT << 16);
        l->weights[p] = 1 / (wide * wide);
        subtract(asked, -middle * l->weights[p], l->waves[p], 64);
    }
    return memcmp(before, l->weights, sizeof before) != 0;
}

/* Begin with a vector for each coefficient. */
INLINE void begin(lattice *l, const quantizer *q) {
    double products[64][64] = {{0}};
    for (int k = 0; k < 64; k++) {
        const int u = ZIGZAG[k] % 8, v = ZIGZAG[k] / 8;
        const double wide = ROUGH / (1 + u * u + v * v), steps = q->fine[k] / wide / UNIT;
        products[k][k] = steps * steps;
    }
    for (int p = 0; p < 64; p++)
        for (int i = 0; i < 64; i++)
            subtract(products[i] + i, -l->weights[p] * l->waves[p][i], l->waves[p] + i, 64 - i);
    memset(l->basis, 0, sizeof l->basis);
    for (int j = 0; j < 64; j++) {
        l->basis[j][j] = 1;
        l->squares[j] = products[j][j];
        for (int i = j + 1; i < 64; i++) {
            l->along[i][j] = products[j][i] / products[j][j];
            subtract(products[i] + i, l->along[i][j], products[j] + i, 64 - i);
        }
    }
}

/* Take whole multiples of another vector from a vector. */
INLINE void shorten(lattice *l, int k, int other) {
    if (is_none(l->along[k][other])) return;
    const double much = whole(l->along[k][other]);
    subtract(l->along[k], much, l->along[other], other);
    l->along[k][other] -= much;
    subtract(l->basis[k], much, l->basis[other], 64);
}

/* Let a vector and the one before it change places. */
INLINE void swap(lattice *l, int k) {
    for (int j = 0; j < 64; j++) {
        const double other = l->basis[k][j];
        l->basis[k][j] = l->basis[k - 1][j], l->basis[k - 1][j] = other;
    }
    for (int j = 0; j < k - 1; j++) {
        const double other = l->along[k][j];
        l->along[k][j] = l->along[k - 1][j], l->along[k - 1][j] = other;
    }
    const double much = l->along[k][k - 1], before = l->squares[k - 1];
    const double square = l->squares[k] + much * much * before;
    const double back = much * before / square;
    l->along[k][k - 1] = back;
    l->squares[k] *= before / square, l->squares[k - 1] = square;
    for (int i = k + 1; i < 64; i++) {
        const double own = l->along[i][k];
        l->along[i][k] = l->along[i][k - 1] - much * own;
        l->along[i][k - 1] = own + back * l->along[i][k];
    }
}

INLINE void reduce(lattice *l) {
    for (int k = 1, swaps = 0; k < 64 && swaps < SWAPS;) {
        shorten(l, k, k - 1);
        const double much = l->along[k][k - 1];
        if (l->squares[k] < (NEARLY - much * much) * l->squares[k - 1]) {
            swap(l, k), swaps++;
            if (k > 1) k--;
        } else {
            for (int j = k - 2; j >= 0; j--) shorten(l, k, j);
            k++;
        }
    }
}

/* The point that is nearly the closest to what is asked for, given the products of that with the
   waves of coefficients; 0 if it is no block. */
INLINE int nearest(const lattice *l, const double *asked, int16_t *block) {
    double rest[64], sums[64] = {0};
    for (int i = 0; i < 64; i++) rest[i] = dot(l->basis[i], asked, 64) - dot(l->along[i], rest, i);
    for (int i = 0; i < 64; i++) rest[i] /= l->squares[i];
    for (int i = 63; i >= 0; i--) {
        if (is_none(rest[i])) continue;
        const double much = whole(rest[i]);
        subtract(rest, much, l->along[i], i);
        subtract(sums, -much, l->basis[i], 64);
    }
    for (int k = 0; k < 64; k++) {
        if (!(sums[k] >= -LARGE && sums[k] <= LARGE)) return 0;
        block[k] = (int16_t)sums[k];
    }
    return 1;
}

/* Add what samples of a block are off to what is asked for. */
INLINE void push(const lattice *own, const transform *t, const quantizer *q, limits l,
                 const int16_t *block, double *asked) {
    const int32_t bias = q->bias / (UNIT >> FINE), half = (1 << (FINE - 1)) - MARGIN;
    int32_t made[64];
    backward(t, block, q, made);
    for (int p = 0; p < 64; p++) {
        const span s = span_of(l, p, FAR);
        const int32_t low = (s.low * (1 << FINE)) + bias - half;
        const int32_t high = (s.high * (1 << FINE)) + bias + half;
        const int32_t off = clamped(made[p], low, high) - made[p];
        if (!off) continue;
        const double much = (double)off / (1 << FINE);
        subtract(asked, -much * own->weights[p], own->waves[p], 64);
    }
}

INLINE int closest_in(lattice *own, const transform *t, const quantizer *q, limits l,
                      int16_t *block, int64_t *left) {
    static const int BEYOND[] = {16, 8, 28};
    for (int n = 0; n < 3 && *left > 0; n++) {
        double asked[64] = {0};
        if (ask(own, t, q, l, BEYOND[n], asked)) { /* blocks at an edge are alike */
            begin(own, q);
            reduce(own);
            *left -= REDUCTION;
        }
        for (int m = 0, least = 64; m * least < TIMES && nearest(own, asked, block); m++) {
            const int others = wrong(block, q, l);
            *left -= ONCE;
            if (!others) return 1;
            if (others < least) least = others;
            push(own, t, q, l, block, asked);
        }
    }
    return 0;
}

#if X86
AVX2_TARGET static int closest_by_avx2(lattice *own, const transform *t, const quantizer *q,
                                       limits l, int16_t *block, int64_t *left) {
    return closest_in(own, t, q, l, block, left);
}
#endif

int closest(lattice *own, const transform *t, const quantizer *q, limits l, int16_t *block,
            int64_t *left) {
#if X86
    if (t->avx2) return closest_by_avx2(own, t, q, l, block, left);
#endif
    return closest_in(own, t, q, l, block, left);
}
