/* Scans into coefficients; see scan.h. */

#include "scan.h"

#define FAST 10  /* bits of a code that are looked up at once */
#define END (-1) /* the data ends, or is none of this scan */

/* What the next FAST bits begin with: a symbol, and where it fits the number behind it. */
typedef struct {
    int16_t value;
    uint8_t symbol;
    uint8_t length; /* of the code, and of the number if it is there; 0: the code is longer */
} entry;

#define ALONE 0x80 /* added to the length: the number is not there */

typedef struct {
    entry fast[1 << FAST];
    int32_t most[17];   /* greatest code of each length, or -1 */
    int32_t offset[17]; /* of its symbol */
    uint8_t symbols[256];
} decoder;

/* The number of `size` bits, whose highest one tells its sign. */
INLINE int number(uint32_t found, int size) {
    return size && !(found >> (size - 1)) ? (int)found - (1 << size) + 1 : (int)found;
}

static void prepare(decoder *d, const table *t) {
    int32_t code = 0, index = 0;
    memset(d, 0, sizeof *d);
    memcpy(d->symbols, t->symbols, 256);
    for (int length = 1; length <= 16; length++, code <<= 1) {
        d->offset[length] = index - code;
        d->most[length] = -1;
        for (int k = 0; k < t->counts[length - 1] && index < 256; k++, code++, index++) {
            if (code >= 1 << length) continue; /* no such code: never found */
            d->most[length] = code;
            int free = FAST - length, size = t->symbols[index] & 15;
            for (int more = 0; free >= 0 && more < 1 << free; more++) {
                entry e = {0, t->symbols[index], (uint8_t)(length | ALONE)};
                if (size <= free) {
                    e.value = (int16_t)number((uint32_t)more >> (free - size), size);
                    e.length = (uint8_t)(length + size);
                }
                d->fast[(code << free) + more] = e;
            }
        }
    }
}

/* The bits of an interval between restart markers. */
typedef struct {
    const uint8_t *next, *end; /* bytes not taken yet */
    uint64_t word;             /* bits taken, the next one highest; 0 behind what the data has */
    int held;                  /* how many of them count */
} bits;

/* Take bytes up to a marker, without the zeros behind 0xff.
   By value, so that its caller's bits stay in registers. */
static bits take_bytes(bits b) {
    while (b.held <= 56 && b.next < b.end) {
        if (*b.next == 0xff && (b.next + 1 == b.end || b.next[1])) break;
        b.word |= (uint64_t)*b.next << (56 - b.held);
        b.next += *b.next == 0xff ? 2 : 1;
        b.held += 8;
    }
    return b;
}

/* Have 32 bits at hand, or all there are. */
INLINE void refill(bits *b) {
    if (b->held >= 32) return;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (b->end - b->next >= 8) {
        uint64_t word;
        memcpy(&word, b->next, sizeof word);
        if (!(word & (~word - 0x0101010101010101ull) & 0x8080808080808080ull)) { /* no 0xff */
            int count = (63 - b->held) >> 3;
            b->word |= __builtin_bswap64(word) >> b->held;
            b->word &= ~0ull << (64 - b->held - 8 * count);
            b->next += count;
            b->held += 8 * count;
            return;
        }
    }
#endif
    *b = take_bytes(*b);
}

INLINE int advance(bits *b, int count) {
    if (count > b->held) return END;
    b->word <<= count;
    b->held -= count;
    return 0;
}

INLINE int take(bits *b, int count) /* 1 <= count <= 16 */
{
    refill(b);
    int value = (int)(b->word >> (64 - count));
    return advance(b, count) == END ? END : value;
}

/* A symbol whose code is longer than FAST, and 256 times the length of that. */
static int look_on(uint64_t word, const decoder *d) {
    for (int length = FAST + 1; length <= 16; length++) {
        int32_t code = (int32_t)(word >> (64 - length)), index = code + d->offset[length];
        if (code <= d->most[length])
            return index < 0 || index > 255 ? END : length << 8 | d->symbols[index];
    }
    return END;
}

/* A symbol and the number of symbol & 15 bits behind it. */
INLINE int pair(bits *b, const decoder *d, int *value) {
    refill(b);
    entry e = d->fast[b->word >> (64 - FAST)];
    int found = e.symbol, length = e.length & ~ALONE;
    *value = e.value;
    if (e.length == 0 || e.length & ALONE) {
        if (e.length == 0) {
            if ((found = look_on(b->word, d)) == END) return END;
            length = found >> 8, found &= 255;
        }
        int size = found & 15;
        *value = size ? number((uint32_t)(b->word << length >> (64 - size)), size) : 0;
        length += size;
    }
    return advance(b, length) == END ? END : found;
}

/* A symbol without a number behind it. */
INLINE int symbol(bits *b, const decoder *d) {
    refill(b);
    entry e = d->fast[b->word >> (64 - FAST)];
    int found = e.symbol, length = e.length;
    if (length & ALONE) {
        length -= ALONE;
    } else if (length) {
        length -= found & 15; /* for a number that is none */
    } else {
        if ((found = look_on(b->word, d)) == END) return END;
        length = found >> 8, found &= 255;
    }
    return advance(b, length) == END ? END : found;
}

typedef struct {
    const scan *scan;
    const decoder *dc, *ac; /* four each */
    notes *notes;
    bits bits;
    int32_t last[4];
    int64_t run;   /* blocks of the end-of-block run that are to come */
    int64_t block; /* number of the block at hand */
} reader;

INLINE int read_dc(reader *r, bits *b, int owner, int16_t *block) {
    int size, difference, low = r->scan->low;
    if (r->scan->high) {
        int bit = take(b, 1);
        if (bit == END) return END;
        block[0] = (int16_t)(block[0] | bit << low);
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
INLINE int read_run(reader *r, bits *b, int found) {
    int size = found >> 4, more = size ? take(b, size) : 0;
    if (more == END) return END;
    r->run = (1 << size) + more;
    r->notes->run[r->notes->runs++] = (uint16_t)r->run;
    return 0;
}

/* Coefficients of a sequential scan, or of a first progressive one. */
INLINE int read_ac(reader *r, bits *b, int16_t *block, const decoder *d, int first, int last,
                   int low, int runs) {
    int odd = 0;
    for (int k = first; k <= last; k++) {
        int value, found = pair(b, d, &value);
        if (found == END) return END;
        if (found & 15) {
            k += found >> 4;
            value *= 1 << low;
            if (k > last || value != (int16_t)value) return END;
            block[k] = (int16_t)value;
            odd = 0;
        } else if (found == 0xf0) {
            k += 15;
            odd++;
        } else {
            if (runs ? read_run(r, b, found) == END : found) return END;
            r->run -= runs;
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
        if (advance(b, count) == END) return END;
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
            int bit = take(b, 1);
            if (bit == END) return END;
            value = bit ? 1 << s->low : -(1 << s->low);
            odd = 0;
        } else if (found == 0xf0) {
            odd++;
        } else {
            if (read_run(r, b, found) == END) return END;
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
    const scan *s = r->scan;
    const decoder *ac = r->ac + s->component[owner].ac;
    switch (kind) {
        case SEQUENTIAL:
            return read_dc(r, b, owner, block) == END ? END : read_ac(r, b, block, ac, 1, 63, 0, 0);
        case DC: return read_dc(r, b, owner, block);
        case FIRST: return read_ac(r, b, block, ac, s->first, s->last, s->low, 1);
        default: return read_refined(r, b, block, ac);
    }
}

/* Read MCUs up to `until` or to the first one that is none, which leaves everything as it was. */
INLINE void read_kind(reader *r, place *p, int64_t until, int kind) {
    notes *n = r->notes;
    bits b = r->bits; /* where a compiler keeps it in registers */
    for (; n->units < until; n->units++, step(p)) {
        if (kind == FIRST && r->run) { /* a block of zeros */
            r->run--, r->block++;
            continue;
        }
        int16_t *block[MOST_BLOCKS], before[MOST_BLOCKS][64];
        int owner[MOST_BLOCKS], count = blocks_of(r->scan, p, block, owner), k;
        int32_t last[4] = {r->last[0], r->last[1], r->last[2], r->last[3]};
        int64_t run = r->run, number = r->block, runs = n->runs, odd = n->odd;
        const bits now = b;
        for (k = 0; k < count; k++) memcpy(before[k], block[k], sizeof before[k]);
        for (k = 0; k < count; k++, r->block++)
            if (read_block(r, &b, owner[k], block[k], kind) == END) break;
        if (k == count) continue;
        for (k = 0; k < count; k++) memcpy(block[k], before[k], sizeof before[k]);
        memcpy(r->last, last, sizeof last);
        r->run = run, r->block = number, n->runs = runs, n->odd = odd;
        b = now;
        break;
    }
    r->bits = take_bytes(b);
}

static void read_units(reader *r, place *p, int64_t until) {
    const scan *s = r->scan;
    if (!s->progressive) read_kind(r, p, until, SEQUENTIAL);
    else if (!s->first) read_kind(r, p, until, DC);
    else if (!s->high) read_kind(r, p, until, FIRST);
    else read_kind(r, p, until, REFINED);
}

/* Where the byte is that holds the next bit. */
static int64_t position(const bits *b, const uint8_t *data) {
    const uint8_t *at = b->next;
    for (int left = b->held; left > 0; left -= 8) {
        at--;
        if (!*at && at > data && at[-1] == 0xff) at--;
    }
    return at - data;
}

/* Read a scan from its data into coefficients, which hold what the scans before it gave.

   tables: four for DC, four for AC coefficients. noted: padding has room for as many restart
   markers as there may be, run and block for as many blocks as the scan has. Returns 0, or
   NO_MEMORY. It reads as far as it can: whoever calls looks at noted->units. */
EXPORT int64_t bitswap_jpeg_read(const scan *s, const table *tables, const uint8_t *data,
                                 int64_t size, notes *noted) {
    decoder *decoders = malloc(8 * sizeof *decoders);
    int64_t total = units_of(s);
    reader r = {s, decoders, decoders + 4, noted, {data, data + size, 0, 0}, {0}, 0, 0};
    place at = beginning(s);
    noted->units = noted->restarts = noted->runs = noted->odd = 0;
    if (!decoders) return NO_MEMORY;
    for (int k = 0; k < s->components; k++) {
        int dc = s->component[k].dc, ac = s->component[k].ac;
        if (!s->first) prepare(decoders + dc, tables + dc);
        if (!s->progressive || s->first) prepare(decoders + 4 + ac, tables + 4 + ac);
    }
    for (;;) {
        int64_t more = total - noted->units;
        int64_t until = s->restart && s->restart < more ? noted->units + s->restart : total;
        read_units(&r, &at, until);
        if (noted->units < total && noted->units == until && r.bits.held > 7) {
            until = total; /* restart markers that are announced and missing */
            read_units(&r, &at, until);
        }
        const uint8_t *marker = r.bits.next;
        int left = r.bits.held;
        if (noted->units < until || until == total || left > 7 || r.run ||
            r.bits.end - marker < 2 || *marker != 0xff || marker[1] != 0xd0 + noted->restarts % 8)
            break;
        noted->padding[noted->restarts++] =
            (uint8_t)(left ? r.bits.word >> (64 - left) | 0xffu << left : 0xff);
        memset(r.last, 0, sizeof r.last);
        r.bits = (bits){marker + 2, r.bits.end, 0, 0};
    }
    noted->end = position(&r.bits, data);
    noted->partial = -r.bits.held & 7;
    free(decoders);
    return 0;
}
