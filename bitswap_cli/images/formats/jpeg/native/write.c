/* Scans from coefficients; see scan.h. */

#include "scan.h"

#define MOST_RUN 0x7fff  /* blocks of one end-of-block run */
#define MOST_BITS 937    /* corrections that wait, after which libjpeg ends a run */
#define UNWRITABLE (-2)  /* the scan has no code for its coefficients */
#define NO_ROOM (-3)
#define DIFFERENT (-4)   /* from what is expected */
#define MARGIN 16        /* bytes that 64 bits take at most */

typedef struct {
    uint8_t length[256];
    uint16_t code[256];
} encoder;

static void arrange(encoder *e, const table *t) {
    uint32_t code = 0;
    int index = 0;
    memset(e, 0, sizeof *e);
    for (int length = 1; length <= 16; length++, code <<= 1)
        for (int k = 0; k < t->counts[length - 1] && index < 256; k++, code++, index++)
            if (!e->length[t->symbols[index]]) {
                e->length[t->symbols[index]] = (uint8_t)length;
                e->code[t->symbols[index]] = (uint16_t)code;
            }
}

/* Where bits go: all into `out`, or piece by piece through it, compared with what is expected. */
typedef struct {
    uint8_t *out;
    int64_t at, room;
    const uint8_t *expected; /* or 0 */
    int64_t left;            /* bytes that are still expected */
    int64_t surplus;         /* bytes written behind these */
    uint64_t bits;           /* the lowest `held` bits are not in `out` yet; fewer than 64 */
    int held;
    int failed;
} sink;

INLINE void fail(sink *o, int reason) {
    if (!o->failed) o->failed = reason;
}

/* Compare what is in `out` with what is expected. */
static void compare(sink *o) {
    int64_t count = o->at < o->left ? o->at : o->left;
    o->surplus += o->at - count;
    if (memcmp(o->out, o->expected, (size_t)count) || o->surplus > 2) fail(o, DIFFERENT);
    o->expected += count;
    o->left -= count;
}

/* Empty `out`. By value: its caller's stays in registers. */
static sink emptied(sink o) {
    if (o.expected) compare(&o);
    else fail(&o, NO_ROOM);
    o.at = 0;
    return o;
}

INLINE void make_room(sink *o) {
    if (o->at + MARGIN > o->room) *o = emptied(*o);
}

INLINE void put_byte(sink *o, uint8_t byte) {
    o->out[o->at++] = byte;
    if (byte == 0xff) o->out[o->at++] = 0;
}

INLINE void put_word(sink *o, uint64_t word) {
    make_room(o);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (!(word & (~word - 0x0101010101010101ull) & 0x8080808080808080ull)) { /* no 0xff */
        word = __builtin_bswap64(word);
        memcpy(o->out + o->at, &word, sizeof word);
        o->at += (int64_t)sizeof word;
        return;
    }
#endif
    for (int k = 56; k >= 0; k -= 8) put_byte(o, (uint8_t)(word >> k));
}

INLINE void put(sink *o, uint64_t value, int count) /* count <= 32, no bits above these */
{
    int left = 64 - o->held;
    if (count < left) {
        o->bits = o->bits << count | value;
        o->held += count;
        return;
    }
    put_word(o, o->bits << left | value >> (count - left));
    o->bits = value;
    o->held = count - left;
}

INLINE void put_symbol(sink *o, const encoder *e, int found) {
    if (!e->length[found]) fail(o, UNWRITABLE);
    put(o, e->code[found], e->length[found]);
}

/* A symbol and the number of `size` bits behind it; size <= 15. */
INLINE void put_pair(sink *o, const encoder *e, int found, int value, int size) {
    uint32_t low = (uint32_t)(value + (value >> 31)) & ((1u << size) - 1);
    if (!e->length[found]) fail(o, UNWRITABLE);
    put(o, (uint64_t)e->code[found] << size | low, e->length[found] + size);
}

/* Fill the byte at hand with the lowest bits of `padding`, and write what is held. */
static void fill(sink *o, uint32_t padding) {
    int left = -o->held & 7;
    put(o, padding & ((1u << left) - 1), left);
    make_room(o);
    for (; o->held; o->held -= 8) put_byte(o, (uint8_t)(o->bits >> (o->held - 8)));
}

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

INLINE int size_of(int value) { return value ? 32 - __builtin_clz((uint32_t)abs(value)) : 0; }

INLINE void write_dc(writer *w, int owner, const int16_t *block) {
    int value = block[0] >> w->scan->low;
    if (w->scan->high) {
        put(&w->sink, (uint64_t)(value & 1), 1);
        return;
    }
    int difference = value - w->last[owner], size = size_of(difference);
    w->last[owner] = value;
    if (size > 15) fail(&w->sink, UNWRITABLE);
    else put_pair(&w->sink, w->dc + w->scan->component[owner].dc, size, difference, size);
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

/* Coefficients of a sequential scan, or of a first progressive one. */
INLINE void write_ac(writer *w, const encoder *e, const int16_t *block, int first, int last,
                     int low, int progressive) {
    int before = first - 1;
    uint64_t left = others(block, first, last, low);
    if (left) end_run(w, e);
    sink o = w->sink; /* where a compiler keeps it in registers */
    for (; left; left &= left - 1) {
        int k = __builtin_ctzll(left), zeros = k - before - 1;
        int sign = block[k] >> 15, size = size_of(((block[k] ^ sign) - sign) >> low);
        int value = ((((block[k] ^ sign) - sign) >> low) ^ sign) - sign;
        for (; zeros > 15; zeros -= 16) put_symbol(&o, e, 0xf0);
        if (size > 15) fail(&o, UNWRITABLE);
        else put_pair(&o, e, zeros << 4 | size, value, size);
        before = k;
    }
    w->sink = o;
    for (int odd = odd_here(w); odd; odd--, before += 16) {
        end_run(w, e);
        put_symbol(&w->sink, e, 0xf0);
    }
    if (before >= last) return;
    if (progressive) add_to_run(w, e, (corrections){0, 0});
    else put_symbol(&w->sink, e, 0);
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

INLINE void write_block(writer *w, int owner, const int16_t *block) {
    const scan *s = w->scan;
    const encoder *ac = w->ac + s->component[owner].ac;
    if (!s->progressive) {
        write_dc(w, owner, block);
        write_ac(w, ac, block, 1, 63, 0, 0);
    } else if (!s->first) {
        write_dc(w, owner, block);
    } else if (s->high) {
        write_refined(w, ac, block);
    } else {
        write_ac(w, ac, block, s->first, s->last, s->low, 1);
    }
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
    int64_t next = s->restart;
    for (int64_t unit = 0; unit < n->units && !w->sink.failed; unit++, step(&at)) {
        int16_t *block[MOST_BLOCKS];
        int owner[MOST_BLOCKS], count = blocks_of(s, &at, block, owner);
        if (unit == next && w->restarts < n->restarts) {
            restart(w, ac);
            next += s->restart;
        }
        for (int k = 0; k < count; k++, w->block++) write_block(w, owner[k], block[k]);
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

EXPORT int64_t bitswap_jpeg_abi(void) { return 2; }
