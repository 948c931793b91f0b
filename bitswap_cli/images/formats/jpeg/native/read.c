/* Scans into coefficients; see scan.h. */

#include "decoder.h"

typedef struct {
    const scan *scan;
    const decoder *dc, *ac; /* four each */
    notes *notes;
    uint8_t *interval; /* its bytes, without the zeros behind 0xff */
    int64_t size;      /* how many */
    bits bits;
    int32_t last[4];
    int64_t run;   /* blocks of the end-of-block run that are to come */
    int64_t block; /* number of the block at hand */
} reader;

INLINE int read_dc(reader *r, bits *b, int owner, int16_t *block) {
    int size, difference, low = r->scan->low;
    if (r->scan->high) {
        block[0] = (int16_t)(block[0] | take(b, 1) << low);
        return 0;
    }
    size = pair(b, r->dc + r->scan->component[owner].dc, &difference);
    if (size == END || size > 15) return END;
    int32_t value = r->last[owner] + difference;
    if (value < -32768 >> low || value > 32767 >> low) return END;
    r->last[owner] = value;
    block[0] = (int16_t)(value * (1 << low));
    return 0;
}

/* Note that a block ends with `count` codes for 16 zeros. */
INLINE void note_odd(reader *r, int count) {
    if (count) r->notes->block[r->notes->odd++] = (uint32_t)(8 * r->block + count);
}

/* Begin an end-of-block run by its symbol; note its length. */
INLINE void read_run(reader *r, bits *b, int found) {
    int size = found >> 4;
    r->run = (1 << size) + (size ? take(b, size) : 0);
    r->notes->run[r->notes->runs++] = (uint16_t)r->run;
}

/* Coefficients of a sequential scan; d is of joined ends. */
INLINE int read_ac(reader *r, bits *b, int16_t *block, const decoder *d) {
    int odd = 0;
    for (int k = 1; k <= 63; k++) {
        refill(b);
        entry e = d->fast[b->word >> (64 - FAST)];
        int value = (int32_t)e >> 16, length = (int)(e & 15), end = (int)(e & 0xf0);
        if (value) {
            k += (int)(e >> 12 & 15);
            if (k >= 63) {
                if (k > 63) return END;
                length -= end >> 4; /* which a block of 64 coefficients has not */
            }
            advance(b, length);
        } else {
            int found = pair(b, d, &value);
            if (found == END) return END;
            if (!found) break;
            k += found >> 4;
            if (found == 0xf0) {
                odd++;
                continue;
            }
            if (!(found & 15) || k > 63 || value != (int16_t)value) return END;
        }
        block[k] = (int16_t)value;
        odd = 0;
        k += end << 2; /* beyond all, if the end follows */
    }
    note_odd(r, odd);
    return 0;
}

/* Coefficients of a first progressive scan. */
INLINE int read_first(reader *r, bits *b, int16_t *block, const decoder *d) {
    const scan *s = r->scan;
    int odd = 0;
    for (int k = s->first; k <= s->last; k++) {
        int value, found = pair(b, d, &value);
        if (found == END) return END;
        k += found >> 4;
        if (found & 15) {
            value *= 1 << s->low;
            if (k > s->last || value != (int16_t)value) return END;
            block[k] = (int16_t)value;
            odd = 0;
        } else if (found == 0xf0) {
            odd++;
        } else {
            read_run(r, b, found);
            r->run--;
            break;
        }
    }
    note_odd(r, odd);
    return 0;
}

/* One more bit of each coefficient of a mask, none of which is 0. */
INLINE int correct(bits *b, int16_t *block, uint64_t mask, int low) {
    while (mask) {
        refill(b);
        int count = 0;
        uint64_t word = b->word;
        for (; mask && count < 32; mask &= mask - 1, count++, word <<= 1) {
            int16_t *c = block + __builtin_ctzll(mask);
            int more = (int)(word >> 63) << low, sign = *c >> 15;
            int value = *c + ((more ^ sign) - sign);
            if (value != (int16_t)value) return END;
            *c = (int16_t)value;
        }
        advance(b, count);
    }
    return 0;
}

INLINE int read_refined(reader *r, bits *b, int16_t *block, const decoder *d) {
    const scan *s = r->scan;
    uint64_t set = others(block, s->first, s->last, 0), band = ~0ull >> (63 - s->last);
    uint64_t left = band & (~0ull << s->first); /* not reached yet */
    int odd = 0;
    while (!r->run && left) {
        int found = symbol(b, d), value = 0;
        if (found == END || (found & 15) > 1) return END;
        if (found & 15) {
            value = take(b, 1) ? 1 << s->low : -(1 << s->low);
            odd = 0;
        } else if (found == 0xf0) {
            odd++;
        } else {
            read_run(r, b, found);
            break;
        }
        uint64_t zeros = left & ~set;
        for (int skip = found >> 4; skip && zeros; skip--) zeros &= zeros - 1;
        uint64_t at = zeros & -zeros; /* none: a run of zeros leaves the band */
        if (!at && value) return END;
        if (correct(b, block, left & set & (at - 1), s->low) == END) return END;
        left = at ? left & ~(at | (at - 1)) : 0;
        if (value) block[__builtin_ctzll(at)] = (int16_t)value;
    }
    note_odd(r, odd);
    if (r->run) {
        if (correct(b, block, left & set, s->low) == END) return END;
        r->run--;
    }
    return 0;
}

enum { SEQUENTIAL, DC, FIRST, REFINED };

INLINE int read_block(reader *r, bits *b, int owner, int16_t *block, int kind) {
    const decoder *ac = r->ac + r->scan->component[owner].ac;
    switch (kind) {
        case SEQUENTIAL: return read_dc(r, b, owner, block) == END ? END : read_ac(r, b, block, ac);
        case DC: return read_dc(r, b, owner, block);
        case FIRST: return read_first(r, b, block, ac);
        default: return read_refined(r, b, block, ac);
    }
}

/* Bits of the interval that were taken. */
INLINE int64_t taken(const reader *r, const bits *b) {
    return 8 * (b->next - r->interval) - b->held;
}

/* The blocks of an MCU as they are, and as they were. */
APART void keep(const place *p, int16_t (*before)[64]) {
    for (int k = 0; k < p->blocks; k++) memcpy(before[k], p->block[k], sizeof before[k]);
}

APART void put_back(const place *p, const int16_t (*before)[64]) {
    for (int k = 0; k < p->blocks; k++) memcpy(p->block[k], before[k], sizeof before[k]);
}

/* Read MCUs up to `until` or to the first one that is none, which leaves everything as it was. */
INLINE void read_kind(reader *r, place *p, int64_t until, int kind) {
    notes *n = r->notes;
    const int first = kind == SEQUENTIAL ? 0 : r->scan->first;
    const int last = kind == SEQUENTIAL ? 63 : r->scan->last;
    bits b = r->bits; /* where a compiler keeps it in registers */
    for (; n->units < until; n->units++, step(r->scan, p)) {
        if (kind == FIRST && r->run) { /* a block of zeros */
            r->run--, r->block++;
            continue;
        }
        int16_t before[MOST_BLOCKS][64];
        uint64_t held = !r->scan->fresh && kind == REFINED;
        int32_t dc[4] = {r->last[0], r->last[1], r->last[2], r->last[3]};
        int64_t run = r->run, number = r->block, runs = n->runs, odd = n->odd;
        const bits now = b;
        int k;
        for (k = 0; k < p->blocks && !r->scan->fresh && !held; k++)
            held = others(p->block[k], first, last, 0);
        if (held) keep(p, before);
        for (k = 0; k < p->blocks; k++, r->block++)
            if (read_block(r, &b, p->owner[k], p->block[k], kind) == END) break;
        if (k == p->blocks && taken(r, &b) <= 8 * r->size) continue;
        if (held) put_back(p, (const int16_t (*)[64])before);
        for (k = 0; k < p->blocks && !held; k++)
            memset(p->block[k] + first, 0, (size_t)(last - first + 1) * sizeof **before);
        memcpy(r->last, dc, sizeof dc);
        r->run = run, r->block = number, n->runs = runs, n->odd = odd;
        b = now;
        break;
    }
    r->bits = b;
}

static void read_units(reader *r, place *p, int64_t until) {
    const scan *s = r->scan;
    if (!s->progressive) read_kind(r, p, until, SEQUENTIAL);
    else if (!s->first) read_kind(r, p, until, DC);
    else if (!s->high) read_kind(r, p, until, FIRST);
    else read_kind(r, p, until, REFINED);
}

/* Begin an interval at `data`; return where it ends: at a marker, or with all data. */
static const uint8_t *begin(reader *r, const uint8_t *data, const uint8_t *end) {
    r->size = 0;
    while (data < end) {
        const uint8_t *found = memchr(data, 0xff, (size_t)(end - data));
        size_t count = (size_t)((found ? found : end) - data);
        memcpy(r->interval + r->size, data, count);
        r->size += (int64_t)count;
        data += count;
        if (!found || end - data < 2 || data[1]) break;
        r->interval[r->size++] = 0xff;
        data += 2;
    }
    memset(r->interval + r->size, 0, BEYOND);
    memset(r->last, 0, sizeof r->last);
    r->bits = (bits){r->interval, 0, 0};
    return data;
}

/* Bytes of the data that the first `count` of an interval were. */
static int64_t length(const reader *r, int64_t count) {
    int64_t zeros = 0;
    for (int64_t k = 0; k < count; k++) zeros += r->interval[k] == 0xff;
    return count + zeros;
}

/* Read a scan from its data into coefficients, which hold what the scans before it gave.

   tables: four for DC, four for AC coefficients. noted: padding has room for as many restart
   markers as there may be, run and block for as many blocks as the scan has. Returns 0, or
   NO_MEMORY. It reads as far as it can: whoever calls looks at noted->units. */
EXPORT int64_t bitswap_jpeg_read(const scan *s, const table *tables, const uint8_t *data,
                                 int64_t size, notes *noted) {
    decoder *decoders = malloc(8 * sizeof *decoders);
    reader r = {s, decoders, decoders + 4, noted, malloc((size_t)size + BEYOND), 0, {0}, {0}, 0, 0};
    int64_t total = units_of(s), left;
    const uint8_t *start = data, *end = data + size;
    place at = beginning(s);
    noted->units = noted->restarts = noted->runs = noted->odd = 0;
    if (!decoders || !r.interval) {
        free(decoders), free(r.interval);
        return NO_MEMORY;
    }
    for (int k = 0; k < s->components; k++) {
        int dc = s->component[k].dc, ac = s->component[k].ac;
        if (!s->first) prepare(decoders + dc, tables + dc);
        if (!s->progressive || s->first) prepare(decoders + 4 + ac, tables + 4 + ac);
        if (!s->progressive) join_ends(decoders + 4 + ac);
    }
    for (;;) {
        int64_t more = total - noted->units;
        int64_t until = s->restart && s->restart < more ? noted->units + s->restart : total;
        const uint8_t *marker = begin(&r, start, end);
        read_units(&r, &at, until);
        left = 8 * r.size - taken(&r, &r.bits);
        if (noted->units < total && noted->units == until && left > 7) {
            until = total; /* restart markers that are announced and missing */
            read_units(&r, &at, until);
            left = 8 * r.size - taken(&r, &r.bits);
        }
        if (noted->units < until || until == total || left > 7 || r.run || end - marker < 2 ||
            *marker != 0xff || marker[1] != 0xd0 + noted->restarts % 8)
            break;
        noted->padding[noted->restarts++] =
            (uint8_t)(left ? r.interval[r.size - 1] | 0xffu << left : 0xff);
        start = marker + 2;
    }
    noted->end = start - data + length(&r, r.size - (left + 7) / 8);
    noted->partial = -left & 7;
    free(decoders), free(r.interval);
    return 0;
}
