/* Scans of a JPEG file <-> quantized coefficients, bit for bit (ITU-T T.81, annexes F and G).

   One scan is read into the coefficients of its components, or written from them. Sequential
   (baseline, extended) and progressive scans with Huffman codes, interleaved or not. What a reader
   cannot tell from the coefficients it notes down: the bits before restart markers, how runs of
   ends of blocks were cut, and where it had to stop. scan.py is the definition, in Python.

   Nothing here trusts its input: every symbol, position and run is checked before it is used. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FAST 10           /* bits of a code that are looked up at once */
#define MOST_RUN 0x7fff   /* blocks of one end-of-block run */
#define MOST_BITS 937     /* buffered corrections after which libjpeg ends a run */
#define MOST_BLOCKS 10    /* of one MCU */
#define PADDING 16        /* bytes behind an interval that may be looked at */
#define END (-1)          /* the data ends, or is none of this scan */

typedef struct {
    int32_t horizontal, vertical; /* blocks of an interleaved MCU */
    int32_t rows, columns;        /* blocks of the array, whole MCUs */
    int32_t real_rows, real_columns;
    int32_t dc, ac;               /* numbers of its tables */
    int16_t *coefficients;        /* (rows, columns, 64), in zigzag order */
} component;

typedef struct {
    int32_t components, progressive, first, last, high, low, restart;
    int32_t width, height;        /* MCUs of an interleaved scan */
    component component[4];
} scan;

typedef struct {
    uint8_t counts[16], symbols[256];
} table;

/* What a scan holds besides coefficients. */
typedef struct {
    int64_t units;       /* MCUs that were read, or are to be written */
    int64_t restarts;    /* restart markers among them */
    int64_t end;         /* byte of the scan's data that holds the first bit not read */
    int64_t partial;     /* bits of that byte that were read */
    int64_t runs, room;  /* end-of-block runs, and how many there is room for */
    uint8_t *padding;    /* bits before each restart marker, or 0: all ones */
    int32_t *run;        /* length of each end-of-block run, or 0: as long as can be */
} notes;

static int size_of(uint32_t value) { return value ? 32 - __builtin_clz(value) : 0; }

/* ---- where the blocks of an MCU lie ---------------------------------------------------------- */

static int64_t units_of(const scan *s)
{
    if (s->components == 1)
        return (int64_t)s->component[0].real_rows * s->component[0].real_columns;
    return (int64_t)s->width * s->height;
}

/* Blocks of one MCU, and the component of each; returns how many. */
static int blocks_of(const scan *s, int64_t unit, int16_t **block, int *owner)
{
    if (s->components == 1) {
        const component *c = s->component;
        int64_t row = unit / c->real_columns, column = unit % c->real_columns;
        block[0] = c->coefficients + (row * c->columns + column) * 64;
        owner[0] = 0;
        return 1;
    }
    int count = 0;
    int64_t top = unit / s->width, left = unit % s->width;
    for (int k = 0; k < s->components; k++) {
        const component *c = s->component + k;
        for (int y = 0; y < c->vertical; y++)
            for (int x = 0; x < c->horizontal; x++) {
                int64_t row = top * c->vertical + y, column = left * c->horizontal + x;
                block[count] = c->coefficients + (row * c->columns + column) * 64;
                owner[count++] = k;
            }
    }
    return count;
}

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct {
    uint16_t fast[1 << FAST]; /* length * 256 + symbol, or 0 */
    int32_t most[17];         /* greatest code of each length, or -1 */
    int32_t offset[17];       /* of its symbol */
    uint8_t symbols[256];
} decoder;

static void prepare(decoder *d, const table *t)
{
    int32_t code = 0, place = 0;
    memset(d, 0, sizeof *d);
    memcpy(d->symbols, t->symbols, 256);
    for (int length = 1; length <= 16; length++, code <<= 1) {
        d->offset[length] = place - code;
        d->most[length] = -1;
        for (int k = 0; k < t->counts[length - 1] && place < 256; k++, code++, place++) {
            if (code >= 1 << length)
                continue; /* no such code: never found */
            d->most[length] = code;
            if (length <= FAST)
                for (int more = 0; more < 1 << (FAST - length); more++)
                    d->fast[(code << (FAST - length)) + more] =
                        (uint16_t)(length << 8 | t->symbols[place]);
        }
    }
}

typedef struct {
    const uint8_t *data; /* without the zeros behind 0xff; PADDING bytes behind it */
    int64_t at, limit;   /* bits */
} bits;

/* The next bits, 57 of them at least, the first one highest. */
static uint64_t peek(const bits *b)
{
    uint64_t word;
    memcpy(&word, b->data + (b->at >> 3), sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word << (b->at & 7);
}

static int advance(bits *b, int count)
{
    b->at += count;
    return b->at > b->limit ? END : 0;
}

static int take(bits *b, int count) /* 1 <= count <= 16 */
{
    int value = (int)(peek(b) >> (64 - count));
    return advance(b, count) == END ? END : value;
}

/* The symbol that the next bits begin with, and the length of its code. */
static int look(uint64_t ahead, const decoder *d, int *length)
{
    uint32_t found = d->fast[ahead >> (64 - FAST)];
    *length = (int)(found >> 8);
    if (found)
        return found & 255;
    for (int size = FAST + 1; size <= 16; size++) {
        int32_t code = (int32_t)(ahead >> (64 - size));
        if (code <= d->most[size]) {
            int32_t place = code + d->offset[size];
            *length = size;
            return place < 0 || place > 255 ? END : d->symbols[place];
        }
    }
    return END;
}

static int symbol(bits *b, const decoder *d)
{
    int length, found = look(peek(b), d, &length);
    return found == END || advance(b, length) == END ? END : found;
}

/* A number of `size` bits behind the first `skipped`, whose highest one tells its sign. */
static int number(uint64_t ahead, int skipped, int size)
{
    if (!size)
        return 0;
    int value = (int)(ahead << skipped >> (64 - size));
    return value >> (size - 1) ? value : value - (1 << size) + 1;
}

/* A symbol and the number of symbol & 15 bits behind it. */
static int pair(bits *b, const decoder *d, int *value)
{
    uint64_t ahead = peek(b);
    int length, found = look(ahead, d, &length);
    if (found == END)
        return END;
    *value = number(ahead, length, found & 15);
    return advance(b, length + (found & 15)) == END ? END : found;
}

typedef struct {
    const scan *scan;
    const decoder *dc, *ac; /* four each */
    notes *notes;
    int32_t last[4];
    int64_t run; /* blocks of the end-of-block run that are to come */
} reader;

static int read_dc(reader *r, bits *b, int owner, int16_t *block)
{
    const component *c = r->scan->component + owner;
    int size, difference;
    if (r->scan->high) {
        int bit = take(b, 1);
        if (bit == END)
            return END;
        block[0] = (int16_t)(block[0] | bit << r->scan->low);
        return 0;
    }
    size = pair(b, r->dc + c->dc, &difference);
    if (size == END || size > 15)
        return END;
    int32_t value = r->last[owner] + difference;
    if (value < -32768 >> r->scan->low || value > 32767 >> r->scan->low)
        return END;
    r->last[owner] = value;
    block[0] = (int16_t)(value * (1 << r->scan->low));
    return 0;
}

static int read_ac(bits *b, const decoder *d, int16_t *block)
{
    for (int k = 1; k < 64; k++) {
        int value, found = pair(b, d, &value);
        if (found == END)
            return END;
        if (!found)
            break;
        k += found >> 4;
        if (!(found & 15)) {
            if (found != 0xf0 || k > 63)
                return END;
            continue;
        }
        if (k > 63)
            return END;
        block[k] = (int16_t)value;
    }
    return 0;
}

/* The length of an end-of-block run by its symbol; notes it down. */
static int64_t read_run(reader *r, bits *b, int found)
{
    int size = found >> 4, more = size ? take(b, size) : 0;
    if (more == END)
        return END;
    if (r->notes->runs >= r->notes->room)
        return END;
    return r->notes->run[r->notes->runs++] = (1 << size) + more;
}

static int read_first(reader *r, bits *b, const decoder *d, int16_t *block)
{
    const scan *s = r->scan;
    for (int k = s->first; k <= s->last; k++) {
        int value, found = pair(b, d, &value);
        if (found == END)
            return END;
        if (!(found & 15) && found != 0xf0) {
            int64_t run = read_run(r, b, found);
            if (run == END)
                return END;
            r->run = run - 1;
            return 0;
        }
        k += found >> 4;
        if (k > s->last)
            return END;
        if (found == 0xf0)
            continue;
        value *= 1 << s->low;
        if (value != (int16_t)value)
            return END;
        block[k] = (int16_t)value;
    }
    return 0;
}

/* One more bit of a coefficient that is not 0. */
static int correct(bits *b, int16_t *coefficient, int step)
{
    int bit = take(b, 1);
    if (bit == END)
        return END;
    int value = *coefficient + (bit ? (*coefficient < 0 ? -step : step) : 0);
    if (value != (int16_t)value)
        return END;
    *coefficient = (int16_t)value;
    return 0;
}

static int read_refined(reader *r, bits *b, const decoder *d, int16_t *block)
{
    const scan *s = r->scan;
    int step = 1 << s->low, k = s->first;
    while (!r->run && k <= s->last) {
        int found = symbol(b, d), value = 0, zeros;
        if (found == END)
            return END;
        zeros = found >> 4;
        if ((found & 15) > 1)
            return END;
        if (found & 15) {
            int bit = take(b, 1);
            if (bit == END)
                return END;
            value = bit ? step : -step;
        } else if (found != 0xf0) {
            int64_t run = read_run(r, b, found);
            if (run == END)
                return END;
            r->run = run;
            break;
        }
        for (; k <= s->last; k++) {
            int16_t *c = block + k;
            if (*c) {
                if (correct(b, c, step) == END)
                    return END;
            } else if (zeros-- == 0) {
                *c = (int16_t)value;
                break;
            }
        }
        if (k++ > s->last)
            return END; /* a run of zeros that leaves the band */
    }
    if (r->run) {
        for (; k <= s->last; k++)
            if (block[k] && correct(b, block + k, step) == END)
                return END;
        r->run--;
    }
    return 0;
}

static int read_block(reader *r, bits *b, int owner, int16_t *block)
{
    const scan *s = r->scan;
    const decoder *ac = r->ac + s->component[owner].ac;
    if (!s->progressive)
        return read_dc(r, b, owner, block) == END ? END : read_ac(b, ac, block);
    if (!s->first)
        return read_dc(r, b, owner, block);
    return s->high ? read_refined(r, b, ac, block) : read_first(r, b, ac, block);
}

/* Read an MCU, or leave its blocks as they were. */
static int read_unit(reader *r, bits *b, int64_t unit)
{
    int16_t *block[MOST_BLOCKS], before[MOST_BLOCKS][64];
    int owner[MOST_BLOCKS], count = blocks_of(r->scan, unit, block, owner);
    int64_t run = r->run, runs = r->notes->runs, at = b->at;
    if (run && !r->scan->high) { /* a block of zeros */
        r->run--;
        return 0;
    }
    for (int k = 0; k < count; k++)
        memcpy(before[k], block[k], sizeof before[k]);
    for (int k = 0; k < count; k++)
        if (read_block(r, b, owner[k], block[k]) == END) {
            for (int other = 0; other < count; other++)
                memcpy(block[other], before[other], sizeof before[other]);
            r->run = run, r->notes->runs = runs, b->at = at;
            return END;
        }
    return 0;
}

/* Copy data up to the next marker without the zeros behind 0xff; returns where the marker is. */
static int64_t unstuff(const uint8_t *data, int64_t at, int64_t size, uint8_t *to, int64_t *count)
{
    int64_t n = 0;
    while (at < size) {
        const uint8_t *next = memchr(data + at, 0xff, (size_t)(size - at));
        int64_t length = (next ? next - data : size) - at;
        memcpy(to + n, data + at, (size_t)length);
        n += length, at += length;
        if (at + 1 >= size || data[at + 1])
            break;
        to[n++] = 0xff;
        at += 2;
    }
    memset(to + n, 0, PADDING);
    *count = n;
    return at;
}

/* Where a byte of an interval stands in the data it was copied from. */
static int64_t stuffed(const uint8_t *interval, int64_t count)
{
    int64_t more = 0;
    for (int64_t k = 0; k < count; k++)
        more += interval[k] == 0xff;
    return count + more;
}

/* Read a scan from its data into coefficients, which hold what the scans before it gave.

   tables: four for DC, four for AC coefficients. noted->padding has room for a byte for each restart
   marker that there may be, run for `room` runs. Returns 0, or -1 where there is no memory. It reads
   as far as it can: whoever calls looks at noted->units. */
int64_t bitswap_jpeg_read(
    const scan *s, const table *tables, const uint8_t *data, int64_t size, notes *noted)
{
    uint8_t *interval = malloc((size_t)size + PADDING);
    decoder *decoders = malloc(8 * sizeof *decoders);
    int64_t total = units_of(s), at = 0;
    reader r = {s, decoders, decoders + 4, noted, {0}, 0};
    noted->units = noted->restarts = noted->end = noted->partial = noted->runs = 0;
    if (!interval || !decoders) {
        free(interval), free(decoders);
        return -1;
    }
    for (int k = 0; k < 8; k++)
        prepare(decoders + k, tables + k);
    for (int64_t until = 0; until < total;) {
        int64_t count, marker = unstuff(data, at, size, interval, &count);
        bits b = {interval, 0, 8 * count};
        until = s->restart && s->restart < total - noted->units ? noted->units + s->restart : total;
        for (;;) {
            while (noted->units < until && read_unit(&r, &b, noted->units) == 0)
                noted->units++;
            /* some writers announce restart markers and write none */
            if (noted->units < until || until == total || b.limit - b.at < 8)
                break;
            until = total;
        }
        noted->end = at + stuffed(interval, b.at >> 3);
        noted->partial = b.at & 7;
        int left = (int)(-b.at & 7);
        if (noted->units < until || until == total || b.limit - b.at != left || r.run ||
            marker + 1 >= size || data[marker] != 0xff ||
            data[marker + 1] != 0xd0 + noted->restarts % 8)
            break;
        noted->padding[noted->restarts++] =
            (uint8_t)(left ? interval[count - 1] & ((1 << left) - 1) : 0);
        memset(r.last, 0, sizeof r.last);
        noted->end = at = marker + 2;
        noted->partial = 0;
    }
    free(interval), free(decoders);
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

typedef struct {
    uint8_t length[256];
    uint16_t code[256];
} encoder;

static void arrange(encoder *e, const table *t)
{
    uint32_t code = 0;
    int place = 0;
    memset(e, 0, sizeof *e);
    for (int length = 1; length <= 16; length++, code <<= 1)
        for (int k = 0; k < t->counts[length - 1] && place < 256; k++, code++, place++)
            if (!e->length[t->symbols[place]]) {
                e->length[t->symbols[place]] = (uint8_t)length;
                e->code[t->symbols[place]] = (uint16_t)code;
            }
}

typedef struct {
    uint8_t *out;
    int64_t at, room;
    uint64_t bits; /* the lowest `held` bits are to be written, fewer than 32 between calls */
    int held, failed;
} sink;

/* Write all whole bytes. */
static void drain(sink *o)
{
    if (o->at + 16 > o->room) {
        o->failed = 1;
        o->held &= 7;
        return;
    }
    while (o->held >= 8) {
        uint8_t byte = (uint8_t)(o->bits >> (o->held -= 8));
        o->out[o->at++] = byte;
        if (byte == 0xff)
            o->out[o->at++] = 0;
    }
}

static void put(sink *o, uint32_t value, int count) /* count <= 32 */
{
    o->bits = o->bits << count | value;
    o->held += count;
    if (o->held < 32)
        return;
    uint32_t word = (uint32_t)(o->bits >> (o->held - 32));
    if ((word & (~word - 0x01010101u) & 0x80808080u) || o->at + 16 > o->room) {
        drain(o); /* there may be a byte of ones in it */
        return;
    }
    o->held -= 32;
    for (int k = 0; k < 4; k++)
        o->out[o->at++] = (uint8_t)(word >> (24 - 8 * k));
}

static void put_symbol(sink *o, const encoder *e, int found)
{
    if (!e->length[found])
        o->failed = 1; /* the file has no code for it */
    put(o, e->code[found], e->length[found]);
}

/* A symbol and the number of `size` bits behind it. */
static void put_pair(sink *o, const encoder *e, int found, int value, int size)
{
    uint32_t mask = (1u << size) - 1;
    if (!e->length[found])
        o->failed = 1;
    uint32_t low = (uint32_t)(value + (value >> 31)) & mask;
    put(o, (uint32_t)e->code[found] << size | low, e->length[found] + size);
}

/* Bit k: coefficient k of first..last is not 0 without its lowest bits. */
static uint64_t others(const int16_t *block, int first, int last, int low)
{
    int16_t bound = (int16_t)((1 << low) - 1);
    uint64_t mask = 0;
    for (int k = 0; k < 64; k += 8) {
        uint64_t part = 0;
        for (int j = 0; j < 8; j++)
            part |= (uint64_t)((block[k + j] > bound) | (block[k + j] < -bound)) << j;
        mask |= part << k;
    }
    return mask & (~0ull >> (63 - last)) & (~0ull << first);
}

/* Fill the byte at hand with the lowest bits of `padding`. */
static void fill(sink *o, uint32_t padding)
{
    int left = -o->held & 7;
    put(o, padding & ((1u << left) - 1), left);
    drain(o);
}

typedef struct {
    const scan *scan;
    const encoder *dc, *ac;
    notes *notes;
    sink *sink;
    int32_t last[4];
    int64_t run;       /* blocks of the end-of-block run at hand */
    int64_t planned;   /* blocks that it is to have, where runs are told */
    int64_t runs;      /* told runs that have begun */
    int64_t restarts;  /* markers written */
    int waiting;       /* corrections that follow the symbol of the run */
    uint8_t bit[1024]; /* these, and then those of the block at hand */
} writer;

static void write_dc(writer *w, int owner, const int16_t *block)
{
    const scan *s = w->scan;
    if (s->high) {
        put(w->sink, (uint32_t)(block[0] >> s->low) & 1, 1);
        return;
    }
    int value = block[0] >> s->low, difference = value - w->last[owner];
    int size = size_of((uint32_t)abs(difference));
    w->last[owner] = value;
    put_pair(w->sink, w->dc + s->component[owner].dc, size, difference, size & 15);
}

static void put_run(writer *w, const encoder *e, int64_t run)
{
    int size = size_of((uint32_t)run) - 1;
    put_symbol(w->sink, e, size << 4);
    put(w->sink, (uint32_t)run & ((1u << size) - 1), size);
}

static void end_run(writer *w, const encoder *e)
{
    if (w->run && !w->notes->run) {
        put_run(w, e, w->run);
        for (int k = 0; k < w->waiting; k++)
            put(w->sink, w->bit[k], 1);
    }
    w->run = w->planned = w->waiting = 0;
}

/* A block ends with zeros and `more` corrections, which w->bit holds behind those that wait. */
static void add_to_run(writer *w, const encoder *e, int more)
{
    if (w->notes->run) {
        if (w->run == w->planned) {
            w->run = 0;
            if (w->runs >= w->notes->runs) {
                w->sink->failed = 1;
                return;
            }
            w->planned = w->notes->run[w->runs++];
            put_run(w, e, w->planned);
        }
        w->run++;
        for (int k = 0; k < more; k++)
            put(w->sink, w->bit[k], 1);
        return;
    }
    w->run++;
    w->waiting += more;
    if (w->run == MOST_RUN || w->waiting > MOST_BITS)
        end_run(w, e);
}

/* Coefficients of a sequential scan, or of a first progressive one. */
static void write_ac(writer *w, const encoder *e, const int16_t *block, int first, int last)
{
    int before = first - 1, low = w->scan->low;
    for (uint64_t left = others(block, first, last, low); left; left &= left - 1) {
        int k = __builtin_ctzll(left), zeros = k - before - 1;
        int value = block[k] < 0 ? -(-block[k] >> low) : block[k] >> low;
        int size = size_of((uint32_t)abs(value)) & 15;
        end_run(w, e);
        for (; zeros > 15; zeros -= 16)
            put_symbol(w->sink, e, 0xf0);
        put_pair(w->sink, e, zeros << 4 | size, value, size);
        before = k;
    }
    if (before == last)
        return;
    if (w->scan->progressive)
        add_to_run(w, e, 0);
    else
        put_symbol(w->sink, e, 0);
}

static void write_refined(writer *w, const encoder *e, const int16_t *block)
{
    const scan *s = w->scan;
    uint64_t left = others(block, s->first, s->last, s->low);
    uint64_t fresh = left & ~others(block, s->first, s->last, s->low + 1);
    int before = s->first - 1, zeros = 0, more = 0;
    for (; left; left &= left - 1) {
        int k = __builtin_ctzll(left);
        zeros += k - before - 1;
        before = k;
        while (zeros > 15 && fresh >> k) { /* not if they may be part of the end of the block */
            int waited = w->waiting;
            end_run(w, e);
            put_symbol(w->sink, e, 0xf0);
            zeros -= 16;
            for (int j = 0; j < more; j++)
                put(w->sink, w->bit[waited + j], 1);
            more = 0;
        }
        if (!(fresh >> k & 1)) {
            w->bit[w->waiting + more++] = (uint8_t)(abs(block[k]) >> s->low & 1);
            continue;
        }
        int waited = w->waiting;
        end_run(w, e);
        put_symbol(w->sink, e, zeros << 4 | 1);
        put(w->sink, block[k] > 0, 1);
        for (int j = 0; j < more; j++)
            put(w->sink, w->bit[waited + j], 1);
        more = zeros = 0;
    }
    if (zeros || more || before < s->last)
        add_to_run(w, e, more);
}

static void write_block(writer *w, int owner, const int16_t *block)
{
    const scan *s = w->scan;
    const encoder *ac = w->ac + s->component[owner].ac;
    if (!s->progressive) {
        write_dc(w, owner, block);
        write_ac(w, ac, block, 1, 63);
    } else if (!s->first) {
        write_dc(w, owner, block);
    } else if (s->high) {
        write_refined(w, ac, block);
    } else {
        write_ac(w, ac, block, s->first, s->last);
    }
}

static void restart(writer *w, const encoder *ac)
{
    sink *o = w->sink;
    end_run(w, ac);
    fill(o, w->notes->padding ? w->notes->padding[w->restarts] : 0xff);
    if (o->at + 2 > o->room) {
        o->failed = 1;
        return;
    }
    o->out[o->at++] = 0xff;
    o->out[o->at++] = (uint8_t)(0xd0 + w->restarts++ % 8);
    memset(w->last, 0, sizeof w->last);
}

/* Write noted->units MCUs of a scan, of at most `room` bytes. The bits of the last byte that are not
   told are ones. Returns how many bytes, or -1 if there is no memory, -2 if they are no scan. */
int64_t bitswap_jpeg_write(
    const scan *s, const table *tables, uint8_t *out, int64_t room, notes *noted)
{
    encoder *encoders = malloc(8 * sizeof *encoders);
    sink o = {out, 0, room, 0, 0, 0};
    if (!encoders)
        return -1;
    for (int k = 0; k < 8; k++)
        arrange(encoders + k, tables + k);
    writer *w = calloc(1, sizeof *w);
    if (!w) {
        free(encoders);
        return -1;
    }
    w->scan = s, w->dc = encoders, w->ac = encoders + 4, w->notes = noted, w->sink = &o;
    const encoder *ac = w->ac + s->component[0].ac;
    int64_t next = s->restart;
    for (int64_t unit = 0; unit < noted->units && !o.failed; unit++) {
        int16_t *block[MOST_BLOCKS];
        int owner[MOST_BLOCKS], count = blocks_of(s, unit, block, owner);
        if (unit == next && w->restarts < noted->restarts) {
            restart(w, ac);
            next += s->restart;
        }
        for (int k = 0; k < count; k++)
            write_block(w, owner[k], block[k]);
    }
    end_run(w, ac);
    if (w->restarts < noted->restarts) /* one behind the last unit that could be read */
        restart(w, ac);
    fill(&o, 0xff);
    free(encoders), free(w);
    return o.failed ? -2 : o.at;
}

int64_t bitswap_jpeg_abi(void) { return 1; }
