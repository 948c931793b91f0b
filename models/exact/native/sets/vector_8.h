/* Vectors of 8 numbers of 32 bits, of AVX2; see vector_1.h. */
typedef __m256i vector_8;
TARGET INLINE vector_8 fill_8(int32_t x) { return _mm256_set1_epi32(x); }
TARGET INLINE vector_8 load_8(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
TARGET INLINE vector_8 widen_8(const int16_t *p) {
    return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)p));
}
TARGET INLINE vector_8 plus_8(vector_8 a, vector_8 b) { return _mm256_add_epi32(a, b); }
TARGET INLINE vector_8 times_8(vector_8 a, vector_8 b) { return _mm256_mullo_epi32(a, b); }
TARGET INLINE vector_8 shift_8(vector_8 a, int by) {
    return _mm256_sra_epi32(a, _mm_cvtsi32_si128(by));
}
TARGET INLINE vector_8 least_8(vector_8 a, vector_8 b) { return _mm256_min_epi32(a, b); }
TARGET INLINE vector_8 most_8(vector_8 a, vector_8 b) { return _mm256_max_epi32(a, b); }
TARGET INLINE void store_8(int32_t *p, vector_8 a) { _mm256_storeu_si256((__m256i *)p, a); }
TARGET INLINE vector_8 pick_8(const int32_t *from, vector_8 at) {
    return _mm256_i32gather_epi32(from, at, 4);
}
/* x where a is b, else 0. */
TARGET INLINE vector_8 where_8(vector_8 a, vector_8 b, vector_8 x) {
    return _mm256_and_si256(_mm256_cmpeq_epi32(a, b), x);
}
/* The first place where a is b, or -1. */
TARGET INLINE int first_8(vector_8 a, vector_8 b) {
    int equal = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)));
    return equal ? __builtin_ctz((unsigned)equal) : -1;
}
/* In every place: the largest of all, their sum. */
TARGET INLINE vector_8 largest_8(vector_8 a) {
    a = most_8(a, _mm256_permute2x128_si256(a, a, 1));
    a = most_8(a, _mm256_shuffle_epi32(a, 0x4e));
    return most_8(a, _mm256_shuffle_epi32(a, 0xb1));
}
TARGET INLINE vector_8 total_8(vector_8 a) {
    a = plus_8(a, _mm256_permute2x128_si256(a, a, 1));
    a = plus_8(a, _mm256_shuffle_epi32(a, 0x4e));
    return plus_8(a, _mm256_shuffle_epi32(a, 0xb1));
}
/* a / b for 0 <= a <= 2^24, 0 < b < 2^24: exact in float, but rounded up to an integer, perhaps. */
TARGET INLINE vector_8 quotient_8(vector_8 a, vector_8 b) {
    __m256 ratio = _mm256_div_ps(_mm256_cvtepi32_ps(a), _mm256_cvtepi32_ps(b));
    vector_8 whole = _mm256_cvttps_epi32(ratio);
    return plus_8(whole, _mm256_cmpgt_epi32(times_8(whole, b), a));
}
TARGET INLINE __m128i packed_8(vector_8 a) {
    return _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}
TARGET INLINE void words_8(char *to, vector_8 a) { _mm_storeu_si128((__m128i *)to, packed_8(a)); }
TARGET INLINE void active_8(char *to, vector_8 a, const int unit) {
    if (unit == 2) words_8(to, least_8(most_8(a, fill_8(0)), fill_8(ACTIVATION_MAX)));
    else _mm_storel_epi64((__m128i *)to, _mm_packus_epi16(packed_8(a), packed_8(a)));
}
