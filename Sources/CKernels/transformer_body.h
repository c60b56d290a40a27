// The body of one fast table of transformer.c. Included once per register width, with
//   LANES   floats in a register
//   TABLE   the name of the table to define
// and inside the attribute that allows the instructions. Tails go to the plain functions' formulas.

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define F(name) JOIN(TABLE, name)
#define STRING2(a) #a
#define STRING(a) STRING2(a)
#define V F(floats)
#define I F(ints)
#define INLINE static inline __attribute__((always_inline))

typedef float V __attribute__((vector_size(LANES * 4)));
typedef int32_t I __attribute__((vector_size(LANES * 4)));

INLINE V F(load)(const float *p) {
    V v;
    memcpy(&v, p, sizeof v);
    return v;
}

// The first n lanes, zero in the rest.
INLINE V F(load_some)(const float *p, size_t n) {
    V v = {0};
    memcpy(&v, p, n * 4);
    return v;
}

INLINE void F(store)(float *p, V v) { memcpy(p, &v, sizeof v); }
INLINE V F(all)(float x) { return x - (V){0}; }
INLINE V F(fma)(V a, V b, V c) { return __builtin_elementwise_fma(a, b, c); }
INLINE V F(clamp)(V x, float low, float high) {
    return __builtin_elementwise_min(__builtin_elementwise_max(x, F(all)(low)), F(all)(high));
}

INLINE float F(sum)(V v) {
    float s[LANES];
    memcpy(s, &v, sizeof v);
    for (int n = LANES / 2; n; n /= 2)
        for (int i = 0; i < n; i++) s[i] += s[i + n];
    return s[0];
}

INLINE float F(top)(V v) {
    float s[LANES];
    memcpy(s, &v, sizeof v);
    for (int n = LANES / 2; n; n /= 2)
        for (int i = 0; i < n; i++) s[i] = s[i] > s[i + n] ? s[i] : s[i + n];
    return s[0];
}

// eˣ = 2ⁿ·eʳ, |r| ≤ ln2/2, polynomial of degree 6 (Cephes expf.c). Adding 1.5·2²³
// rounds to an integer whose low bits then are n, ready to be added to the exponent. Below −87
// the result would be subnormal; it stays at e⁻⁸⁷, which no sum of a softmax notices.
INLINE V F(exp)(V x) {
    x = F(clamp)(x, -87.0f, 88.0f);
    V shifted = F(fma)(x, F(all)(1.44269504088896341f), F(all)(12582912.0f));
    V n = shifted - 12582912.0f;
    V r = F(fma)(n, F(all)(-0.693359375f), x);
    r = F(fma)(n, F(all)(2.12194440e-4f), r);
    V p = F(all)(1.9875691500e-4f);
    p = F(fma)(p, r, F(all)(1.3981999507e-3f));
    p = F(fma)(p, r, F(all)(8.3334519073e-3f));
    p = F(fma)(p, r, F(all)(4.1665795894e-2f));
    p = F(fma)(p, r, F(all)(1.6666665459e-1f));
    p = F(fma)(p, r, F(all)(5.0000001201e-1f));
    p = F(fma)(p, r * r, r + 1.0f);
    return (V)((I)p + ((I)shifted << 23));
}

// erf as x·P(x²)/Q(x²) on [−4, 4], where it reaches ±1 in fp32: the minimax fit that Eigen and XLA
// use. TransformerKernelTests holds the GELU made of it to 1e-6 against erf in double.
INLINE V F(erf)(V x) {
    x = F(clamp)(x, -4.0f, 4.0f);
    V y = x * x;
    V p = F(all)(-2.72614225801306e-10f);
    p = F(fma)(p, y, F(all)(2.77068142495902e-08f));
    p = F(fma)(p, y, F(all)(-2.10102402082508e-06f));
    p = F(fma)(p, y, F(all)(-5.69250639462346e-05f));
    p = F(fma)(p, y, F(all)(-7.34990630326855e-04f));
    p = F(fma)(p, y, F(all)(-2.95459980854025e-03f));
    p = F(fma)(p, y, F(all)(-1.60960333262415e-02f));
    V q = F(all)(-1.45660718464996e-05f);
    q = F(fma)(q, y, F(all)(-2.13374055278905e-04f));
    q = F(fma)(q, y, F(all)(-1.68282697438203e-03f));
    q = F(fma)(q, y, F(all)(-7.37332916720468e-03f));
    q = F(fma)(q, y, F(all)(-1.42647390514189e-02f));
    return x * p / q;
}

static void F(add_bias)(float *x, const float *bias, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++, x += columns) {
        size_t c = 0;
        for (; c + LANES <= columns; c += LANES)
            F(store)(x + c, F(load)(x + c) + F(load)(bias + c));
        plain_add_bias(x + c, bias + c, 1, columns - c);
    }
}

static void F(bias_gelu)(float *x, const float *bias, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++, x += columns) {
        size_t c = 0;
        for (; c + LANES <= columns; c += LANES) {
            V v = F(load)(x + c) + F(load)(bias + c);
            V half = v * 0.5f;
            F(store)(x + c, F(fma)(half, F(erf)(v * 0.70710678118654752f), half));
        }
        plain_bias_gelu(x + c, bias + c, 1, columns - c);
    }
}

static void F(add_norm)(float *x, const float *y, const float *bias, const float *gamma,
                        const float *beta, float epsilon, size_t rows, size_t columns) {
    size_t whole = columns / LANES * LANES;
    for (size_t r = 0; r < rows; r++, x += columns) {
        V sums = {0};
        float sum = 0, squares = 0;
        for (size_t c = 0; c < whole; c += LANES) {
            V v = F(load)(x + c);
            if (y) F(store)(x + c, v += F(load)(y + r * columns + c) + F(load)(bias + c));
            sums += v;
        }
        for (size_t c = whole; c < columns; c++) {
            if (y) x[c] += y[r * columns + c] + bias[c];
            sum += x[c];
        }
        float mean = (F(sum)(sums) + sum) / (float)columns;
        sums = (V){0};
        for (size_t c = 0; c < whole; c += LANES) {
            V d = F(load)(x + c) - mean;
            sums = F(fma)(d, d, sums);
        }
        for (size_t c = whole; c < columns; c++) squares += (x[c] - mean) * (x[c] - mean);
        float inverse = 1.0f / sqrtf((F(sum)(sums) + squares) / (float)columns + epsilon);
        for (size_t c = 0; c < whole; c += LANES)
            F(store)(x + c, F(fma)((F(load)(x + c) - mean) * inverse, F(load)(gamma + c),
                                   F(load)(beta + c)));
        for (size_t c = whole; c < columns; c++)
            x[c] = (x[c] - mean) * inverse * gamma[c] + beta[c];
    }
}

// Exponentials of one row in place; returns their sum. Not yet divided, so that attention can
// divide `width` results instead of `length` scores.
INLINE float F(exponentials)(float *x, float scale, size_t columns) {
    size_t whole = columns / LANES * LANES;
    V tops = F(all)(-INFINITY), sums = {0};
    float top = -INFINITY, sum = 0;
    for (size_t c = 0; c < whole; c += LANES)
        tops = __builtin_elementwise_max(tops, F(load)(x + c));
    for (size_t c = whole; c < columns; c++) top = fmaxf(top, x[c]);
    top = fmaxf(top, F(top)(tops));
    for (size_t c = 0; c < whole; c += LANES) {
        V e = F(exp)((F(load)(x + c) - top) * scale);
        F(store)(x + c, e);
        sums += e;
    }
    if (whole < columns) {
        V e = F(exp)((F(load_some)(x + whole, columns - whole) - top) * scale);
        memcpy(x + whole, &e, (columns - whole) * 4);
        for (size_t c = whole; c < columns; c++) sum += x[c];
    }
    return F(sum)(sums) + sum;
}

static void F(softmax)(float *x, float scale, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++, x += columns) {
        float inverse = 1.0f / F(exponentials)(x, scale, columns);
        for (size_t c = 0; c < columns; c++) x[c] *= inverse;
    }
}

// scores[i][j] = q[i]·k[j] for QUERIES queries against two registers of keys: 12 sums, and per
// component two loads and six broadcasts. The compiler unrolls the constant loops.
INLINE void F(scores)(const float *q, size_t stride, const float *keys, size_t pitch, size_t width,
                      float *scores, size_t queries) {
    V s[TILE_QUERIES][2] = {0};
    for (size_t d = 0; d < width; d++) {
        V k0 = F(load)(keys + d * pitch), k1 = F(load)(keys + d * pitch + LANES);
        for (size_t i = 0; i < queries; i++) {
            V one = F(all)(q[i * stride + d]);
            s[i][0] = F(fma)(one, k0, s[i][0]);
            s[i][1] = F(fma)(one, k1, s[i][1]);
        }
    }
    for (size_t i = 0; i < queries; i++) {
        F(store)(scores + i * pitch, s[i][0]);
        F(store)(scores + i * pitch + LANES, s[i][1]);
    }
}

// out[i] = Σⱼ weights[i][j]·v[j], over two registers of components.
INLINE void F(mix)(const float *weights, size_t pitch, const float *v, size_t stride,
                   size_t length, const float *inverse, float *out, size_t out_stride,
                   size_t queries) {
    V s[TILE_QUERIES][2] = {0};
    for (size_t j = 0; j < length; j++) {
        V v0 = F(load)(v + j * stride), v1 = F(load)(v + j * stride + LANES);
        for (size_t i = 0; i < queries; i++) {
            V one = F(all)(weights[i * pitch + j]);
            s[i][0] = F(fma)(one, v0, s[i][0]);
            s[i][1] = F(fma)(one, v1, s[i][1]);
        }
    }
    for (size_t i = 0; i < queries; i++) {
        F(store)(out + i * out_stride, s[i][0] * inverse[i]);
        F(store)(out + i * out_stride + LANES, s[i][1] * inverse[i]);
    }
}

INLINE void F(attend)(const float *q, const float *v, size_t stride, size_t length, size_t width,
                      float scale, float *out, size_t out_stride, const float *keys, size_t pitch,
                      float *scores, size_t queries) {
    float inverse[TILE_QUERIES];
    for (size_t j = 0; j < length; j += 2 * LANES)
        F(scores)(q, stride, keys + j, pitch, width, scores + j, queries);
    for (size_t i = 0; i < queries; i++)
        inverse[i] = 1.0f / F(exponentials)(scores + i * pitch, scale, length);
    for (size_t d = 0; d < width; d += 2 * LANES)
        F(mix)(scores, pitch, v + d, stride, length, inverse, out + d, out_stride, queries);
}

// Heads of a width that is no whole number of register pairs (none of the BERT family's 32 and 64)
// take the plain way.
static void F(attention)(const float *q, const float *k, const float *v, size_t stride,
                         size_t length, size_t width, float scale, float *out, size_t out_stride,
                         float *scratch) {
    if (width % (2 * LANES)) {
        plain_attention(q, k, v, stride, length, width, scale, out, out_stride, scratch);
        return;
    }
    size_t pitch = padded(length);
    float *keys = scratch, *scores = scratch + pitch * width;
    for (size_t d = 0; d < width; d++) {
        for (size_t j = 0; j < length; j++) keys[d * pitch + j] = k[j * stride + d];
        memset(keys + d * pitch + length, 0, (pitch - length) * 4);
    }
    size_t i = 0;
    for (; i + TILE_QUERIES <= length; i += TILE_QUERIES)
        F(attend)(q + i * stride, v, stride, length, width, scale, out + i * out_stride, out_stride,
                  keys, pitch, scores, TILE_QUERIES);
    for (; i < length; i++)
        F(attend)(q + i * stride, v, stride, length, width, scale, out + i * out_stride, out_stride,
                  keys, pitch, scores, 1);
}

static const struct carrel_transformer_kernels TABLE = {
    STRING(TABLE), F(add_bias), F(bias_gelu), F(add_norm), F(softmax), F(attention)};

#undef JOIN2
#undef JOIN
#undef F
#undef STRING2
#undef STRING
#undef V
#undef I
#undef INLINE
#undef LANES
#undef TABLE
