/* The pixel VAE's mixtures; a set of instructions includes this with
 *   TARGET  the attribute of every function,
 *   WIDTH   numbers of a vector.
 */
#include "pixels/pixels.h"
#include "templates/vectors.h"

/* memcpy, without a call for the few numbers that a mixture has. */
INLINE void copy_numbers(int32_t *to, const int32_t *from, int64_t n) {
    if (n > 8) memcpy(to, from, (size_t)n * sizeof *to);
    else if (n >= 4) memcpy(to, from, 16), memcpy(to + n - 4, from + n - 4, 16);
    else if (n >= 2) memcpy(to, from, 8), memcpy(to + n - 2, from + n - 2, 8);
    else *to = *from;
}

/* What a head says of a channel of one pixel -> its mixture, `parts` vectors of components. Places
 * after the last component, whose logits `highest` keeps lowest, have a weight of 0. */
TARGET INLINE void mix_one(const network *n, const pool *all, int64_t at, const int channel,
                           const int parts, const int16_t *out, const int32_t *highest,
                           const mixtures *to) {
    enum { MOST = MAX_COMPONENTS / WIDTH };
    static const int32_t places[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const int64_t components = n->components, room = all->room;
    const int16_t *anchors = all->anchors + at * n->channels * MAX_COMPONENTS;
    const int16_t *anchor = anchors + channel * MAX_COMPONENTS;
    const int16_t *skip = all->skip + at * n->skip->panels * OUTPUTS + channel * components;
    const V(vector) low = V(fill)(LOGIT_LOW);
    V(vector) logit[MOST], share[MOST], largest = low, sum = V(fill)(0), whole = sum;
    int32_t weight[MAX_COMPONENTS], mean[MAX_COMPONENTS], scale[MAX_COMPONENTS];
    for (int v = 0; v < parts; v++) {
        logit[v] = V(most)(V(widen)(out + v * WIDTH), low);
        logit[v] = V(least)(logit[v], V(load)(highest + v * WIDTH));
        largest = V(most)(largest, logit[v]);
    }
    largest = V(largest)(largest);
    for (int v = 0; v < parts; v++) {
        V(vector) below = V(plus)(largest, V(times)(logit[v], V(fill)(-1)));
        V(vector) none = V(where)(V(load)(highest + v * WIDTH), low, V(fill)(1));
        share[v] = V(pick)(n->powers, below);
        share[v] = V(where)(none, V(fill)(0), share[v]);
        sum = V(plus)(sum, share[v]);
    }
    sum = V(total)(sum);
    for (int v = 0; v < parts; v++) {
        share[v] = V(quotient)(V(times)(share[v], V(fill)(WEIGHTS)), sum);
        whole = V(plus)(whole, share[v]);
    }
    V(vector) rest = V(plus)(V(fill)(WEIGHTS), V(times)(V(total)(whole), V(fill)(-1)));
    for (int v = 0; v < parts; v++) {
        int first = V(first)(logit[v], largest);
        if (first >= 0) {
            V(vector) mine = V(where)(V(load)(places), V(fill)(first), rest);
            share[v] = V(plus)(share[v], mine);
            rest = V(fill)(0);
        }
        V(store)(weight + v * WIDTH, share[v]);
    }
    for (int v = 0; v < parts; v++) {
        const int64_t k = v * WIDTH;
        V(vector) shift = V(fill)(0), base, value;
        for (int j = 0; j < channel; j++) {
            V(vector) gain = CLIP(V(widen)(out + (3 + j) * components + k), -MAX_GAIN, MAX_GAIN);
            V(vector) mine = V(widen)(anchors + j * MAX_COMPONENTS + k);
            V(vector) known = V(fill)(all->known[j * room + at]);
            mine = V(plus)(known, V(times)(mine, V(fill)(-1)));
            shift = V(plus)(shift, V(times)(gain, mine));
        }
        base = V(times)(V(widen)(anchor + k), V(fill)(16));
        base = V(plus)(V(plus)(base, V(widen)(skip + k)), V(shift)(shift, 2));
        value = V(plus)(V(widen)(out + components + k), base);
        V(store)(mean + k, CLIP(value, -MEAN_LIMIT, MEAN_LIMIT));
        value = V(widen)(out + 2 * components + k);
        V(store)(scale + k, CLIP(value, 0, SCALE_LEVELS - 1));
    }
    const int64_t symbol = all->at[channel * room + at] * components;
    copy_numbers(to->weight + symbol, weight, components);
    copy_numbers(to->mean + symbol, mean, components);
    copy_numbers(to->scale + symbol, scale, components);
}
TARGET static void mix(const network *n, const pool *all, int64_t first, int count, int channel,
                       const int16_t *out, const mixtures *to) {
    const int64_t stride = n->heads->panels * OUTPUTS, k = n->components;
    const int parts = (int)((k + WIDTH - 1) / WIDTH);
    int32_t highest[MAX_COMPONENTS];
    for (int i = 0; i < MAX_COMPONENTS; i++) highest[i] = i < k ? LOGIT_HIGH : LOGIT_LOW;
    for (int64_t i = 0; i < count; i++, out += stride)
        if (parts == 1) mix_one(n, all, first + i, channel, 1, out, highest, to);
        else mix_one(n, all, first + i, channel, parts, out, highest, to);
}

#undef WIDTH
