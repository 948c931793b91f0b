/* libdeflate's observations of blocks; see splitter.h. */
#include "splitter.h"

void merge(observations *o) {
    for (int i = 0; i < KINDS; i++) o->seen[i] += o->fresh[i];
    memset(o->fresh, 0, sizeof o->fresh);
    o->seen_all += o->fresh_all;
    o->fresh_all = 0;
}

int differs(observations *o, int64_t length) {
    if (o->seen_all) {
        int64_t difference = 0, all = o->seen_all + o->fresh_all;
        int64_t most = o->fresh_all * 200 / 512 * o->seen_all;
        for (int i = 0; i < KINDS; i++) {
            int64_t expected = o->seen[i] * o->fresh_all, actual = o->fresh[i] * o->seen_all;
            difference += actual > expected ? actual - expected : expected - actual;
        }
        if (length < 10000 && all < 8192) most += most * (8192 - all) / 8192;
        if (difference + length / 4096 * o->seen_all >= most) return 1;
    }
    merge(o);
    return 0;
}

int least_by_values(int values, int64_t depth) {
    int least = values < 6 ? 9 : values < 8 ? 8 : values < 10 ? 7 : values < 16 ? 6 : 3;
    if (values >= 16 && values < 80) least = values < 45 ? 5 : 4;
    int most = depth < 5 ? 4 : depth < 10 ? 5 : depth < 16 ? 7 : 9;
    return least < most ? least : most;
}

int least_match(const uint8_t *data, int64_t size, int64_t depth) {
    uint8_t used[256] = {0};
    int values = 0;
    if (size < 512) return MIN_MATCH;
    for (int64_t i = 0; i < size && i < 4096; i++) used[data[i]] = 1;
    for (int i = 0; i < 256; i++) values += used[i];
    return least_by_values(values, depth);
}
