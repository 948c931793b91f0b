/* Tokens and blocks of a run that are not as predicted, and its entry point. */
#include "run.h"

/* The ranks of candidates for a match of `length` at p: how many of the chain's positions before
 * the one at `distance` match as far. Given a distance, returns its rank or -1; given a rank (and
 * distance 0), its distance or -1. */
static int64_t ranked(const run *r, int64_t p, int length, int64_t distance, int64_t rank,
                      const chains *c) {
    if (!c) return -1;
    int64_t found = 0, before = p;
    uint32_t at = before_of(c, p);
    for (int i = 0; i < RANKS && at && at < before && p - at <= WINDOW; i++) {
        if (common(r->data + at, r->data + p, length) == length) {
            if (distance ? p - at == distance : found == rank) return distance ? found : p - at;
            found++;
        }
        before = at;
        at = before_of(c, at);
    }
    return -1;
}

static void told_match(run *r, int64_t p, uint32_t truth, const chains *c) {
    int64_t rank = ranked(r, p, length_of(truth), distance_of(truth), 0, c);
    r->wrong += rank < 0 ? 4 : 2;
    put(&r->columns[NEW_LENGTH], length_of(truth) - MIN_MATCH);
    put(&r->columns[RANK], rank + 1);
    if (rank < 0) put(&r->columns[DISTANCE], distance_of(truth) - 1);
    else put(&r->columns[RANKED], distance_of(truth));
}

/* Write what a wrongly predicted token is. */
void told_truth(run *r, int64_t p, uint32_t candidate, int taken, uint32_t truth, const chains *c) {
    int same = candidate && truth && distance_of(candidate) == distance_of(truth);
    if (candidate) {
        int which = truth == candidate || !truth ? 0 : same ? 1 : 2;
        put(&r->columns[taken ? WRONG_TAKEN : WRONG_DEFERRED], which);
        if (which == 0) return;
        if (which == 1) {
            r->wrong++;
            int shorter = length_of(candidate) - length_of(truth); /* 1, -1, 2, -2, .. */
            put(&r->columns[SAME_LENGTH], shorter < 0 ? -2 * shorter - 1 : 2 * shorter - 2);
            return;
        }
    }
    told_match(r, p, truth, c);
}

static uint32_t read_match(run *r, int64_t p, int64_t length, int64_t distance) {
    if (length < MIN_MATCH || length > reach(r, p) || distance < 1 || distance > WINDOW ||
        distance > p || common(r->data + p, r->data + p - distance, (int)length) != length) {
        r->error = DAMAGED;
        return 0;
    }
    return match_of((int)length, distance);
}

/* Read what a wrongly predicted token is. */
uint32_t truth_of(run *r, int64_t p, uint32_t candidate, int taken, const chains *c) {
    if (candidate) {
        int64_t which = next(&r->columns[taken ? WRONG_TAKEN : WRONG_DEFERRED], 0);
        if (which == 0) return taken ? 0 : candidate;
        if (which == 1) {
            int64_t value = next(&r->columns[SAME_LENGTH], 0);
            int64_t longer = value & 1 ? (value + 1) / 2 : -(value + 2) / 2;
            return read_match(r, p, length_of(candidate) + longer, distance_of(candidate));
        }
    }
    int64_t length = next(&r->columns[NEW_LENGTH], 0) + MIN_MATCH;
    int64_t rank = next(&r->columns[RANK], 0);
    if (length < MIN_MATCH || length > reach(r, p)) {
        r->error = DAMAGED;
        return 0;
    }
    int64_t distance = !rank     ? next(&r->columns[DISTANCE], 0) + 1
                       : r->seen ? next(&r->columns[RANKED], 0)
                                 : ranked(r, p, (int)length, 0, rank - 1, c);
    return read_match(r, p, length, distance);
}

/* Begin a block at p. */
void open_block(run *r, int64_t p) {
    r->start = r->before = p;
    r->in_block = 0;
    r->clipped = 0;
    r->told = 0;
    r->last = 0;
    r->edge = r->size;
    if (r->how->predictor >= LD_HASHED) open_split(r, p);
    if (!r->restoring) {
        const int32_t *row = r->blocks + 3 * r->rows++;
        r->stored = row[0] == STORED;
        r->told = 1;
        r->told_size = row[1];
        r->last = r->rows == r->row_capacity;
        if (r->stored) {
            r->edge = p + row[1];
            put(&r->columns[STORED_GAP], r->stored_gap);
            r->stored_gap = 0;
        } else {
            r->stored_gap++;
        }
        return;
    }
    if (r->rows >= r->row_capacity) {
        r->error = DAMAGED;
        return;
    }
    r->stored = r->stored_gap == 0;
    if (r->stored) {
        int64_t size = next(&r->columns[STORED_SIZE], 0);
        r->stored_gap = next(&r->columns[STORED_GAP], -1);
        if (size > 0) {
            r->told = 1;
            r->last = (size - 1) & 1;
            r->edge = p + (size - 1) / 2;
        }
        if (size < 0 || r->edge > r->size) r->error = DAMAGED;
    } else {
        if (r->stored_gap > 0) r->stored_gap--;
        if (!is_right(r, 3)) {
            int64_t size = next(&r->columns[SPLIT], 0);
            if (size < 0) r->error = DAMAGED;
            r->told = 1;
            r->last = size & 1;
            r->told_size = size >> 1;
        }
    }
    r->blocks[3 * r->rows] = r->stored ? STORED : FIXED;
}

/* End the block before p; `end` is 2 if it is the last. */
void close_block(run *r, int64_t p, int end) {
    if (!r->restoring) {
        int predicted = ends(r, p), last = end == 2;
        if (r->stored) {
            int right = !r->clipped && predicted == end && p - r->start <= 65535;
            put(&r->columns[STORED_SIZE], right ? 0 : 2 * (p - r->start) + last + 1);
        } else {
            was(r, 3, predicted == end);
            if (predicted != end) put(&r->columns[SPLIT], 2 * r->in_block + last);
        }
    } else {
        int64_t size = r->stored ? p - r->start : r->in_block;
        if (r->stored && size > 65535) {
            r->error = DAMAGED;
            return;
        }
        r->blocks[3 * r->rows + 1] = (int32_t)size;
        r->rows++;
    }
    if (end == 2) {
        r->done = 1;
        if (p != r->size) r->error = DAMAGED;
    }
}

/* Literals, and matches at distance 1: what Z_HUFFMAN_ONLY and Z_RLE look for. */
static int64_t predict_plain(run *r) {
    for (int64_t p = 0; !r->done && !r->error;) {
        uint32_t candidate = 0;
        if (r->how->predictor == RUNS && p) {
            int length = common(r->data + p, r->data + p - 1, reach(r, p));
            if (length >= MIN_MATCH) candidate = match_of(length, 1);
        }
        p += span(settle(r, p, candidate, candidate != 0, NULL));
    }
    return r->error;
}

/* Predictions as they were seen, `count` of them. */
static int64_t replay(run *r, int64_t count) {
    for (int64_t p = 0; !r->done && !r->error;) {
        if (r->seen_at >= count) return r->error = DAMAGED;
        uint32_t seen = r->seen[r->seen_at++];
        p += span(settle(r, p, seen & ((1u << DUE_SHIFT) - 1), (int)(seen >> TAKEN_SHIFT), NULL));
    }
    return r->error;
}

static int64_t go(run *r, int64_t seen) {
    if (r->restoring) {
        for (int class = 0; class < 4; class++)
            r->right[class] = next(&r->columns[class == 3 ? RIGHT_SPLIT : class], -1);
        r->stored_gap = next(&r->columns[STORED_GAP], -1);
    }
    open_block(r, 0);
    turn(r, 0);
    if (r->error || r->done) return r->error;
    if (r->restoring && r->seen) return replay(r, seen);
    if (r->how->predictor <= RUNS) return predict_plain(r);
    if (r->how->predictor >= LD_HASHED) return predict_libdeflate(r);
    return r->how->predictor < NG_QUICK ? predict_zlib(r) : predict_ng(r);
}

/* Compare the tokens of a stream with the predictor's. `columns` are described by the arrays
 * `counts` (set to how many values each has) and `room`; stops behind `stop` tokens or when more
 * than `budget` are wrong, each counted 1 to 5 times by what it
 * takes to tell. What was predicted at each token, those of stored blocks too, is kept in `seen`
 * unless that is null. Returns that count, or an error. */
EXPORT int64_t bitswap_predict(const uint8_t *data, int64_t size, const int64_t *how,
                               uint32_t *tokens, int64_t count, int32_t *blocks, int64_t rows,
                               int32_t *values, int64_t *counts, int64_t room, int64_t stop,
                               int64_t budget, uint32_t *seen) {
    column columns[COLUMNS + 1];
    for (int i = 0; i <= COLUMNS; i++) columns[i] = (column){values + i * room, 0, room, 0};
    run r = {.data = data,
             .size = size,
             .how = (const parameters *)how,
             .tokens = tokens,
             .capacity = count,
             .blocks = blocks,
             .row_capacity = rows,
             .columns = columns,
             .stop = stop < count ? stop : INT64_MAX,
             .budget = budget,
             .seen = seen};
    int64_t error = go(&r, 0);
    for (int i = 0; i <= COLUMNS; i++) counts[i] = columns[i].count;
    return error ? error : r.wrong;
}

/* Make tokens and blocks (of kinds STORED and, for those yet to be told, FIXED) of corrections.
 * Where `seen` is not null, its `seen_count` predictions are taken as they are, and a last column
 * has the distances that ranks stand for. Returns 0, with found = {tokens, blocks}, or an error. */
EXPORT int64_t bitswap_restore(const uint8_t *data, int64_t size, const int64_t *how,
                               int32_t *values, const int64_t *counts, const int64_t *starts,
                               uint32_t *tokens, int64_t capacity, int32_t *blocks, int64_t rows,
                               int64_t *found, uint32_t *seen, int64_t seen_count) {
    column columns[COLUMNS + 1];
    for (int i = 0; i <= COLUMNS; i++)
        columns[i] = (column){values + starts[i], counts[i], counts[i], 0};
    run r = {.data = data,
             .size = size,
             .how = (const parameters *)how,
             .restoring = 1,
             .tokens = tokens,
             .capacity = capacity,
             .blocks = blocks,
             .row_capacity = rows,
             .columns = columns,
             .stop = INT64_MAX,
             .budget = INT64_MAX,
             .seen = seen};
    int64_t error = go(&r, seen_count);
    found[0] = r.count;
    found[1] = r.rows;
    return error;
}

EXPORT int64_t bitswap_deflate_abi(void) { return ABI; }
