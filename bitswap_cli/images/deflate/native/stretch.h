/* Stretches of a chain: positions that lie a period apart, where data repeats itself.
 *
 * In flat parts of drawn pictures a chain leads from each position to the one a period before, for
 * thousands of steps. How long their matches are follows from where the period ends, behind them
 * and behind what is looked for: so all of them are passed at once.
 */
#ifndef BITSWAP_STRETCH_H
#define BITSWAP_STRETCH_H

#include "run.h"

enum { LONGEST_PERIOD = 32 };

typedef struct {
    int64_t more;  /* positions behind the first one, 0 if there is no stretch */
    int64_t place; /* which of all is the first of the longest matches */
    int length;    /* of that */
} stretch;

/* Bytes that a and b have in common before them, at most `most`, and as many are readable. */
INLINE int64_t common_before(const uint8_t *a, const uint8_t *b, int64_t most) {
    int64_t length = 0;
    for (; length + 32 <= most; length += 32) {
        uint64_t left[4], right[4];
        memcpy(left, a - length - 32, 32);
        memcpy(right, b - length - 32, 32);
        if ((left[0] ^ right[0]) | (left[1] ^ right[1]) | (left[2] ^ right[2]) |
            (left[3] ^ right[3]))
            break;
    }
    for (; length + 8 <= most; length += 8) {
        uint64_t left, right;
        memcpy(&left, a - length - 8, 8);
        memcpy(&right, b - length - 8, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        if (left != right) return length + (__builtin_ctzll(left ^ right) >> 3);
#else
        if (left != right) return length + (__builtin_clzll(left ^ right) >> 3);
#endif
    }
    while (length < most && a[-length - 1] == b[-length - 1]) length++;
    return length;
}

/* Bytes that the match of a position has in common with the one of `period` bytes before it. */
INLINE int lasting(const uint8_t *at, int64_t period, int most) {
    return common(at - period, at, most);
}

/* The stretch of positions at, at - period, .., of which up to `more`, one or more, come behind
 * the first: a period lasts for `end` bytes from there, so that a chain which leads from the first
 * to the second leads on. Matches are with `scan`, of up to `most` bytes; of those that are longer
 * than `best`, one of `nice` is as good as any. */
INLINE stretch stretch_of(const uint8_t *at, const uint8_t *scan, int64_t period, int end,
                          int64_t more, int most, int best, int nice) {
    const uint8_t *before = at - period;
    int step = (int)period, own = common(scan, before, most);
    int64_t room = (more - 1) * period, bytes = common_before(before, at, room);
    more = bytes == room ? more : 1 + (step == 1 ? bytes : (int)bytes / step);
    if (own >= end + step) own = step + common(scan, scan + step, most - step);
    if (nice <= best) nice = best + 1;
    int wanted = (own < nice ? own : nice) - end;
    int64_t place = wanted <= 0 ? 0 : step == 1 ? wanted : (wanted + step - 1) / step;
    if (place > more) place = more;
    int64_t length = end + place * period;
    if (length > own) length = own;
    else if (length == own) length = common(scan, at - place * period, most);
    return (stretch){more, place, (int)length};
}

#endif
