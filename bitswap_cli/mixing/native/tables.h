/* The numbers of mixing, and the tables that Python hands over.
 *
 * What is computed here Python defines, see mixing.py. Right shifts of negative numbers are
 * arithmetic; hashes wrap.
 */
#ifndef BITSWAP_MIXING_TABLES_H
#define BITSWAP_MIXING_TABLES_H

#include <stdint.h>

enum { LIMIT = 2815, SPAN = 2 * LIMIT + 1 }; /* logits, in 1/256 */
enum { REACH = 4096 };                       /* of the sigmoid, in 1/256 */
enum { COUNTS = 16, LEVELS = 24, STATES = COUNTS * LEVELS }; /* what a slot says */
enum { STEPS = 33, STEP = 2 * LIMIT / (STEPS - 1) };         /* of a refinement */
enum { INPUTS = 32, MOST_SETS = 3 };

/* Those of tables.py, in the order of its `Tables`. */
typedef struct {
    const int16_t *logit;     /* of probabilities of 16 bits */
    const int32_t *squashed;  /* logits back to them, from -LIMIT on */
    const int32_t *sigmoid;   /* 2^16 sigmoid(i / 256), from -REACH on */
    const uint8_t *level;     /* of probabilities of 12 bits, what a slot tells of its own */
    const int32_t *rate;      /* 2^16 / (n + 1.6) for counts below 1024 */
    const int32_t *slot_rate; /* likewise for a slot's count, below 16 */
    const int32_t *cost;      /* bits in 1/4096, of probabilities of 12 bits */
} tables;

#endif
