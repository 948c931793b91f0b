/* How many bits differ, where no instruction counts those of many numbers; a set of instructions
 * includes this with
 *   TARGET  the attribute of every function,
 *   LANE    an unsigned integer,
 *   WORD    it, or a vector of it, at most as long as a panel's group.
 *
 * Bits are added up as binary numbers of four digits before they are counted (Harley and Seal):
 * Mula, Kurz and Lemire, "Faster Population Counts Using AVX2 Instructions", The Computer Journal
 * 2018.
 */
#include "layers.h"

#define FILL(MASK) ((LANE)(MASK * 0x0001000100010001u)) /* masks fill a LANE of a WORD */

/* The bits of each byte, counted. */
TARGET INLINE WORD count_bytes(WORD x) {
    x -= x >> 1 & FILL(0x5555);
    x = (x & FILL(0x3333)) + (x >> 2 & FILL(0x3333));
    return (x + (x >> 4)) & FILL(0x0f0f);
}

/* Sums of pairs of bytes. */
TARGET INLINE WORD pairs(WORD x) { return (x & FILL(0xff)) + (x >> 8 & FILL(0xff)); }

/* Two more words of one digit: sum becomes their sum's low bits; returns its high ones. */
TARGET INLINE WORD add_two(WORD *sum, WORD x, WORD y) {
    const WORD part = *sum ^ x, carry = (*sum & x) | (part & y);
    *sum = part ^ y;
    return carry;
}

TARGET INLINE WORD differing(const char *row, const char *weight, int64_t i) {
    WORD w;
    memcpy(&w, weight + i * GROUP * OUTPUTS, sizeof w);
    return w ^ (LANE)(uint32_t)group_at(row, i) * (LANE)0x100000001u;
}

TARGET INLINE void count_part(const char *row, const char *weight, int64_t groups, int32_t *sums) {
    WORD ones = {0}, twos = {0}, fours = {0}, total = {0};
    int64_t i = 0;
    for (; i + 8 <= groups; i += 8) {
        WORD a = add_two(&ones, differing(row, weight, i), differing(row, weight, i + 1));
        WORD b = add_two(&ones, differing(row, weight, i + 2), differing(row, weight, i + 3));
        WORD c = add_two(&twos, a, b);
        a = add_two(&ones, differing(row, weight, i + 4), differing(row, weight, i + 5));
        b = add_two(&ones, differing(row, weight, i + 6), differing(row, weight, i + 7));
        WORD d = add_two(&twos, a, b);
        total += pairs(count_bytes(add_two(&fours, c, d)));
    }
    WORD rest = count_bytes(ones) + 2 * count_bytes(twos) + 4 * count_bytes(fours);
    for (; i < groups; i++) rest += count_bytes(differing(row, weight, i));
    total = 8 * total + pairs(rest);
    total = (total & (LANE)0xffff0000ffffu) + (total >> 16 & (LANE)0xffff0000ffffu);
    memcpy(sums, &total, sizeof total);
}

TARGET INLINE void dot_signs(const char *const *rows, const char *weight, int64_t groups,
                             int64_t words, int panels, block sums) {
    enum { PART = sizeof(WORD) / GROUP }; /* outputs */
    (void)words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int r = 0; r < ROWS; r++)
            for (int o = 0; o < OUTPUTS; o += PART)
                count_part(rows[r], weight + o * GROUP, groups, sums[r][v] + o);
}

#undef FILL
#undef LANE
#undef WORD
