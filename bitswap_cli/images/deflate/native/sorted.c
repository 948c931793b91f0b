/* Huffman codes and runs of their lengths as libdeflate makes them.
 *
 * Symbols are sorted by their counts, those of equal counts by their numbers. Only how many codes
 * have each length comes from the tree.
 */
#include "trees.h"

typedef struct {
    uint32_t count;
    int symbol;
} leaf;

static int sort(leaf *leaves, const uint32_t *counts, int symbols) {
    int used = 0;
    for (int i = 0; i < symbols; i++) {
        if (!counts[i]) continue;
        int at = used++;
        for (; at && leaves[at - 1].count > counts[i]; at--) leaves[at] = leaves[at - 1];
        leaves[at] = (leaf){counts[i], i};
    }
    return used;
}

/* How many codes have each length, of so many leaves, two or more. */
static void count_lengths(const leaf *leaves, int used, int longest, int *per_length) {
    uint64_t sums[LITERALS]; /* of the inner nodes, in the order in which they are made */
    int parent[LITERALS], depth[LITERALS], at_leaf = 0, at_node = 0, root = used - 2;
    for (int node = 0; node <= root; node++) {
        sums[node] = 0;
        for (int child = 0; child < 2; child++) {
            int is_leaf =
                at_leaf < used && (at_node == node || leaves[at_leaf].count <= sums[at_node]);
            if (is_leaf) {
                sums[node] += leaves[at_leaf++].count;
            } else {
                parent[at_node] = node;
                sums[node] += sums[at_node++];
            }
        }
    }
    memset(per_length, 0, (LONGEST + 1) * sizeof *per_length);
    per_length[1] = 2;
    depth[root] = 0;
    for (int node = root - 1; node >= 0; node--) {
        int length = depth[node] = depth[parent[node]] + 1;
        if (length >= longest) {
            length = longest - 1;
            while (!per_length[length]) length--;
        }
        per_length[length]--;
        per_length[length + 1] += 2;
    }
}

int sorted_lengths(const uint32_t *counts, int symbols, int longest, uint8_t *lengths) {
    leaf leaves[LITERALS];
    int per_length[LONGEST + 1], used = sort(leaves, counts, symbols), last = 0;
    for (int i = 0; i < symbols; i++) lengths[i] = 0;
    if (used < 2) {
        int other = used && leaves[0].symbol ? leaves[0].symbol : 1;
        lengths[0] = lengths[other] = 1;
        return other + 1;
    }
    count_lengths(leaves, used, longest, per_length);
    for (int i = 0, length = longest; length; length--) { /* the rarest take the longest */
        for (int left = per_length[length]; left; left--) {
            int symbol = leaves[i++].symbol;
            lengths[symbol] = (uint8_t)length;
            if (symbol > last) last = symbol;
        }
    }
    return last + 1;
}

void form_runs_across(head *h) {
    for (int at = 0, all = h->literals + h->distances; at < all;) {
        int length = h->lengths[at], run = 1;
        while (at + run < all && h->lengths[at + run] == length) run++;
        at += run;
        if (!length) {
            for (int part; run >= 11; run -= part) {
                part = run < 138 ? run : 138;
                operate(h, MANY_ZEROS, part - 11);
            }
            if (run >= 3) {
                operate(h, ZEROS, run - 3);
                run = 0;
            }
        } else if (run >= 4) {
            operate(h, length, 0);
            run--;
            for (int part; run >= 3; run -= part) {
                part = run < 6 ? run : 6;
                operate(h, COPY, part - 3);
            }
        }
        while (run--) operate(h, length, 0);
    }
}
