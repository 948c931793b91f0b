/* PNG's filters of lines of bytes (W3C, Portable Network Graphics, 9): ../filters.py in C. */
#include "packings.h"

enum { NONE, SUB, UP, AVERAGE, PAETH, FILTERS };

/* The guess of Paeth's filter, by 16 bits, many at once where bytes do not wait for each other. */
INLINE uint8_t nearest(uint8_t left, uint8_t up, uint8_t corner) {
    const int16_t across = (int16_t)(up - corner), down = (int16_t)(left - corner);
    const int16_t both = (int16_t)(across + down);
    const int16_t to_left = across < 0 ? (int16_t)-across : across;
    const int16_t to_up = down < 0 ? (int16_t)-down : down;
    const int16_t to_corner = both < 0 ? (int16_t)-both : both;
    const uint8_t other = to_up <= to_corner ? up : corner;
    return to_left <= to_up && to_left <= to_corner ? left : other;
}

/* The same where they do, each for the one to its left. */
INLINE uint8_t nearest_in_turn(int left, int up, int corner) {
    const int across = up - corner, down = left - corner;
    const int to_left = abs(across), to_up = abs(down), to_corner = abs(across + down);
    const int other = to_up <= to_corner ? up : corner;
    const int least = to_up <= to_corner ? to_up : to_corner;
    return (uint8_t)(to_left <= least ? left : other);
}

/* A line less what a filter guesses of it; `above` is all zero for the first one. */
static void residual(const uint8_t *restrict here, const uint8_t *restrict above, int64_t width,
                     int64_t unit, int filter, uint8_t *restrict out) {
    const int64_t first = unit < width ? unit : width;
    for (int64_t i = 0; i < first; i++) {
        const uint8_t guesses[FILTERS] = {0, 0, above[i], above[i] >> 1, above[i]};
        out[i] = (uint8_t)(here[i] - guesses[filter]);
    }
    switch (filter) {
        case NONE:
            for (int64_t i = first; i < width; i++) out[i] = here[i];
            break;
        case SUB:
            for (int64_t i = first; i < width; i++) out[i] = (uint8_t)(here[i] - here[i - unit]);
            break;
        case UP:
            for (int64_t i = first; i < width; i++) out[i] = (uint8_t)(here[i] - above[i]);
            break;
        case AVERAGE:
            for (int64_t i = first; i < width; i++)
                out[i] = (uint8_t)(here[i] - ((here[i - unit] + above[i]) >> 1));
            break;
        default:
            for (int64_t i = first; i < width; i++)
                out[i] = (uint8_t)(here[i] - nearest(here[i - unit], above[i], above[i - unit]));
    }
}

/* `lines` (count, 1 + width): the filter of each line, and what it leaves; `zeros` is one line. */
EXPORT void bitswap_filter(const uint8_t *rows, int64_t count, int64_t width, int64_t unit,
                           const uint8_t *filters, const uint8_t *zeros, uint8_t *lines) {
    for (int64_t n = 0; n < count; n++) {
        const uint8_t *here = rows + n * width;
        uint8_t *line = lines + n * (width + 1);
        const int filter = filters[n] < FILTERS ? filters[n] : PAETH;
        line[0] = filters[n];
        residual(here, n ? here - width : zeros, width, unit, filter, line + 1);
    }
}

/* What Paeth's filter left of pixels of a constant size, of which the first is there: each of their
   bytes is a sequence of its own, and waits for no other. Returns where no whole pixel follows. */
INLINE int64_t whole_pixels(const uint8_t *restrict left, const uint8_t *restrict above,
                            int64_t width, int unit, uint8_t *out) {
    int before[8], corner[8];
    int64_t at = unit;
    for (int k = 0; k < unit; k++) {
        before[k] = out[k];
        corner[k] = above[k];
    }
    for (; at + unit <= width; at += unit)
        for (int k = 0; k < unit; k++) {
            const int up = above[at + k];
            before[k] = (left[at + k] + nearest_in_turn(before[k], up, corner[k])) & 255;
            corner[k] = up;
            out[at + k] = (uint8_t)before[k];
        }
    return at;
}

static int64_t whole_by_size(const uint8_t *restrict left, const uint8_t *restrict above,
                             int64_t width, int64_t unit, uint8_t *out) {
    switch (width < unit ? 0 : unit) {
        case 1: return whole_pixels(left, above, width, 1, out);
        case 2: return whole_pixels(left, above, width, 2, out);
        case 3: return whole_pixels(left, above, width, 3, out);
        case 4: return whole_pixels(left, above, width, 4, out);
        case 6: return whole_pixels(left, above, width, 6, out);
        case 8: return whole_pixels(left, above, width, 8, out);
        default: return unit < width ? unit : width;
    }
}

/* A line of what a filter left of it. */
static void whole(const uint8_t *restrict left, const uint8_t *restrict above, int64_t width,
                  int64_t unit, int filter, uint8_t *out) {
    const int64_t first = unit < width ? unit : width;
    for (int64_t i = 0; i < first; i++) {
        const uint8_t guesses[FILTERS] = {0, 0, above[i], above[i] >> 1, above[i]};
        out[i] = (uint8_t)(left[i] + guesses[filter]);
    }
    switch (filter) {
        case NONE:
            for (int64_t i = first; i < width; i++) out[i] = left[i];
            break;
        case SUB:
            for (int64_t i = first; i < width; i++) out[i] = (uint8_t)(left[i] + out[i - unit]);
            break;
        case UP:
            for (int64_t i = first; i < width; i++) out[i] = (uint8_t)(left[i] + above[i]);
            break;
        case AVERAGE:
            for (int64_t i = first; i < width; i++)
                out[i] = (uint8_t)(left[i] + ((out[i - unit] + above[i]) >> 1));
            break;
        default:
            for (int64_t i = whole_by_size(left, above, width, unit, out); i < width; i++)
                out[i] =
                    (uint8_t)(left[i] + nearest_in_turn(out[i - unit], above[i], above[i - unit]));
    }
}

/* The inverse of `bitswap_filter`; DAMAGED if there is no such filter. */
EXPORT int64_t bitswap_unfilter(const uint8_t *lines, int64_t count, int64_t width, int64_t unit,
                                const uint8_t *zeros, uint8_t *rows) {
    for (int64_t n = 0; n < count; n++) {
        const uint8_t *line = lines + n * (width + 1);
        uint8_t *here = rows + n * width;
        if (line[0] >= FILTERS) return DAMAGED;
        whole(line + 1, n ? here - width : zeros, width, unit, line[0], here);
    }
    return 0;
}

static int64_t cost(const uint8_t *line, int64_t width) {
    enum { PART = 1 << 24 }; /* 32 bits hold the sum of as many */
    int64_t all = 0;
    for (int64_t start = 0; start < width; start += PART) {
        const int64_t end = width - start < PART ? width : start + PART;
        uint32_t sum = 0;
        for (int64_t i = start; i < end; i++) {
            const uint8_t negative = (uint8_t)-line[i];
            sum += line[i] < negative ? line[i] : negative;
        }
        all += sum;
    }
    return all;
}

/* `lines` as of `bitswap_filter`, each by the filter that leaves the least sum, of those that are
   `tried`, the first of equals; `room` is one line. */
EXPORT void bitswap_filter_least(const uint8_t *rows, int64_t count, int64_t width, int64_t unit,
                                 const uint8_t *tried, int64_t tries, const uint8_t *zeros,
                                 uint8_t *room, uint8_t *lines) {
    for (int64_t n = 0; n < count; n++) {
        const uint8_t *here = rows + n * width, *above = n ? here - width : zeros;
        uint8_t *line = lines + n * (width + 1);
        int64_t least = INT64_MAX;
        for (int64_t k = 0; k < tries; k++) {
            uint8_t *left = k ? room : line + 1;
            residual(here, above, width, unit, tried[k] < FILTERS ? tried[k] : PAETH, left);
            const int64_t sum = tries > 1 ? cost(left, width) : 0;
            if (sum >= least) continue;
            least = sum;
            line[0] = tried[k];
            if (k) memcpy(line + 1, room, (size_t)width);
        }
    }
}

/* `sums` (FILTERS, count): of the absolute values of what each filter leaves of a line, as signed
   bytes; `line` is room for one. */
EXPORT void bitswap_filter_sums(const uint8_t *rows, int64_t count, int64_t width, int64_t unit,
                                const uint8_t *zeros, uint8_t *line, int64_t *sums) {
    for (int64_t n = 0; n < count; n++) {
        const uint8_t *here = rows + n * width;
        for (int filter = NONE; filter < FILTERS; filter++) {
            residual(here, n ? here - width : zeros, width, unit, filter, line);
            sums[filter * count + n] = cost(line, width);
        }
    }
}
