/* The coder's loops for every processor; of those of ARM, NEON is compiled from them: their table
 * lookups have no other form there. */
#define TARGET
#include "inversion.h"

#define MIXTURES_OF block_of_mixtures
#define ROW_OF invert_row
#include "loops.h"

const logistics bitswap_logistics_plain = {push, pop, intervals};
