/* QOI (qoiformat.org, the specification): pixels of four bytes, and the operations between them. */
#include "packings.h"

enum { INDEX = 0x00, DIFF = 0x40, LUMA = 0x80, RUN = 0xC0, RGB = 0xFE, RGBA = 0xFF };
enum { SEEN = 64, MOST_RUN = 62 };

static int place_of(const uint8_t *p) {
    return (p[0] * 3 + p[1] * 5 + p[2] * 7 + p[3] * 11) % SEEN;
}

/* Decode count pixels; returns how many bytes they took, or DAMAGED. */
EXPORT int64_t bitswap_qoi_read(const uint8_t *source, int64_t length, uint8_t *pixels,
                                int64_t count) {
    uint8_t seen[SEEN][4] = {{0}}, p[4] = {0, 0, 0, 255};
    int64_t at = 0;
    for (int64_t n = 0; n < count;) {
        if (at >= length) {
            return DAMAGED;
        }
        int op = source[at++], kind = op & 0xC0, run = 1;
        int more = op == RGB ? 3 : op == RGBA ? 4 : kind == LUMA ? 1 : 0;
        if (more > length - at) {
            return DAMAGED;
        }
        if (op == RGB || op == RGBA) {
            memcpy(p, source + at, (size_t)more);
        } else if (kind == INDEX) {
            memcpy(p, seen[op], 4);
        } else if (kind == DIFF) {
            for (int c = 0; c < 3; c++) {
                p[c] = (uint8_t)(p[c] + (op >> (4 - 2 * c) & 3) - 2);
            }
        } else if (kind == LUMA) {
            int green = (op & 63) - 32;
            p[0] = (uint8_t)(p[0] + green - 8 + (source[at] >> 4));
            p[1] = (uint8_t)(p[1] + green);
            p[2] = (uint8_t)(p[2] + green - 8 + (source[at] & 15));
        } else {
            run += op & 63;
        }
        at += more;
        memcpy(seen[place_of(p)], p, 4);
        if (run > count - n) {
            return DAMAGED;
        }
        for (; run; run--, n++) {
            memcpy(pixels + 4 * n, p, 4);
        }
    }
    return at;
}

static int is_within(int value, int low, int high) { return low <= value && value <= high; }

/* Encode as the reference encoder does; out has room for 5 bytes a pixel. Returns the length. */
EXPORT int64_t bitswap_qoi_write(const uint8_t *pixels, int64_t count, uint8_t *out) {
    uint8_t seen[SEEN][4] = {{0}}, before[4] = {0, 0, 0, 255};
    int64_t at = 0;
    int run = 0;
    for (int64_t n = 0; n < count; n++) {
        const uint8_t *p = pixels + 4 * n;
        if (!memcmp(p, before, 4)) {
            run++;
            if (run == MOST_RUN || n == count - 1) {
                out[at++] = (uint8_t)(RUN | (run - 1));
                run = 0;
            }
            continue;
        }
        if (run) {
            out[at++] = (uint8_t)(RUN | (run - 1));
            run = 0;
        }
        int place = place_of(p);
        if (!memcmp(seen[place], p, 4)) {
            out[at++] = (uint8_t)(INDEX | place);
        } else {
            int8_t red = (int8_t)(p[0] - before[0]), green = (int8_t)(p[1] - before[1]);
            int8_t blue = (int8_t)(p[2] - before[2]);
            int8_t red_more = (int8_t)(red - green), blue_more = (int8_t)(blue - green);
            memcpy(seen[place], p, 4);
            if (p[3] != before[3]) {
                out[at++] = RGBA;
                memcpy(out + at, p, 4);
                at += 4;
            } else if (is_within(red, -2, 1) && is_within(green, -2, 1) && is_within(blue, -2, 1)) {
                out[at++] = (uint8_t)(DIFF | (red + 2) << 4 | (green + 2) << 2 | (blue + 2));
            } else if (is_within(red_more, -8, 7) && is_within(green, -32, 31) &&
                       is_within(blue_more, -8, 7)) {
                out[at++] = (uint8_t)(LUMA | (green + 32));
                out[at++] = (uint8_t)((red_more + 8) << 4 | (blue_more + 8));
            } else {
                out[at++] = RGB;
                memcpy(out + at, p, 3);
                at += 3;
            }
        }
        memcpy(before, p, 4);
    }
    return at;
}

EXPORT int64_t bitswap_packings_abi(void) { return ABI; }
