/* Vectors of 1 number of 32 bits: what each of their functions does, in plain C.
 *
 * Templates name a function V(name), where WIDTH is how many numbers a vector has.
 */
typedef int32_t vector_1;
TARGET INLINE vector_1 fill_1(int32_t x) { return x; }
TARGET INLINE vector_1 load_1(const int32_t *p) { return *p; }
TARGET INLINE vector_1 widen_1(const int16_t *p) { return *p; }
TARGET INLINE vector_1 plus_1(vector_1 a, vector_1 b) { return a + b; }
TARGET INLINE vector_1 times_1(vector_1 a, vector_1 b) { return a * b; }
TARGET INLINE vector_1 shift_1(vector_1 a, int by) { return a >> by; }
TARGET INLINE vector_1 least_1(vector_1 a, vector_1 b) { return a < b ? a : b; }
TARGET INLINE vector_1 most_1(vector_1 a, vector_1 b) { return a > b ? a : b; }
TARGET INLINE void store_1(int32_t *p, vector_1 a) { *p = a; }
TARGET INLINE vector_1 pick_1(const int32_t *from, vector_1 at) { return from[at]; }
TARGET INLINE vector_1 where_1(vector_1 a, vector_1 b, vector_1 x) { return a == b ? x : 0; }
TARGET INLINE int first_1(vector_1 a, vector_1 b) { return a == b ? 0 : -1; }
TARGET INLINE vector_1 largest_1(vector_1 a) { return a; }
TARGET INLINE vector_1 total_1(vector_1 a) { return a; }
TARGET INLINE vector_1 quotient_1(vector_1 a, vector_1 b) { return a / b; }
TARGET INLINE void words_1(char *to, vector_1 a) { *(int16_t *)to = (int16_t)a; }
TARGET INLINE void active_1(char *to, vector_1 a, const int unit) {
    a = clip(a, 0, ACTIVATION_MAX);
    if (unit == 1) *(uint8_t *)to = (uint8_t)a;
    else words_1(to, a);
}
