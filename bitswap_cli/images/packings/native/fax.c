/* Rows of black and white <-> codes of facsimile (ITU-T T.4 and T.6); see ../fax_rows.py and
 * ../fax_codes.py. */
#include "packings.h"

enum { PASS = 4, HORIZONTAL = 5, NO_MODE = 6 };
enum { WIDEST = 13, WIDEST_MODE = 7, LONGEST = 2560, CODES = 104, END = 12 };

typedef struct {
    int ends, tagged, aligned, relative;
} coding;

/* ------------------------------------------------------------------------------- reading */

typedef struct {
    const uint8_t *source;
    int64_t length, at; /* bytes; bits */
    const int16_t *lengths; /* [2][1 << WIDEST]: of the run whose code begins these bits, or -1 */
    const uint8_t *widths;  /* of that code */
    const int16_t *modes;   /* [1 << WIDEST_MODE] */
    const uint8_t *mode_widths;
} reader;

/* The next bits, at most 24; zeros behind the source. */
static uint32_t peek(const reader *r, int count) {
    uint32_t bits = 0;
    for (int64_t k = r->at >> 3; k < (r->at >> 3) + 4; k++) {
        bits = bits << 8 | (k < r->length ? r->source[k] : 0u);
    }
    return bits << (r->at & 7) >> (32 - count);
}

/* The length of a run, or DAMAGED; at most `most`. */
static int64_t read_run(reader *r, int colour, int64_t most) {
    int64_t run = 0;
    while (run <= most && r->at < 8 * r->length) {
        const uint32_t bits = peek(r, WIDEST) | (uint32_t)colour << WIDEST;
        const int part = r->lengths[bits];
        if (part < 0) {
            return DAMAGED;
        }
        run += part;
        r->at += r->widths[bits];
        if (part < 64) {
            return run <= most ? run : DAMAGED;
        }
    }
    return DAMAGED;
}

/* Go through zeros and the one that ends them, if they end rows. */
static int through_end(reader *r) {
    int64_t zeros = 0;
    while (r->at < 8 * r->length && !peek(r, 1)) {
        r->at++;
        zeros++;
    }
    r->at++;
    return zeros >= END - 1;
}

/* Read where the colour of a row changes; returns how many changes there are, or DAMAGED. */
static int64_t by_lengths(reader *r, int32_t *row, int64_t width) {
    int64_t at = 0, count = 0;
    while (at < width) {
        const int64_t run = read_run(r, count & 1, width - at);
        if (run < 0 || (!run && count)) {
            return DAMAGED;
        }
        at += run;
        if (at < width) {
            row[count++] = (int32_t)at;
        }
    }
    return count;
}

static int64_t by_row(reader *r, const int32_t *before, int32_t *row, int64_t width) {
    int64_t at = -1, count = 0, near = 0;
    while (at < width) {
        const uint32_t bits = peek(r, WIDEST_MODE);
        const int mode = r->modes[bits], colour = count & 1;
        int64_t changes[2], many = 1;
        r->at += r->mode_widths[bits];
        while (before[near] <= at && before[near] < width) {
            near++;
        }
        const int64_t k = near + ((near & 1) != colour);
        if (mode == NO_MODE) {
            return DAMAGED;
        }
        if (mode == PASS) {
            at = before[k + 1];
            if (at == width) {
                return DAMAGED;
            }
            continue;
        }
        if (mode == HORIZONTAL) {
            const int64_t start = at < 0 ? 0 : at, first = read_run(r, colour, width - start);
            if (first < 0) {
                return DAMAGED;
            }
            const int64_t second = read_run(r, 1 - colour, width - start - first);
            if (second < 0) {
                return DAMAGED;
            }
            changes[0] = start + first;
            changes[1] = changes[0] + second;
            many = 2;
        } else {
            changes[0] = before[k] + mode;
        }
        for (int64_t c = 0; c < many; c++) {
            if (changes[c] > width || (changes[c] <= at && !(at == width && changes[c] == width))) {
                return DAMAGED;
            }
            at = changes[c];
            if (at < width) {
                row[count++] = (int32_t)at;
            }
        }
    }
    return count;
}

/* Read rows, and of T.6 only those that a mode begins; returns how many, or DAMAGED. `read` tells
 * how many bits they have; both rooms have width + 3 changes. */
EXPORT int64_t bitswap_fax_read(const uint8_t *source, int64_t length, int64_t height,
                                int64_t width, const int32_t *how, const int16_t *lengths,
                                const uint8_t *widths, const int16_t *modes,
                                const uint8_t *mode_widths, int32_t *rooms, uint8_t *black,
                                uint8_t *tags, int64_t *read) {
    const coding told = {how[0], how[1], how[2], how[3]};
    reader r = {source, length, 0, lengths, widths, modes, mode_widths};
    int32_t *before = rooms, *row = rooms + width + 3;
    for (int k = 0; k < 3; k++) {
        before[k] = (int32_t)width;
    }
    int64_t y = 0;
    for (; y < height; y++) {
        const uint32_t bits = peek(&r, WIDEST_MODE);
        const int whole = r.at + mode_widths[bits] <= 8 * length;
        if (told.relative && (modes[bits] == NO_MODE || !whole)) {
            break;
        }
        if (r.at >= 8 * length || (told.ends && !through_end(&r))) {
            return DAMAGED;
        }
        tags[y] = told.tagged ? (uint8_t)peek(&r, 1) : !told.relative;
        r.at += told.tagged;
        const int64_t count = tags[y] ? by_lengths(&r, row, width) : by_row(&r, before, row, width);
        if (count < 0) {
            return DAMAGED;
        }
        for (int k = 0; k < 3; k++) {
            row[count + k] = (int32_t)width;
        }
        uint8_t *here = black + y * width;
        memset(here, 0, (size_t)width);
        for (int64_t k = 0; k < count; k += 2) {
            memset(here + row[k], 1, (size_t)(row[k + 1] - row[k]));
        }
        if (told.aligned && !told.ends) {
            r.at = (r.at + 7) & ~(int64_t)7;
        }
        int32_t *swapped = before;
        before = row;
        row = swapped;
    }
    *read = r.at;
    return r.at <= 8 * length ? y : DAMAGED;
}

/* ------------------------------------------------------------------------------- writing */

typedef struct {
    uint8_t *out; /* zeros at first */
    int64_t at;   /* bits */
    const uint16_t *codes; /* [2][CODES] */
    const uint8_t *widths;
    const uint16_t *modes; /* from -3 on */
    const uint8_t *mode_widths;
} writer;

static void put(writer *w, uint32_t code, int width) {
    const uint32_t bits = code << (32 - width) >> (w->at & 7);
    for (int k = 0; 8 * k < width + (int)(w->at & 7); k++) {
        w->out[(w->at >> 3) + k] |= (uint8_t)(bits >> (24 - 8 * k));
    }
    w->at += width;
}

static void put_mode(writer *w, int mode) { put(w, w->modes[mode + 3], w->mode_widths[mode + 3]); }

static void put_run(writer *w, int colour, int64_t run) {
    const uint16_t *codes = w->codes + colour * CODES;
    const uint8_t *widths = w->widths + colour * CODES;
    for (; run >= LONGEST + 64; run -= LONGEST) {
        put(w, codes[CODES - 1], widths[CODES - 1]);
    }
    if (run >= 64) {
        put(w, codes[63 + run / 64], widths[63 + run / 64]);
    }
    put(w, codes[run % 64], widths[run % 64]);
}

static void put_relative(writer *w, const int32_t *before, const int32_t *row, int64_t width) {
    int64_t at = -1, own = 0, near = 0;
    while (at < width) {
        const int colour = own & 1;
        while (before[near] <= at && before[near] < width) {
            near++;
        }
        const int32_t *b = before + near + ((near & 1) != colour);
        const int64_t change = row[own], away = change - b[0];
        if (b[1] < change) {
            put_mode(w, PASS);
            at = b[1];
        } else if (-3 <= away && away <= 3) {
            put_mode(w, (int)away);
            at = change;
            own++;
        } else {
            put_mode(w, HORIZONTAL);
            put_run(w, colour, change - (at < 0 ? 0 : at));
            put_run(w, 1 - colour, row[own + 1] - change);
            at = row[own + 1];
            own += 2;
        }
    }
}

/* Write rows; returns how many bits they take. `out` has 2 bytes a sample and 16 a row, of zeros;
 * both rooms have width + 3 changes. */
EXPORT int64_t bitswap_fax_write(const uint8_t *black, const uint8_t *tags, int64_t height,
                                 int64_t width, const int32_t *how, const uint16_t *codes,
                                 const uint8_t *widths, const uint16_t *modes,
                                 const uint8_t *mode_widths, int32_t *rooms, uint8_t *out) {
    const coding told = {how[0], how[1], how[2], how[3]};
    writer w = {out, 0, codes, widths, modes, mode_widths};
    int32_t *before = rooms, *row = rooms + width + 3;
    for (int k = 0; k < 3; k++) {
        before[k] = (int32_t)width;
    }
    for (int64_t y = 0; y < height; y++) {
        const uint8_t *here = black + y * width;
        int64_t count = 0;
        for (int64_t x = 0; x < width; x++) {
            row[count] = (int32_t)x;
            count += here[x] != (x ? here[x - 1] : 0);
        }
        for (int k = 0; k < 3; k++) {
            row[count + k] = (int32_t)width;
        }
        if (told.ends) {
            w.at += told.aligned ? -(w.at + END) & 7 : 0;
            put(&w, 1, END);
        }
        if (told.tagged) {
            put(&w, tags[y], 1);
        }
        if (tags[y]) {
            int64_t at = 0;
            for (int64_t k = 0; k <= count; k++) {
                put_run(&w, k & 1, row[k] - at);
                at = row[k];
            }
        } else {
            put_relative(&w, before, row, width);
        }
        if (told.aligned && !told.ends) {
            w.at = (w.at + 7) & ~(int64_t)7;
        }
        int32_t *swapped = before;
        before = row;
        row = swapped;
    }
    return w.at;
}
