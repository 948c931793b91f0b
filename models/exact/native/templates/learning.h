/* Decisions about coefficients, and what they teach; a set of instructions includes this behind
 * blocks.h, with TARGET. learning.py is the definition. */
#include "coefficients/learning.h"

enum { LOGIT_MOST = 2815, MANTISSA = 10, OCTAVE = 45426, SATURATION = 16384 };
enum { MASS = 1 << 28, LEAST = 16, TAIL = 1 << 15, LEAST_INDEX = 256 };
enum { WEIGHT_LIMIT = 4 * 65536 - 16, SLOT_LIMIT = 32767 };
enum { RATE = 10, HASTE = 100, HASTE_LASTS = 17 };
enum { DECISION_BITS = 20, UNDERFLOW = -1 };

/* ---- a decision ---- */

TARGET INLINE int32_t logarithm(const block_network *n, uint32_t x) {
#if defined(__GNUC__)
    const int bits = 31 - __builtin_clz(x);
#else
    int bits = 0;
    for (int by = 16; by; by >>= 1) bits += x >> (bits + by) ? by : 0;
#endif
    const uint32_t mantissa = bits > MANTISSA ? x >> (bits - MANTISSA) : x << (MANTISSA - bits);
    return (bits * OCTAVE >> 8) + n->mantissas[mantissa - (1 << MANTISSA)];
}

TARGET INLINE int32_t logit_of(const block_network *n, int32_t yes, int32_t no) {
    return clip(logarithm(n, (uint32_t)yes) - logarithm(n, (uint32_t)no), -LOGIT_MOST, LOGIT_MOST);
}

TARGET INLINE int32_t squash(const block_network *n, int32_t x) {
    return n->squashed[clip(x, -LOGIT_MOST, LOGIT_MOST) + LOGIT_MOST];
}

/* Code a decision whose probability of 1 is `one` / 2^16; a decoder returns it. */
TARGET INLINE int decision(const block_network *n, decisions *d, int32_t one, int bit) {
    if (d->told) {
        d->costs[d->mine] += n->costs[(bit ? one : 65536 - one) >> 4];
        d->told[d->count++] = (uint32_t)bit << 16 | (uint32_t)one;
        return bit;
    }
    if (d->top < 0) return 0;
    const uint64_t low = d->head & ((1 << DECISION_BITS) - 1);
    const uint64_t ones = (uint64_t)one << (DECISION_BITS - 16);
    bit = low < ones;
    const uint64_t freq = bit ? ones : (1 << DECISION_BITS) - ones;
    d->head = freq * (d->head >> DECISION_BITS) + low - (bit ? 0 : ones);
    if (d->head >> 31) return bit;
    if (d->top >= d->end) d->top = UNDERFLOW;
    else d->head = d->head << 32 | d->words[d->top++];
    return bit;
}

TARGET INLINE void move_weight(int32_t *weight, int32_t x, int32_t by) {
    *weight = clip(*weight + ((x * by + (1 << 13)) >> 14), -WEIGHT_LIMIT, WEIGHT_LIMIT);
}

TARGET INLINE void move_slot(const block_network *n, const learner *l, slot *own, int32_t logit,
                             int32_t target) {
    const int32_t error = target - squash(n, logit + (own->offset >> 4));
    const int32_t moved = own->offset + ((error * l->pace[own->count] + (1 << 9)) >> 10);
    own->offset = (int16_t)clip(moved, -SLOT_LIMIT, SLOT_LIMIT);
    own->count = (uint16_t)(own->count + (own->count < COUNTS - 1));
}

/* Code a decision of which the mixture has told a logit, and learn its outcome. Each decision waits
 * for the one before it: four numbers one by one are done before a vector of them is. */
TARGET APART int decide(const block_network *n, learner *l, int32_t logit, slot *const *slots,
                        int32_t *weights, int bit) {
    slot *const a = slots[0], *const b = slots[1], *const c = slots[2];
    const int32_t x_a = a->offset * l->share[a->count] >> 12;
    const int32_t x_b = b->offset * l->share[b->count] >> 12;
    const int32_t x_c = c->offset * l->share[c->count] >> 12;
    const int32_t total = (weights[0] >> 4) * logit + (weights[1] >> 4) * x_a +
                          ((weights[2] >> 4) * x_b + (weights[3] >> 4) * x_c);
    const int32_t one = squash(n, total >> 12);
    bit = decision(n, l->line, one, bit);
    l->seen++;
    const int32_t target = bit << 16, by = (target - one) * l->rate >> 6;
    move_weight(weights, logit, by);
    move_weight(weights + 1, x_a, by);
    move_weight(weights + 2, x_b, by);
    move_weight(weights + 3, x_c, by);
    move_slot(n, l, a, logit, target);
    move_slot(n, l, b, logit, target);
    move_slot(n, l, c, logit, target);
    return bit;
}

/* ---- mixtures ---- */

/* Of one symbol. */
typedef struct {
    int32_t weight[COMPONENTS], mean[COMPONENTS], rate[COMPONENTS];
} parameters;

TARGET INLINE parameters parameters_at(const block_network *n, const mixtures *of, int64_t at) {
    parameters p;
    for (int j = 0; j < COMPONENTS; j++) {
        p.weight[j] = of->weight[at * COMPONENTS + j];
        p.mean[j] = of->mean[at * COMPONENTS + j] + 8;
        p.rate[j] = n->inverse[of->scale[at * COMPONENTS + j]];
    }
    return p;
}

/* Mass below a symbol, 0..MASS. */
TARGET INLINE int32_t cumulated(const block_network *n, const parameters *of, int32_t symbol) {
    int32_t total = 0;
    for (int j = 0; j < COMPONENTS; j++) {
        const int64_t at = (int64_t)(16 * symbol - of->mean[j]) * of->rate[j] >> 8;
        const int32_t u = (int32_t)(at < -SATURATION  ? -SATURATION
                                    : at > SATURATION ? SATURATION
                                                      : at) +
                          SATURATION;
        const int32_t left = n->sigmoid[u >> 5], right = n->sigmoid[(u >> 5) + 1];
        total += of->weight[j] * (left + ((right - left) * (u & 31) >> 5));
    }
    return total;
}

/* ---- the index of the last coefficient ---- */

TARGET INLINE int reached(int32_t value, const uint8_t *limits, int count) {
    int most = 0;
    for (int i = 0; i < count; i++) most += value >= limits[i];
    return most;
}

TARGET INLINE int last_bucket(int32_t index) {
    static const uint8_t limits[LAST_BUCKETS - 1] = {1, 2, 5, 10, 20, 36, 52};
    return reached(index, limits, LAST_BUCKETS - 1);
}

TARGET INLINE int32_t learn_last(const block_network *n, learner *l, const parameters *of,
                                 const int32_t *around, int32_t value) {
    const int sides = last_bucket(around[0]) * LAST_BUCKETS + last_bucket(around[1]);
    const int corners = last_bucket(around[2]) * LAST_BUCKETS + last_bucket(around[3]);
    int32_t low = 0, high = NODES, below = 0, above = MASS;
    for (int node = 1; high - low > 1;) {
        const int32_t middle = (low + high) / 2, mass = cumulated(n, of, middle);
        const int32_t upper = above - mass + LEAST_INDEX * (high - middle);
        const int32_t lower = mass - below + LEAST_INDEX * (middle - low);
        slot *const slots[SLOTS_OF] = {l->slots + OF_NODE + node,
                                       l->slots + OF_SIDES + sides * NODES + node,
                                       l->slots + OF_CORNERS + corners * NODES + node};
        const int bit = decide(n, l, logit_of(n, upper, lower), slots, l->weights[OF_NODES + node],
                               value >= middle);
        node = 2 * node + bit;
        if (bit) low = middle, below = mass;
        else high = middle, above = mass;
    }
    return low;
}

/* ---- coefficients ---- */

/* What is known of one, see Around of learning.py; mass that is as large as a magnitude, or
 * larger, is below or above a symbol that follows from `first`. */
typedef struct {
    const block_network *n;
    learner *l;
    parameters of;
    int k, last, band, bucket, opposite; /* opposite: of another sign than the other component's */
    int negative, first;
} value_of;

TARGET INLINE int decide_value(const value_of *v, int kind, int32_t yes, int32_t no, int bit) {
    learner *l = v->l;
    const int other = v->bucket + 8 * (v->opposite && v->bucket), one = v->k * DECISIONS + kind;
    const int few = kind < FEW - 1 ? kind : FEW - 1;
    slot *const slots[SLOTS_OF] = {
        l->slots + OF_ONE + (l->line->mine & (PLANES - 1)) * COEFFICIENTS * DECISIONS + one,
        l->slots + OF_OTHER + one * BUCKETS + other,
        l->slots + OF_LAST + (v->last * COEFFICIENTS + v->k) * FEW + few};
    int32_t *weights = l->weights[v->band * DECISIONS + kind];
    return decide(v->n, l, logit_of(v->n, yes, no), slots, weights, bit);
}

TARGET INLINE int32_t tail_of(const value_of *v, int32_t size) {
    if (v->negative) return cumulated(v->n, &v->of, v->first - size + 2);
    return MASS - cumulated(v->n, &v->of, v->first + size - 1);
}

/* What a magnitude is more than MAGNITUDES + 1, as the mixture says. */
TARGET static int32_t learn_rest(const value_of *v, int32_t value) {
    const block_network *n = v->n;
    const int32_t from = MAGNITUDES + 1;
    int32_t low = 0, high = 1;
    for (int i = 0; i < LARGEST; i++) {
        const int32_t beyond = tail_of(v, from + high);
        const int32_t mass = tail_of(v, from + low) - beyond + LEAST * (high - low);
        if (decision(n, v->l->line, squash(n, logit_of(n, mass, beyond + TAIL)), value < high))
            break;
        low = high, high = 2 * high + 1;
    }
    while (high - low > 1) {
        const int32_t middle = (low + high) / 2, half = tail_of(v, from + middle);
        const int32_t upper = half - tail_of(v, from + high) + LEAST * (high - middle);
        const int32_t lower = tail_of(v, from + low) - half + LEAST * (middle - low);
        if (decision(n, v->l->line, squash(n, logit_of(n, upper, lower)), value >= middle))
            low = middle;
        else high = middle;
    }
    return low;
}

TARGET INLINE int32_t learn_value(value_of *v, int32_t value) {
    const int last = v->k && v->last == v->k, size_known = value < 0 ? -value : value;
    const int32_t below = cumulated(v->n, &v->of, 0);
    const int32_t above = MASS - (last ? below : cumulated(v->n, &v->of, 1));
    if (!last) {
        const int32_t mass = MASS - above - below;
        if (decide_value(v, 0, mass + LEAST, MASS - mass + LEAST, value == 0)) return 0;
    }
    v->negative = decide_value(v, 1, below + TAIL, above + TAIL, value < 0);
    v->first = v->negative ? -1 : !last;
    v->opposite ^= v->negative;
    int32_t more = v->negative ? below : above;
    for (int32_t size = 1; size <= MAGNITUDES; size++) {
        const int32_t here = more;
        more = tail_of(v, size + 1);
        if (decide_value(v, 1 + size, here - more + LEAST, more + TAIL, size_known == size))
            return v->negative ? -size : size;
    }
    const int32_t size = MAGNITUDES + 1 + learn_rest(v, size_known - MAGNITUDES - 1);
    return v->negative ? -size : size;
}

/* ---- batches ---- */

TARGET INLINE void begin_batch(learner *l) {
    l->rate = RATE + (int32_t)(((int64_t)HASTE << HASTE_LASTS) / ((1 << HASTE_LASTS) + l->seen));
}

TARGET static void learn_lasts(const block_network *n, learner *l, const wave *w, int64_t count,
                               const mixtures *of) {
    begin_batch(l);
    for (int64_t i = 0; i < count; i++) {
        const block_place *p = w->where + i;
        const plane *in = p->in;
        const int64_t here = p->row * in->columns + p->column, above = here - in->columns;
        const int left = p->column > 0, top = p->row > 0, right = p->column + 1 < in->columns;
        const int32_t around[4] = {left ? in->last[here - 1] : 0, top ? in->last[above] : 0,
                                   left && top ? in->last[above - 1] : 0,
                                   right && top ? in->last[above + 1] : 0};
        const parameters told = parameters_at(n, of, i);
        l->line->mine = w->owner[i];
        w->last[i] = learn_last(n, l, &told, around, w->last[i]);
    }
}

TARGET static void learn_values(const block_network *n, learner *l, const wave *w, int64_t count,
                                int k, const mixtures *of) {
    static const uint8_t bands[BANDS - 1] = {1, 3, 6, 10, 15, 28, 45};
    static const uint8_t buckets[7] = {11, 24, 33, 39, 45, 56, 70};
    const int band = reached(k, bands, BANDS - 1);
    begin_batch(l);
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = w->which[i];
        const block_place *p = w->where + at;
        const plane *in = p->in;
        const int64_t here = (p->row * in->columns + p->column) * COEFFICIENTS + k;
        int32_t other = p->column ? in->signs[here - COEFFICIENTS] : 0;
        if (n->chroma) other = (in->second ? in->other : in->luma)[here];
        const int bucket = reached(size_of(other), buckets, 7);
        value_of v = {n, l, parameters_at(n, of, i), k, w->last[at], band, bucket, other < 0, 0, 0};
        l->line->mine = w->owner[at];
        w->symbols[i] = learn_value(&v, w->symbols[i]);
    }
}
