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

/* Counts of the bits of each byte of x, and sums of pairs of bytes; masks fill a LANE of a WORD. */
#define FILL(MASK) ((LANE)(MASK * 0x0001000100010001u))
#define COUNT_BYTES(x)                                                             \
    (x -= x >> 1 & FILL(0x5555), x = (x & FILL(0x3333)) + (x >> 2 & FILL(0x3333)), \
     x = (x + (x >> 4)) & FILL(0x0f0f))
#define PAIRS(x) (((x) & FILL(0xff)) + ((x) >> 8 & FILL(0xff)))

/* Two more words of one digit: sum becomes their sum's low bits, carry its high ones. */
#define ADD_TWO(carry, sum, x, y)                                                     \
    (more = (x), last = (y), part = sum ^ more, carry = (sum & more) | (part & last), \
     sum = part ^ last)

TARGET INLINE WORD differing(const char *row, const char *weight, int64_t i) {
    WORD w;
    memcpy(&w, weight + i * GROUP * OUTPUTS, sizeof w);
    return w ^ (LANE)(uint32_t)group_at(row, i) * (LANE)0x100000001u;
}
TARGET INLINE void count_part(const char *row, const char *weight, int64_t groups, int32_t *sums) {
    WORD ones = {0}, twos = {0}, fours = {0}, eights, total = {0};
    WORD a, b, c, d, more, last, part;
    int64_t i = 0;
    for (; i + 8 <= groups; i += 8) {
        ADD_TWO(a, ones, differing(row, weight, i), differing(row, weight, i + 1));
        ADD_TWO(b, ones, differing(row, weight, i + 2), differing(row, weight, i + 3));
        ADD_TWO(c, twos, a, b);
        ADD_TWO(a, ones, differing(row, weight, i + 4), differing(row, weight, i + 5));
        ADD_TWO(b, ones, differing(row, weight, i + 6), differing(row, weight, i + 7));
        ADD_TWO(d, twos, a, b);
        ADD_TWO(eights, fours, c, d);
        COUNT_BYTES(eights);
        total += PAIRS(eights);
    }
    COUNT_BYTES(ones), COUNT_BYTES(twos), COUNT_BYTES(fours);
    ones += 2 * twos + 4 * fours;
    for (; i < groups; i++) {
        part = differing(row, weight, i);
        ones += COUNT_BYTES(part);
    }
    total = 8 * total + PAIRS(ones);
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

#undef LANE
#undef WORD
