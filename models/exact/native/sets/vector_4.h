/* Vectors of 4 numbers of 32 bits, of NEON; see vector_1.h and, for what is less plain,
 * vector_8.h. */
typedef int32x4_t vector_4;
TARGET INLINE vector_4 fill_4(int32_t x) { return vdupq_n_s32(x); }
TARGET INLINE vector_4 load_4(const int32_t *p) { return vld1q_s32(p); }
TARGET INLINE vector_4 widen_4(const int16_t *p) { return vmovl_s16(vld1_s16(p)); }
TARGET INLINE vector_4 plus_4(vector_4 a, vector_4 b) { return vaddq_s32(a, b); }
TARGET INLINE vector_4 times_4(vector_4 a, vector_4 b) { return vmulq_s32(a, b); }
TARGET INLINE vector_4 shift_4(vector_4 a, int by) { return vshlq_s32(a, vdupq_n_s32(-by)); }
TARGET INLINE vector_4 least_4(vector_4 a, vector_4 b) { return vminq_s32(a, b); }
TARGET INLINE vector_4 most_4(vector_4 a, vector_4 b) { return vmaxq_s32(a, b); }
TARGET INLINE void store_4(int32_t *p, vector_4 a) { vst1q_s32(p, a); }
TARGET INLINE vector_4 pick_4(const int32_t *from, vector_4 at) {
    const int32_t picked[] = {from[vgetq_lane_s32(at, 0)], from[vgetq_lane_s32(at, 1)],
                              from[vgetq_lane_s32(at, 2)], from[vgetq_lane_s32(at, 3)]};
    return vld1q_s32(picked);
}
TARGET INLINE vector_4 where_4(vector_4 a, vector_4 b, vector_4 x) {
    return vandq_s32(vreinterpretq_s32_u32(vceqq_s32(a, b)), x);
}
TARGET INLINE int first_4(vector_4 a, vector_4 b) {
    uint16x4_t each = vmovn_u32(vceqq_s32(a, b));
    uint64_t equal = vget_lane_u64(vreinterpret_u64_u16(each), 0);
    return equal ? __builtin_ctzll(equal) / 16 : -1;
}
TARGET INLINE vector_4 largest_4(vector_4 a) { return vdupq_n_s32(vmaxvq_s32(a)); }
TARGET INLINE vector_4 total_4(vector_4 a) { return vdupq_n_s32(vaddvq_s32(a)); }
TARGET INLINE vector_4 quotient_4(vector_4 a, vector_4 b) {
    vector_4 whole = vcvtq_s32_f32(vdivq_f32(vcvtq_f32_s32(a), vcvtq_f32_s32(b)));
    return plus_4(whole, vreinterpretq_s32_u32(vcgtq_s32(times_4(whole, b), a)));
}
TARGET INLINE void words_4(char *to, vector_4 a) { vst1_s16((int16_t *)to, vqmovn_s32(a)); }
TARGET INLINE void active_4(char *to, vector_4 a, const int unit) {
    a = least_4(most_4(a, fill_4(0)), fill_4(ACTIVATION_MAX));
    if (unit == 2) {
        words_4(to, a);
    } else {
        int16x4_t half = vmovn_s32(a);
        uint32x2_t bytes = vreinterpret_u32_u8(vqmovun_s16(vcombine_s16(half, half)));
        uint32_t four = vget_lane_u32(bytes, 0);
        memcpy(to, &four, sizeof four);
    }
}
