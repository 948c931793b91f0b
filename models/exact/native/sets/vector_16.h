/* Vectors of 16 numbers of 32 bits, of AVX-512; see vector_1.h. What only mixtures need is not
 * here: theirs have 8. */
typedef __m512i vector_16;
TARGET INLINE vector_16 fill_16(int32_t x) { return _mm512_set1_epi32(x); }
TARGET INLINE vector_16 load_16(const int32_t *p) { return _mm512_loadu_si512(p); }
TARGET INLINE vector_16 widen_16(const int16_t *p) {
    return _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)p));
}
TARGET INLINE vector_16 plus_16(vector_16 a, vector_16 b) { return _mm512_add_epi32(a, b); }
TARGET INLINE vector_16 times_16(vector_16 a, vector_16 b) { return _mm512_mullo_epi32(a, b); }
TARGET INLINE vector_16 shift_16(vector_16 a, int by) {
    return _mm512_sra_epi32(a, _mm_cvtsi32_si128(by));
}
TARGET INLINE vector_16 least_16(vector_16 a, vector_16 b) { return _mm512_min_epi32(a, b); }
TARGET INLINE vector_16 most_16(vector_16 a, vector_16 b) { return _mm512_max_epi32(a, b); }
TARGET INLINE void words_16(char *to, vector_16 a) {
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtepi32_epi16(a));
}
TARGET INLINE void active_16(char *to, vector_16 a, const int unit) {
    if (unit == 2) words_16(to, least_16(most_16(a, fill_16(0)), fill_16(ACTIVATION_MAX)));
    else _mm_storeu_si128((__m128i *)to, _mm512_cvtusepi32_epi8(_mm512_max_epi32(a, fill_16(0))));
}
