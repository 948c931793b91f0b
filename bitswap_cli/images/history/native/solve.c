/* Samples, or what is known of them -> the coefficients that give them; see transform.h.

   A block is rounded; if that does not give its samples back, a beam search looks for few
   coefficients that are one more or less. A sample may be known within limits only; for what was
   cut see closest.h. */

#include "closest.h"

#define HALF (1 << (FINE - 1))
#define SLACK 1          /* of what is compared in fine units: the decoder rounds a little else */
#define MOST_MOVES 64
#define MOST_WIDTH 64
#define FAR 2047         /* no sample counts for more */
#define MOST 511         /* where it may lie above its range, no sample starts higher */
#define NEAR 256         /* costs up to it may be those of a block that is right */
#define AGAIN 2          /* searches, from where the one before ended */
#define ROUNDS 12       /* of projections, where samples are not known */
#define PROJECTION 500   /* comparisons that take as long */
#define HARD 16          /* nodes of a search that is not for blocks of which more samples are */
#define HOPELESS 32      /* wrong, as in those that were painted over */
#define COARSE 20 /* steps, on the average, by which blocks beyond the edges are found */

typedef struct {
    int16_t samples[64]; /* in fine units */
    uint64_t moved;      /* which moves it is made of */
    int32_t cost;
} node;

typedef struct {
    int16_t low[64], high[64]; /* fine units, with what rounding gives and takes */
    int16_t steps[MOST_MOVES][64];
    int8_t place[MOST_MOVES], sign[MOST_MOVES];
    int moves;
} puzzle;

/* Whether a sample is known: decoders clamp what is beyond 0 and 255. */
INLINE int fixed(limits l, int64_t at) {
    return l.low[at] == l.high[at] && l.low[at] && l.low[at] < 255;
}

INLINE int32_t cost_of(const puzzle *q, const int16_t *restrict samples,
                       const int16_t *restrict step) {
    int32_t sum = 0;
    for (int p = 0; p < 64; p++) {
        const int16_t now = (int16_t)(samples[p] + step[p]);
        const int16_t under = (int16_t)(q->low[p] - now), over = (int16_t)(now - q->high[p]);
        const int16_t worse = under > over ? under : over, wrong = worse > 0 ? worse : 0;
        const int16_t counted = wrong < FAR ? wrong : FAR;
        sum += counted * counted;
    }
    return sum;
}

int wrong(const int16_t *block, const quantizer *steps, limits l) {
    uint8_t made[64];
    int count = 0;
    inverse(block, steps, made, 8);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            const int64_t at = y * l.stride + x;
            count += made[8 * y + x] < l.low[at] || made[8 * y + x] > l.high[at];
        }
    return count;
}

/* List the moves of one coefficient that change it least against what is told, the cheapest first.
   A move costs (step - rest)^2 - rest^2, rest being what rounding left. */
static void list_moves(puzzle *q, const transform *t, const int32_t *told, const int16_t *block,
                       const quantizer *steps, int most) {
    int64_t costs[MOST_MOVES];
    int count = 0;
    for (int k = 0; k < 64; k++) {
        const int64_t step = steps->fine[k], rest = told[k] - block[k] * step;
        for (int sign = 1; sign > -2; sign -= 2) {
            const int64_t cost = step * (step - sign * 2 * rest);
            int at = count < most ? count++ : most;
            if (at == most && costs[--at] <= cost) continue;
            for (; at > 0 && costs[at - 1] > cost; at--) {
                costs[at] = costs[at - 1];
                q->place[at] = q->place[at - 1], q->sign[at] = q->sign[at - 1];
            }
            costs[at] = cost, q->place[at] = (int8_t)k, q->sign[at] = (int8_t)sign;
        }
    }
    q->moves = most;
    for (int m = 0; m < most; m++)
        for (int p = 0; p < 64; p++)
            q->steps[m][p] = moved_by(t, steps, q->place[m], q->sign[m], p);
}

INLINE void moved(const puzzle *q, uint64_t moves, const int16_t *from, int16_t *to) {
    memcpy(to, from, 64 * sizeof *to);
    for (int m = 0; m < q->moves; m++)
        if (moves >> m & 1) to[q->place[m]] = (int16_t)(to[q->place[m]] + q->sign[m]);
}

/* Keep a node among the best `width`, in the order of their costs; equal ones once. */
INLINE void keep(node *nodes, int *count, int width, const node *from, const int16_t *step,
                 uint64_t moves, int32_t cost) {
    if (*count == width && cost >= nodes[width - 1].cost) return;
    for (int i = 0; i < *count; i++)
        if (nodes[i].moved == moves) return;
    int at = *count < width ? (*count)++ : width - 1;
    for (; at > 0 && nodes[at - 1].cost > cost; at--) nodes[at] = nodes[at - 1];
    for (int p = 0; p < 64; p++) nodes[at].samples[p] = (int16_t)(from->samples[p] + step[p]);
    nodes[at].moved = moves, nodes[at].cost = cost;
}

/* Search from what rounding gave; 1 and the block if all samples are within their limits. Else the
   block is that of the fewest wrong ones that was seen. */
INLINE int search_in(puzzle *q, const int32_t *start, int16_t *block, const quantizer *steps,
                     limits l, int width, int depth, int64_t *left, node *beam) {
    node *now = beam, *next = beam + MOST_WIDTH;
    int16_t first[64], tried[64];
    int count = 1, least = wrong(block, steps, l);
    memcpy(first, block, sizeof first);
    for (int p = 0; p < 64; p++) now->samples[p] = (int16_t)start[p];
    now->moved = 0;
    for (int d = 0; d < depth && least && *left > 0; d++) {
        int found = 0;
        *left -= count * q->moves;
        for (int i = 0; i < count; i++)
            for (int m = 0; m < q->moves; m++) {
                if (now[i].moved >> m & 1) continue;
                const int32_t cost = cost_of(q, now[i].samples, q->steps[m]);
                keep(next, &found, width, now + i, q->steps[m], now[i].moved | 1ull << m, cost);
            }
        for (int i = 0; i < found && least && (i < 4 || next[i].cost <= NEAR); i++) {
            moved(q, next[i].moved, first, tried);
            const int others = wrong(tried, steps, l);
            if (others >= least) continue;
            least = others;
            memcpy(block, tried, sizeof tried);
        }
        node *swap = now;
        now = next, next = swap;
        count = found;
    }
    return !least;
}

#if X86
AVX2_TARGET static int search_by_avx2(puzzle *q, const int32_t *start, int16_t *block,
                                      const quantizer *steps, limits l, int width, int depth,
                                      int64_t *left, node *beam) {
    return search_in(q, start, block, steps, l, width, depth, left, beam);
}
#endif

static int search(puzzle *q, const int32_t *start, int16_t *block, const quantizer *steps, limits l,
                  int width, int depth, int64_t *left, node *beam) {
#if X86
    if (steps->avx2) return search_by_avx2(q, start, block, steps, l, width, depth, left, beam);
#endif
    return search_in(q, start, block, steps, l, width, depth, left, beam);
}

/* Try all subsets of the first moves; 1 and the block if one gives samples within their limits. It
   finds what a beam loses in flat blocks, where many coefficients round to the wrong side and no
   few of them alone make it better. */
INLINE int subsets_in(const puzzle *q, const int32_t *start, int16_t *block, const quantizer *steps,
                      limits l, int moves) {
    const int16_t none[64] = {0};
    int16_t samples[64], tried[64];
    uint64_t taken = 0;
    for (int p = 0; p < 64; p++) samples[p] = (int16_t)start[p];
    for (uint64_t n = 1; n >> moves == 0; n++) {
        int m = 0; /* Gray codes change one bit at a time: that of the lowest 1 of n */
        while (!(n >> m & 1)) m++;
        const int16_t sign = taken >> m & 1 ? -1 : 1;
        taken ^= 1ull << m;
        for (int p = 0; p < 64; p++) samples[p] = (int16_t)(samples[p] + sign * q->steps[m][p]);
        if (cost_of(q, samples, none) > NEAR) continue;
        moved(q, taken, block, tried);
        if (wrong(tried, steps, l)) continue;
        memcpy(block, tried, sizeof tried);
        return 1;
    }
    return 0;
}

#if X86
AVX2_TARGET static int subsets_by_avx2(const puzzle *q, const int32_t *start, int16_t *block,
                                       const quantizer *steps, limits l, int moves) {
    return subsets_in(q, start, block, steps, l, moves);
}
#endif

static int try_subsets(const puzzle *q, const int32_t *start, int16_t *block,
                       const quantizer *steps, limits l, int moves) {
#if X86
    if (steps->avx2) return subsets_by_avx2(q, start, block, steps, l, moves);
#endif
    return subsets_in(q, start, block, steps, l, moves);
}

/* Round coefficients so that samples within limits move as they have to; meanwhile those of
   steps up to `open` are not rounded. */
static void project(const transform *t, const int16_t *start, limits l, const quantizer *steps,
                    int64_t open, int32_t *told, int16_t *block, int32_t *made) {
    int32_t samples[64], meant[64];
    int free = 0;
    for (int p = 0; p < 64; p++) {
        const int64_t at = p / 8 * l.stride + p % 8;
        free |= !fixed(l, at);
        const int32_t high = l.high[at] < 255 ? l.high[at] : MOST;
        samples[p] = (clamped(start[at], l.low[at], high) - 128) * UNIT + steps->bias;
    }
    forward(t, samples, told);
    rounded(told, steps, block);
    for (int round = 0; free && round < ROUNDS && wrong(block, steps, l); round++) {
        for (int k = 0; k < 64; k++)
            meant[k] = steps->fine[k] > open * UNIT ? block[k] * steps->fine[k] : told[k];
        unfold(t, meant, made);
        for (int p = 0; p < 64; p++) {
            const int64_t at = p / 8 * l.stride + p % 8;
            if (fixed(l, at)) continue;
            const int32_t low = l.low[at] ? (l.low[at] << FINE) - HALF : -(512 << FINE);
            const int32_t high = l.high[at] < 255 ? (l.high[at] << FINE) + HALF : 1024 << FINE;
            samples[p] = (clamped(made[p], low, high) - (128 << FINE)) * (UNIT >> FINE);
        }
        forward(t, samples, told);
        rounded(told, steps, block);
    }
    backward(t, block, steps, made);
}

/* Take what fits the known columns or rows of a block, if that gives fewer samples wrongly than it
   does. */
static int fitted(const transform *t, const int16_t *start, limits l, const quantizer *steps,
                  const int32_t *factors, int16_t *block) {
    int32_t samples[64];
    uint8_t known[64];
    int16_t other[64];
    for (int p = 0; p < 64; p++) {
        const int64_t at = p / 8 * l.stride + p % 8;
        known[p] = (uint8_t)fixed(l, at);
        samples[p] = (start[at] - 128) * UNIT + steps->bias;
    }
    if (!fit_lines(t, samples, known, steps, factors, other)) return 0;
    if (wrong(other, steps, l) >= wrong(block, steps, l)) return 0;
    memcpy(block, other, sizeof other);
    return 1;
}

/* Whether samples may be beyond their range, or, in a crop, beyond its edges. Otherwise nothing is
   known of a sample where chroma is wrong. */
static int cut(limits l, int crop) {
    int beyond = 0;
    for (int p = 0; p < 64; p++) {
        const int64_t at = p / 8 * l.stride + p % 8;
        if (!crop && !l.low[at] && l.high[at] == 255) return 0;
        beyond |= !l.low[at] || l.high[at] == 255;
    }
    return beyond;
}

static void pose(puzzle *q, const quantizer *steps, limits l, const int32_t *made) {
    const int32_t bias = steps->bias / (UNIT >> FINE), half = HALF + SLACK;
    for (int p = 0; p < 64; p++) {
        const int64_t at = p / 8 * l.stride + p % 8;
        q->low[p] = (int16_t)(l.low[at] ? (l.low[at] << FINE) + bias - half : -(512 << FINE));
        q->high[p] =
            (int16_t)(l.high[at] < 255 ? (l.high[at] << FINE) + bias + half : 1000 << FINE);
        if (made[p] < -(400 << FINE) || made[p] > 700 << FINE) q->moves = 0;
    }
}

/* Solve blocks of a plane of samples.

   `start`, `low` and `high` are planes (8 rows, 8 columns): what is supposed, maybe above 255, and
   what is known.
   `blocks` are what was found before, `state` says of each block: 1, it stays as it is; 0, it stays
   if it gives what it should; 2, there is none yet. It becomes 1 where all samples come to lie
   within their limits. Where samples are not known, coefficients of steps up to `open` are rounded
   last; `crop` says whether there are pixels beyond what is known. A search has `width` nodes and
   takes up to `depth` of `moves` moves; there is none if `width` is 0. Then all subsets of
   `subsets` moves are tried. `left` counts comparisons of 64 samples that may still be made, and no
   clock is asked, so that every machine finds the same: where it is not above 0, blocks stay as
   they are. Returns how many are 1. */
EXPORT int64_t bitswap_history_solve(const int16_t *start, const uint8_t *low, const uint8_t *high,
                                     int64_t rows, int64_t columns, const int32_t *table,
                                     int64_t method, const int32_t *factors, int64_t open,
                                     int64_t crop, int64_t width, int64_t depth, int64_t moves,
                                     int64_t subsets, int64_t *left, int16_t *blocks,
                                     uint8_t *state) {
    const quantizer own = quantizer_of(table, method), *steps = &own;
    transform t;
    puzzle q;
    int64_t solved = 0;
    node *beam = malloc(2 * MOST_WIDTH * sizeof *beam);
    lattice *points = calloc(1, sizeof *points);
    if (!beam || !points) {
        free(beam), free(points);
        return -1;
    }
    arrange(&t);
    for (int64_t b = 0; b < rows * columns; b++) {
        const int64_t at = 8 * (b / columns * 8 * columns + b % columns);
        const limits l = {low + at, high + at, 8 * columns};
        int16_t *block = blocks + 64 * b, tried[64], other[64];
        const int fresh = state[b] == 2;
        if (!state[b] && !wrong(block, steps, l)) state[b] = 1;
        if (state[b] == 2 || (!state[b] && *left > 0)) {
            *left -= PROJECTION;
            int32_t told[64], made[64];
            project(&t, start + at, l, steps, open, told, tried, made);
            const int before = wrong(block, steps, l);
            int now = wrong(tried, steps, l);
            if (fresh && now && fitted(&t, start + at, l, steps, factors, tried)) {
                now = wrong(tried, steps, l);
                backward(&t, tried, steps, made);
                for (int k = 0; k < 64; k++) told[k] = tried[k] * steps->fine[k];
            }
            if (now && !fresh && width >= HARD && cut(l, crop && coarse(steps, COARSE)) &&
                closest(points, &t, steps, l, other, left)) {
                memcpy(tried, other, sizeof tried);
                now = 0;
            }
            if (!fresh && width >= HARD && before > HOPELESS && now > HOPELESS) continue;
            for (int again = 0; now && width && again < AGAIN; again++) {
                list_moves(&q, &t, told, tried, steps, (int)moves);
                pose(&q, steps, l, made);
                if (!q.moves) break;
                search(&q, made, tried, steps, l, (int)width, (int)depth, left, beam);
                const int still = wrong(tried, steps, l);
                if (still >= now) break;
                now = still;
                backward(&t, tried, steps, made);
            }
            if (now && subsets && *left > 0) {
                *left -= 1ll << subsets;
                int16_t again[64];
                project(&t, start + at, l, steps, open, told, again, made);
                list_moves(&q, &t, told, again, steps, (int)subsets);
                pose(&q, steps, l, made);
                if (q.moves && try_subsets(&q, made, again, steps, l, (int)subsets)) {
                    memcpy(tried, again, sizeof tried);
                    now = 0;
                }
            }
            if (fresh || now <= before) memcpy(block, tried, sizeof tried);
            state[b] = !now;
        }
        solved += state[b];
    }
    free(beam), free(points);
    return solved;
}
