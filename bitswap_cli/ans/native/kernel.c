/* The coder's inner loops, byte-identical to reference.py, behind a plain C ABI (see kernel.py).
 *
 * coder.h says what a message is, and what callers guarantee. Nothing here is global but the tables
 * and the choice of instructions, both set once by bitswap_setup.
 */
#include "coder.h"

enum { ABI = 5 };

tables bitswap_tables;
static const logistics *chosen = &bitswap_logistics_plain;

EXPORT int64_t bitswap_abi(void) { return ABI; }

EXPORT void bitswap_setup(const int32_t *table, const int32_t *rates, const int32_t *limits) {
    for (int i = 0; i < PADDING + ENTRIES + PADDING; i++) {
        int at = i - PADDING;
        bitswap_tables.sigmoid[i] = table[at < 0 ? 0 : at >= ENTRIES ? ENTRIES - 1 : at];
    }
    memcpy(bitswap_tables.inverse, rates, sizeof bitswap_tables.inverse);
    memcpy(bitswap_tables.saturation, limits, sizeof bitswap_tables.saturation);
#if X86
    if (processor_has(AVX2)) chosen = &bitswap_logistics_avx2;
#endif
}

/* ---- intervals ---- */

INLINE int64_t push_all(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                        const uint32_t *start, const uint32_t *freq, int64_t n,
                        const int precision) {
    int64_t at = 0;
    for (; at + lanes <= n; at += lanes)
        top = push_row(head, (int)lanes, words, top, start + at, freq + at, precision);
    return push_row(head, (int)(n - at), words, top, start + at, freq + at, precision);
}

HIDDEN int64_t bitswap_push_rows(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                                 const uint32_t *start, const uint32_t *freq, int64_t n,
                                 int precision) {
    return precision == FINE ? push_all(head, lanes, words, top, start, freq, n, FINE)
                             : push_all(head, lanes, words, top, start, freq, n, PRECISION);
}

EXPORT int64_t bitswap_push(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                            const uint32_t *start, const uint32_t *freq, int64_t n,
                            int64_t precision) {
    return bitswap_push_rows(head, lanes, words, top, start, freq, n, (int)precision);
}

/* Batches of intervals, the last one first. */
EXPORT int64_t bitswap_push_batches(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                                    const uint32_t *start, const uint32_t *freq,
                                    const int32_t *batches, int64_t count, int64_t precision) {
    int64_t end = 0;
    for (int64_t i = 0; i < count; i++) end += batches[i];
    for (int64_t i = count - 1; i >= 0; i--) {
        end -= batches[i];
        top = bitswap_push_rows(head, lanes, words, top, start + end, freq + end, batches[i],
                                (int)precision);
    }
    return top;
}

/* Decisions on a message of one lane, the last one first: see reference.push_decisions. */
EXPORT int64_t bitswap_push_decisions(uint64_t *head, uint32_t *words, int64_t top,
                                      const uint32_t *told, int64_t n) {
    uint64_t state = *head;
    for (int64_t i = n - 1; i >= 0; i--) {
        const uint32_t ones = (told[i] & 0xffff) << (PRECISION - 16);
        const uint32_t start = told[i] >> 16 ? 0 : ones;
        const uint32_t freq = told[i] >> 16 ? ones : TOTAL - ones;
        top = push_row(&state, 1, words, top, &start, &freq, PRECISION);
    }
    *head = state;
    return top;
}

/* ---- logistics, or mixtures where there are weights ---- */

EXPORT int64_t bitswap_push_logistic(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                                     const int32_t *symbols, int64_t n, const int32_t *weight,
                                     const int32_t *mean, const int32_t *scale, int64_t components,
                                     int64_t low, int64_t size) {
    const logistic d = {weight, mean, scale, (int32_t)components, (int32_t)low, (int32_t)size};
    return chosen->push(&d, head, lanes, words, top, symbols, n);
}

/* What the push above would push each symbol with; 0, or an error. */
EXPORT int64_t bitswap_intervals_logistic(const int32_t *symbols, int64_t n, uint32_t *start,
                                          uint32_t *freq, const int32_t *weight,
                                          const int32_t *mean, const int32_t *scale,
                                          int64_t components, int64_t low, int64_t size) {
    const logistic d = {weight, mean, scale, (int32_t)components, (int32_t)low, (int32_t)size};
    return chosen->intervals(&d, symbols, n, start, freq);
}

EXPORT int64_t bitswap_pop_logistic(uint64_t *head, int64_t lanes, const uint32_t *words,
                                    int64_t top, int64_t bottom, int32_t *symbols, int64_t n,
                                    const int32_t *weight, const int32_t *mean,
                                    const int32_t *scale, int64_t components, int64_t low,
                                    int64_t size) {
    const logistic d = {weight, mean, scale, (int32_t)components, (int32_t)low, (int32_t)size};
    return chosen->pop(&d, head, lanes, words, top, bottom, symbols, n);
}

/* ---- other distributions ---- */

EXPORT int64_t bitswap_pop_uniform(uint64_t *head, int64_t lanes, const uint32_t *words,
                                   int64_t top, int64_t bottom, int32_t *symbols, int64_t n,
                                   int64_t bits) {
    uint64_t state[MAX_LANES];
    int32_t cf[MAX_LANES], start[MAX_LANES], end[MAX_LANES];
    const int shift = PRECISION - (int)bits;
    memcpy(state, head, (size_t)lanes * sizeof *head);
    int row = (int)(n % lanes);
    for (int64_t first = n - row; first >= 0; first -= lanes, row = (int)lanes) {
        for (int i = 0; i < row; i++) {
            cf[i] = (int32_t)(state[i] & (TOTAL - 1));
            symbols[first + i] = cf[i] >> shift;
            start[i] = symbols[first + i] << shift;
            end[i] = start[i] + (1 << shift);
        }
        top = pop_row(state, row, words, top, cf, start, end, PRECISION);
        if (top > bottom) return UNDERFLOW;
    }
    memcpy(head, state, (size_t)lanes * sizeof *head);
    return top;
}

/* table: rows of size + 1 cumulative frequencies from 0 to 2^20; stride 0 if all share one row. */
EXPORT int64_t bitswap_pop_table(uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                                 int64_t bottom, int32_t *symbols, int64_t n, const uint32_t *table,
                                 int64_t stride, int64_t size) {
    uint64_t state[MAX_LANES];
    int32_t cf[MAX_LANES], start[MAX_LANES], end[MAX_LANES];
    memcpy(state, head, (size_t)lanes * sizeof *head);
    int row = (int)(n % lanes);
    for (int64_t first = n - row; first >= 0; first -= lanes, row = (int)lanes) {
        for (int i = 0; i < row; i++) {
            const uint32_t *ends = table + (first + i) * stride;
            cf[i] = (int32_t)(state[i] & (TOTAL - 1));
            int64_t from = 0;
            for (int64_t span = size; span > 1;) { /* ends[from] <= cf < ends[from + span] */
                int64_t half = span / 2;
                from = ends[from + half] <= (uint32_t)cf[i] ? from + half : from;
                span -= half;
            }
            symbols[first + i] = (int32_t)from;
            start[i] = (int32_t)ends[from];
            end[i] = (int32_t)ends[from + 1];
        }
        top = pop_row(state, row, words, top, cf, start, end, PRECISION);
        if (top > bottom) return UNDERFLOW;
    }
    memcpy(head, state, (size_t)lanes * sizeof *head);
    return top;
}

#ifdef _WIN32
/* setuptools exports it from every extension; this library is loaded by ctypes alone. */
EXPORT void *PyInit__kernel(void) { return 0; }
#endif
