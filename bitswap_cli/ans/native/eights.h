/* The inversion of rows of fewer than MAX_LANES lanes, eight at a time, with AVX2; inversion.h says
 * how. Each row waits for the one before it, so what counts is how long one takes, and compilers
 * make loops over the few lanes of a row that take long. TARGET is the attribute of every function.
 */
#include "inversion.h"

enum { EIGHT = 8, STEPS = 2 }; /* lanes; turns of Newton's method, of which few are enough here */

typedef __m256i integers;
typedef __m256 floats;

TARGET INLINE integers integers_of(int32_t x) { return _mm256_set1_epi32(x); }
TARGET INLINE floats floats_of(float x) { return _mm256_set1_ps(x); }
TARGET INLINE integers load_of(const int32_t *p) { return _mm256_loadu_si256((const void *)p); }
TARGET INLINE void store_of(int32_t *p, integers x) { _mm256_storeu_si256((void *)p, x); }
TARGET INLINE integers within(integers x, integers low, integers high) {
    return _mm256_min_epi32(_mm256_max_epi32(x, low), high);
}
TARGET INLINE floats float_within(floats x, floats low, floats high) {
    return _mm256_min_ps(_mm256_max_ps(x, low), high);
}
TARGET INLINE floats as_floats(integers x) { return _mm256_cvtepi32_ps(x); }

/* Four entries of the table of sigmoids, each with the next one. */
TARGET INLINE floats neighbours(int32_t a, int32_t b, int32_t c, int32_t d) {
    const int32_t *table = bitswap_tables.sigmoid;
    __m128 low = _mm_setzero_ps(), high = low;
    low = _mm_loadh_pi(_mm_loadl_pi(low, (const void *)(table + a)), (const void *)(table + b));
    high = _mm_loadh_pi(_mm_loadl_pi(high, (const void *)(table + c)), (const void *)(table + d));
    return _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
}

/* `smooth` of eight; within, they go in the order 0 1 4 5 2 3 6 7. */
TARGET INLINE integers smooth_8(integers difference, integers rate, integers limit) {
    const integers start = integers_of(32 * (PADDING + ENTRIES / 2));
    integers u = within(difference, _mm256_sub_epi32(_mm256_setzero_si256(), limit), limit);
    u = _mm256_add_epi32(_mm256_srai_epi32(_mm256_mullo_epi32(u, rate), 8), start);
    int32_t at[EIGHT];
    store_of(at, _mm256_srai_epi32(u, 5));
    const __m256 low = neighbours(at[0], at[1], at[2], at[3]);
    const __m256 high = neighbours(at[4], at[5], at[6], at[7]);
    const integers left = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0x88));
    const integers right = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0xdd));
    const integers rest = _mm256_permute4x64_epi64(_mm256_and_si256(u, integers_of(31)), 0xd8);
    const integers more = _mm256_mullo_epi32(_mm256_sub_epi32(right, left), rest);
    return _mm256_permute4x64_epi64(_mm256_add_epi32(left, _mm256_srai_epi32(more, 5)), 0xd8);
}

/* `boundary` of eight. */
TARGET INLINE integers boundary_8(integers mass, integers index, int32_t size,
                                  const int precision) {
    const int spare = precision == FINE ? 6 : 0;
    const integers none = _mm256_setzero_si256();
    integers inner = _mm256_mullo_epi32(_mm256_srai_epi32(mass, spare), integers_of(size));
    inner = _mm256_sub_epi32(mass, _mm256_srai_epi32(inner, precision - spare));
    inner = _mm256_add_epi32(inner, index);
    inner = _mm256_and_si256(inner, _mm256_cmpgt_epi32(index, none));
    return _mm256_blendv_epi8(inner, integers_of(1 << precision),
                              _mm256_cmpgt_epi32(index, integers_of(size - 1)));
}

/* What is told of a component of eight symbols. */
typedef struct {
    integers share, offset, rate, limit;
} component;

/* The places of eight symbols from `first` on, of which `last` is the last one, repeated. */
TARGET INLINE integers places_of(int32_t first, int32_t last) {
    const integers at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_min_epi32(_mm256_add_epi32(at, integers_of(first)), integers_of(last));
}

/* Component k of the symbols at some places behind `first`; adds to `bad` if it can be none. */
TARGET INLINE component component_of(const logistic *d, int64_t first, int k, const int components,
                                     integers places, integers *bad) {
    const integers none = _mm256_setzero_si256(), all = integers_of(1 << WEIGHT_BITS);
    const int64_t from = first * components + k;
    const integers at = _mm256_mullo_epi32(places, integers_of(components));
    const integers level =
        within(_mm256_i32gather_epi32(d->scale + from, at, 4), none, integers_of(SCALE_LEVELS - 1));
    const integers centre = within(_mm256_i32gather_epi32(d->mean + from, at, 4),
                                   integers_of(-MEAN_LIMIT), integers_of(MEAN_LIMIT));
    component c = {
        .share = all,
        .offset = _mm256_sub_epi32(integers_of(16 * d->low - 8), centre),
        .rate = _mm256_i32gather_epi32(bitswap_tables.inverse, level, 4),
        .limit = _mm256_i32gather_epi32(bitswap_tables.saturation, level, 4),
    };
    if (d->weight) {
        const integers told = _mm256_i32gather_epi32(d->weight + from, at, 4);
        c.share = within(told, none, all);
        *bad = _mm256_or_si256(*bad, _mm256_xor_si256(c.share, told));
    }
    return c;
}

/* Sums of the masses below eight symbols, and above them. */
typedef struct {
    integers below, above;
} masses;

TARGET INLINE void add_masses(const component *c, integers index, masses *m) {
    const integers low = _mm256_add_epi32(_mm256_slli_epi32(index, 4), c->offset);
    const integers high = _mm256_add_epi32(low, integers_of(16));
    const integers below = _mm256_mullo_epi32(c->share, smooth_8(low, c->rate, c->limit));
    const integers above = _mm256_mullo_epi32(c->share, smooth_8(high, c->rate, c->limit));
    m->below = _mm256_add_epi32(m->below, below);
    m->above = _mm256_add_epi32(m->above, above);
}

/* Their boundaries. */
TARGET INLINE masses boundaries_of(masses m, integers index, int32_t size, const int precision) {
    const int shift = PRECISION + WEIGHT_BITS - precision;
    const integers next = _mm256_add_epi32(index, integers_of(1));
    m.below = boundary_8(_mm256_srai_epi32(m.below, shift), index, size, precision);
    m.above = boundary_8(_mm256_srai_epi32(m.above, shift), next, size, precision);
    return m;
}

/* `load_row` of eight lanes from `lane` on; behind the last of a row it repeats that. */
TARGET INLINE int load_eight(const logistic *d, int64_t first, int lane, int row,
                             const int components, row_parameters *p) {
    const integers places = places_of(lane, row - 1);
    integers sum = _mm256_setzero_si256(), bad = sum;
    for (int k = 0; k < components; k++) {
        const component c = component_of(d, first, k, components, places, &bad);
        sum = _mm256_add_epi32(sum, c.share);
        store_of(p->share[k] + lane, c.share), store_of(p->offset[k] + lane, c.offset);
        store_of(p->rate[k] + lane, c.rate), store_of(p->limit[k] + lane, c.limit);
    }
    bad = _mm256_or_si256(bad, _mm256_xor_si256(sum, integers_of(1 << WEIGHT_BITS)));
    return _mm256_testz_si256(bad, bad) ? 0 : BAD_WEIGHTS;
}

/* `guess_log2` and `guess_sigmoid` of eight. */
TARGET INLINE floats log2_8(floats x) {
    const integers bits = _mm256_castps_si256(x);
    const floats exponent = as_floats(_mm256_srli_epi32(bits, 23));
    const floats m = _mm256_castsi256_ps(
        _mm256_or_si256(_mm256_and_si256(bits, integers_of(0x7fffff)), integers_of(0x3f800000)));
    floats sum = _mm256_fmadd_ps(m, floats_of(-0.078441f), floats_of(0.626032f));
    sum = _mm256_fmadd_ps(m, sum, floats_of(-2.078335f));
    sum = _mm256_fmadd_ps(m, sum, floats_of(4.029211f));
    return _mm256_fmadd_ps(m, sum, exponent);
}

TARGET INLINE floats sigmoid_8(floats x) {
    const floats whole = floats_of(12582912.0f);
    x = float_within(x, floats_of(-30), floats_of(30)); /* of -x */
    const floats rounded = _mm256_sub_ps(whole, x),
                 f = _mm256_sub_ps(_mm256_sub_ps(whole, rounded), x);
    floats power = _mm256_fmadd_ps(f, floats_of(0.055838f), floats_of(0.242639f));
    power = _mm256_fmadd_ps(f, power, floats_of(0.693137f));
    power = _mm256_fmadd_ps(f, power, floats_of(0.999925f));
    const integers exponent = _mm256_slli_epi32(_mm256_castps_si256(rounded), 23);
    power = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(power), exponent));
    return _mm256_rcp_ps(_mm256_add_ps(floats_of(1), power));
}

/* `guess_row` of eight lanes. */
TARGET INLINE integers guess_eight(const logistic *d, int lane, const int components,
                                   const int precision, const row_parameters *p, integers cf) {
    const floats none = floats_of(0), total = floats_of((float)(1 << precision));
    const floats least = _mm256_mul_ps(total, floats_of(1.0f / (1 << 21)));
    const floats size = floats_of((float)d->size), log2_e = floats_of(1.442695f);
    const floats slope = _mm256_add_ps(floats_of(1), _mm256_div_ps(size, total));
    const floats inner = _mm256_sub_ps(total, size);
    floats share[MAX_COMPONENTS], middle[MAX_COMPONENTS], rate[MAX_COMPONENTS];
    floats at = none, from = size, to = none, centre = none;
    for (int k = 0; k < components; k++) {
        share[k] = _mm256_mul_ps(as_floats(load_of(p->share[k] + lane)),
                                 floats_of(1.0f / (1 << WEIGHT_BITS)));
        middle[k] = _mm256_mul_ps(as_floats(load_of(p->offset[k] + lane)), floats_of(-0.0625f));
        rate[k] = _mm256_mul_ps(as_floats(load_of(p->rate[k] + lane)),
                                floats_of(1.442695f * 16 / (1 << 18)));
        centre = _mm256_fmadd_ps(share[k], middle[k], centre);
    }
    const floats wanted = _mm256_add_ps(as_floats(cf), floats_of(0.5f));
    floats mass = _mm256_fmsub_ps(wanted, slope, float_within(centre, none, size));
    mass = float_within(mass, least, _mm256_sub_ps(total, least));
    const floats odds = _mm256_sub_ps(log2_8(mass), log2_8(_mm256_sub_ps(total, mass)));
    for (int k = 0; k < components; k++) {
        floats quantile = _mm256_add_ps(middle[k], _mm256_div_ps(odds, rate[k]));
        quantile = float_within(quantile, none, size);
        at = _mm256_fmadd_ps(share[k], quantile, at);
        from = _mm256_min_ps(from, quantile);
        to = _mm256_max_ps(to, quantile);
    }
    for (int turn = 0; turn < (components > 1 ? STEPS : 0); turn++) {
        floats density = none;
        mass = none;
        for (int k = 0; k < components; k++) {
            const floats part = sigmoid_8(_mm256_mul_ps(_mm256_sub_ps(at, middle[k]), rate[k]));
            const floats own = _mm256_mul_ps(share[k], part);
            mass = _mm256_add_ps(mass, own);
            density = _mm256_fmadd_ps(_mm256_fnmadd_ps(own, part, own), rate[k], density);
        }
        const floats excess = _mm256_fmadd_ps(mass, inner, _mm256_sub_ps(at, wanted));
        const floats slant = _mm256_fmadd_ps(density, _mm256_div_ps(inner, log2_e), floats_of(1));
        const floats above = _mm256_cmp_ps(excess, none, _CMP_GT_OQ);
        from = _mm256_blendv_ps(at, from, above);
        to = _mm256_blendv_ps(to, at, above);
        const floats next = _mm256_sub_ps(at, _mm256_div_ps(excess, slant));
        const floats half = _mm256_mul_ps(floats_of(0.5f), _mm256_add_ps(from, to));
        const floats outside = _mm256_or_ps(_mm256_cmp_ps(next, from, _CMP_LT_OQ),
                                            _mm256_cmp_ps(next, to, _CMP_GT_OQ));
        at = _mm256_blendv_ps(next, half, outside);
    }
    at = float_within(at, none, _mm256_sub_ps(size, floats_of(1)));
    return _mm256_cvttps_epi32(at);
}

/* Invert eight lanes of a row from `lane` on, or fewer; see `invert_row`. */
TARGET INLINE int invert_eight(const logistic *d, int64_t first, int lane, int row,
                               const int components, const int precision, row_parameters *p,
                               const int32_t *cf, int32_t *index, int32_t *start, int32_t *end) {
    const int error = load_eight(d, first, lane, row, components, p);
    if (error) return error;
    const integers wanted = load_of(cf + lane), none = _mm256_setzero_si256();
    const integers found = guess_eight(d, lane, components, precision, p, wanted);
    masses m = {none, none};
    for (int k = 0; k < components; k++) {
        const component c = {load_of(p->share[k] + lane), load_of(p->offset[k] + lane),
                             load_of(p->rate[k] + lane), load_of(p->limit[k] + lane)};
        add_masses(&c, found, &m);
    }
    m = boundaries_of(m, found, d->size, precision);
    store_of(index + lane, found), store_of(start + lane, m.below), store_of(end + lane, m.above);
    const integers right = _mm256_andnot_si256(_mm256_cmpgt_epi32(m.below, wanted),
                                               _mm256_cmpgt_epi32(m.above, wanted));
    int wrong = ~_mm256_movemask_ps(_mm256_castsi256_ps(right)) & ((1 << EIGHT) - 1);
    if (row - lane < EIGHT) wrong &= (1 << (row - lane)) - 1;
    for (; wrong; wrong &= wrong - 1) {
        const int i = lane + __builtin_ctz((unsigned)wrong);
        index[i] = search(d, components, precision, p, i, cf[i], index[i], cf[i] < start[i]);
        start[i] = boundary_of_lane(d, components, precision, p, i, index[i]);
        end[i] = boundary_of_lane(d, components, precision, p, i, index[i] + 1);
    }
    return 0;
}

/* `invert_row`. */
TARGET INLINE int row_in_eights(const logistic *d, int64_t first, int row, const int components,
                                const int precision, const int32_t *cf, int32_t *symbols,
                                int32_t *start, int32_t *end) {
    int32_t index[MAX_LANES];
    row_parameters p;
    if (row == MAX_LANES) /* compilers do better with as many */
        return invert_lanes(d, first, MAX_LANES, components, precision, cf, symbols, start, end);
    for (int lane = 0; lane < row; lane += EIGHT) {
        const int error =
            invert_eight(d, first, lane, row, components, precision, &p, cf, index, start, end);
        if (error) return error;
    }
    for (int i = 0; i < row; i++) symbols[i] = index[i] + d->low;
    return 0;
}
