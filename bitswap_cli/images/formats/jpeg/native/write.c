/* Scans from coefficients; see scan.h. */

#include "encoder.h"

#define MOST_RUN 0x7fff  /* blocks of one end-of-block run */
#define MOST_BITS 937    /* corrections that wait, after which libjpeg ends a run */

/* Corrections of a block: one bit of each coefficient that was not 0 before. */
typedef struct {
    uint64_t bits;
    int count;
} corrections;

static void put_corrections(sink *o, corrections c) {
    int high = c.count > 32 ? c.count - 32 : 0;
    put(o, c.bits >> (c.count - high), high);
    put(o, c.bits & ((1ull << (c.count - high)) - 1), c.count - high);
}

typedef struct {
    const scan *scan;
    const encoder *dc, *ac; /* four each */
    const notes *notes;
    sink sink;
    int32_t last[4];
    int64_t block;    /* number of the block at hand */
    int64_t run;      /* blocks of the end-of-block run at hand */
    int64_t planned;  /* blocks that it is to have, where runs are told */
    int64_t runs;     /* told runs that have begun */
    int64_t odd;      /* odd blocks that were met */
    int64_t restarts; /* markers written */
    int bits;         /* corrections that wait for the run to end */
    int waiting;      /* blocks that these are of */
    corrections more[MOST_BITS + 1];
} writer;

INLINE void write_dc(writer *w, sink *o, int owner, const int16_t *block) {
    int value = block[0] >> w->scan->low;
    if (w->scan->high) {
        put(o, (uint64_t)(value & 1), 1);
        return;
    }
    int difference = value - w->last[owner], size = size_of(difference);
    w->last[owner] = value;
    if (size > 15) fail(o, UNWRITABLE);
    else put_pair(o, w->dc + w->scan->component[owner].dc, size, difference, size);
}

static void put_run(writer *w, const encoder *e, int64_t run) {
    if (run < 1 || run > MOST_RUN) {
        fail(&w->sink, UNWRITABLE);
        return;
    }
    int size = size_of((int)run) - 1;
    put_symbol(&w->sink, e, size << 4);
    put(&w->sink, (uint64_t)run & ((1u << size) - 1), size);
}

INLINE void end_run(writer *w, const encoder *e) {
    if (!w->run) return;
    if (!w->notes->run) {
        put_run(w, e, w->run);
        for (int k = 0; k < w->waiting; k++) put_corrections(&w->sink, w->more[k]);
    }
    w->run = w->planned = 0;
    w->waiting = w->bits = 0;
}

/* A block ends with zeros, and corrections between these. */
INLINE void add_to_run(writer *w, const encoder *e, corrections c) {
    if (w->notes->run) {
        if (w->run == w->planned) {
            w->run = 0;
            w->planned = w->runs < w->notes->runs ? w->notes->run[w->runs++] : 0;
            put_run(w, e, w->planned);
        }
        w->run++;
        put_corrections(&w->sink, c);
        return;
    }
    w->run++;
    if (c.count) w->more[w->waiting++] = c, w->bits += c.count;
    if (w->run == MOST_RUN || w->bits > MOST_BITS) end_run(w, e);
}

/* How many codes for 16 zeros end the block at hand. */
INLINE int odd_here(writer *w) {
    const notes *n = w->notes;
    if (w->odd == n->odd || n->block[w->odd] >> 3 != w->block) return 0;
    return n->block[w->odd++] & 7;
}

/* Coefficients of a block from `first` on that are not 0, bit k of `left` for the k-th, without
   their `low` lowest bits. Returns the last one, or first - 1. */
INLINE int write_numbers(sink *o, const encoder *e, const int16_t *block, uint64_t left, int first,
                         int low) {
    int before = first - 1;
    for (; left; left &= left - 1) {
        int k = __builtin_ctzll(left), zeros = k - before - 1, sign = block[k] >> 15;
        int value = low ? ((((block[k] ^ sign) - sign) >> low) ^ sign) - sign : block[k];
        before = k;
        if (zeros < 16 && abs(value) < SMALL && e->small[zeros][value + SMALL]) {
            entry found = e->small[zeros][value + SMALL];
            put(o, found >> 8, (int)(found & 255));
            continue;
        }
        int size = size_of(value);
        for (; zeros > 15; zeros -= 16) put_symbol(o, e, 0xf0);
        if (size > 15) fail(o, UNWRITABLE);
        else put_pair(o, e, zeros << 4 | size, value, size);
    }
    return before;
}

/* A block of a sequential scan. */
INLINE void write_sequential(writer *w, sink *o, int owner, const int16_t *block) {
    const encoder *e = w->ac + w->scan->component[owner].ac;
    write_dc(w, o, owner, block);
    int last = write_numbers(o, e, block, others(block, 1, 63, 0), 1, 0);
    for (int odd = odd_here(w); odd; odd--, last += 16) put_symbol(o, e, 0xf0);
    if (last < 63) put_symbol(o, e, 0);
}

/* Coefficients of a first progressive scan. */
static void write_first(writer *w, const encoder *e, const int16_t *block) {
    const scan *s = w->scan;
    uint64_t left = others(block, s->first, s->last, s->low);
    if (left) end_run(w, e);
    sink o = w->sink; /* where a compiler keeps it in registers */
    int last = write_numbers(&o, e, block, left, s->first, s->low);
    w->sink = o;
    for (int odd = odd_here(w); odd; odd--, last += 16) {
        end_run(w, e);
        put_symbol(&w->sink, e, 0xf0);
    }
    if (last < s->last) add_to_run(w, e, (corrections){0, 0});
}

static void put_refined(writer *w, const encoder *e, int found, int sign, corrections *c) {
    end_run(w, e);
    put_symbol(&w->sink, e, found);
    if (found & 15) put(&w->sink, (uint64_t)sign, 1);
    put_corrections(&w->sink, *c);
    *c = (corrections){0, 0};
}

static void write_refined(writer *w, const encoder *e, const int16_t *block) {
    const scan *s = w->scan;
    uint64_t left = others(block, s->first, s->last, s->low);
    uint64_t fresh = left & ~others(block, s->first, s->last, s->low + 1);
    int before = s->first - 1, zeros = 0, odd = odd_here(w);
    corrections c = {0, 0};
    for (; left; left &= left - 1) {
        int k = __builtin_ctzll(left);
        zeros += k - before - 1;
        before = k;
        for (; zeros > 15 && (fresh >> k || odd); zeros -= 16) {
            odd -= !(fresh >> k); /* zeros at the end of the block have no code, but in odd ones */
            put_refined(w, e, 0xf0, 0, &c);
        }
        if (fresh >> k & 1) {
            put_refined(w, e, zeros << 4 | 1, block[k] > 0, &c);
            zeros = 0;
        } else {
            c.bits = c.bits << 1 | (abs(block[k]) >> s->low & 1);
            c.count++;
        }
    }
    zeros += s->last - before;
    for (; odd; odd--, zeros -= 16) put_refined(w, e, 0xf0, 0, &c);
    if (zeros > 0 || c.count) add_to_run(w, e, c);
}

static void write_progressive(writer *w, int owner, const int16_t *block) {
    const scan *s = w->scan;
    const encoder *ac = w->ac + s->component[owner].ac;
    if (!s->first) write_dc(w, &w->sink, owner, block);
    else if (s->high) write_refined(w, ac, block);
    else write_first(w, ac, block);
}

/* Write some MCUs, as long as nothing fails. */
static void write_some(writer *w, place *at, int64_t count) {
    sink o = w->sink;
    if (w->scan->progressive) {
        for (; count && !w->sink.failed; count--, step(w->scan, at))
            for (int k = 0; k < at->blocks; k++, w->block++)
                write_progressive(w, at->owner[k], at->block[k]);
        return;
    }
    for (; count && !o.failed; count--, step(w->scan, at))
        for (int k = 0; k < at->blocks; k++, w->block++)
            write_sequential(w, &o, at->owner[k], at->block[k]);
    w->sink = o;
}

static void restart(writer *w, const encoder *ac) {
    sink *o = &w->sink;
    end_run(w, ac);
    fill(o, w->notes->padding ? w->notes->padding[w->restarts] : 0xff);
    make_room(o);
    o->out[o->at++] = 0xff;
    o->out[o->at++] = (uint8_t)(0xd0 + w->restarts++ % 8);
    memset(w->last, 0, sizeof w->last);
}

static void write_units(writer *w) {
    const scan *s = w->scan;
    const notes *n = w->notes;
    const encoder *ac = w->ac + s->component[0].ac;
    place at = beginning(s);
    for (int64_t unit = 0, next = s->restart, until; unit < n->units; unit = until) {
        if (unit == next && w->restarts < n->restarts) {
            restart(w, ac);
            next += s->restart;
        }
        until = w->restarts < n->restarts && next < n->units && next > unit ? next : n->units;
        write_some(w, &at, until - unit);
        if (w->sink.failed) return;
    }
    end_run(w, ac);
    if (w->restarts < n->restarts) /* one behind the last MCU that could be read */
        restart(w, ac);
    fill(&w->sink, 0xff);
}

/* Write the MCUs that `noted` tells of; returns a reason for failure, or 0. */
static int64_t write_all(const scan *s, const table *tables, const notes *noted, sink *o) {
    encoder *encoders = calloc(8, sizeof *encoders);
    writer *w = calloc(1, sizeof *w);
    int64_t failed = NO_MEMORY;
    if (encoders && w) {
        for (int k = 0; k < s->components; k++) {
            int dc = s->component[k].dc, ac = 4 + s->component[k].ac;
            arrange(encoders + dc, tables + dc);
            arrange(encoders + ac, tables + ac);
        }
        w->scan = s, w->dc = encoders, w->ac = encoders + 4, w->notes = noted, w->sink = *o;
        write_units(w);
        *o = w->sink;
        failed = o->failed;
    }
    free(encoders), free(w);
    return failed;
}

/* Write a scan into `room` bytes, 64 at least; the bits of the last byte that are not told are
   ones. Returns how many bytes, or NO_MEMORY, UNWRITABLE or NO_ROOM. */
EXPORT int64_t bitswap_jpeg_write(const scan *s, const table *tables, const notes *noted,
                                  uint8_t *out, int64_t room) {
    sink o = {out, 0, room, 0, 0, 0, 0, 0, 0};
    int64_t failed = write_all(s, tables, noted, &o);
    return failed ? failed : o.at;
}

/* Whether a scan is written as `expected`, of `size` bytes, and at most 2 more.
   Returns how many, or NO_MEMORY, UNWRITABLE or DIFFERENT. */
EXPORT int64_t bitswap_jpeg_compare(const scan *s, const table *tables, const notes *noted,
                                    const uint8_t *expected, int64_t size) {
    uint8_t piece[1 << 12];
    sink o = {piece, 0, sizeof piece, expected, size, 0, 0, 0, 0};
    int64_t failed = write_all(s, tables, noted, &o);
    if (failed) return failed;
    compare(&o);
    return o.failed ? o.failed : o.left ? DIFFERENT : size + o.surplus;
}

EXPORT int64_t bitswap_jpeg_abi(void) { return 3; }
