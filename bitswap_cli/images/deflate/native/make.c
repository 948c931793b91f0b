/* The stream of a maker that needs no correction, tokens and bits in one call. */
#include "deflate.h"

/* Write the deflate stream that a predictor makes of `size` bytes, which PADDING zeros follow, with
 * `most` blocks or fewer. Returns its length, which is more than `room` if that was too little, or
 * an error. */
EXPORT int64_t bitswap_make(const uint8_t *data, int64_t size, const int64_t *how, int64_t most,
                            uint8_t *out, int64_t room) {
    int32_t nothing = 0;
    const int64_t none[COLUMNS + 1] = {0};
    int64_t found[2] = {0, 0}, result = NO_MEMORY;
    uint32_t *tokens = malloc(((size_t)size + 1) * sizeof *tokens);
    int32_t *blocks = calloc((size_t)most, 3 * sizeof *blocks);
    if (tokens && blocks) {
        result = bitswap_restore(data, size, how, &nothing, none, none, tokens, size, blocks, most,
                                 found, NULL, 0);
        if (!result)
            result = bitswap_write(data, tokens, blocks, found[1], ((const parameters *)how)->flags,
                                   &nothing, none, none, out, room);
    }
    free(tokens);
    free(blocks);
    return result;
}
