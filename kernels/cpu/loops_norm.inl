// Norms, softmax and entropy. Sums of one row are taken in vectors and finished in lane order: the same bits for a row
// in any batch.
namespace {

template <class T>
void layerNorm(const void* xRaw, std::int64_t rows, std::int64_t c, const float* gamma, const float* beta, float eps,
               const float* scale, const float* shift, void* yRaw) {
    for (std::int64_t row = 0; row < rows; ++row) {
        const T* x = static_cast<const T*>(xRaw) + row * c;
        T* y = static_cast<T*>(yRaw) + row * c;
        Vec sum = set1(0.0f);
        eachVec(c, [&](std::int64_t i, int count) { sum = sum + load(x + i, count); });
        const float mean = sumOf(sum) / float(c);
        Vec squares = set1(0.0f);  // about the mean: one-pass variances cancel
        eachVec(c, [&](std::int64_t i, int count) {
            float d[vecWidth] = {};
            store(d, load(x + i, count) - set1(mean), count);
            const Vec v = count == vecWidth ? load(d) : load(d, count);
            squares = fma(v, v, squares);
        });
        const float inverse = 1.0f / sqrtf(sumOf(squares) / float(c) + eps);
        eachVec(c, [&](std::int64_t i, int count) {
            Vec v = (load(x + i, count) - set1(mean)) * set1(inverse);
            if (gamma) v = v * load(gamma + i, count);
            if (beta) v = v + load(beta + i, count);
            if (scale) v = fma(v, load(scale + i, count), v);
            if (shift) v = v + load(shift + i, count);
            store(y + i, v, count);
        });
    }
}

template <class T>
void rmsNorm(const void* xRaw, std::int64_t rows, std::int64_t c, const float* gamma, float eps, void* yRaw) {
    for (std::int64_t row = 0; row < rows; ++row) {
        const T* x = static_cast<const T*>(xRaw) + row * c;
        T* y = static_cast<T*>(yRaw) + row * c;
        Vec squares = set1(0.0f);
        eachVec(c, [&](std::int64_t i, int count) {
            const Vec v = load(x + i, count);
            squares = fma(v, v, squares);
        });
        const float inverse = 1.0f / sqrtf(sumOf(squares) / float(c) + eps);
        eachVec(c, [&](std::int64_t i, int count) {
            Vec v = load(x + i, count) * set1(inverse);
            if (gamma) v = v * load(gamma + i, count);
            store(y + i, v, count);
        });
    }
}

template <class T>
void channelSums(const void* xRaw, std::int64_t pixels, std::int64_t c, const float* pivot, float* sum,
                 float* squares) {
    const T* x = static_cast<const T*>(xRaw);
    eachVec(c, [&](std::int64_t i, int count) {
        const Vec p = load(pivot + i, count);
        Vec s = set1(0.0f), q = set1(0.0f);
        for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
            const Vec v = load(x + pixel * c + i, count) - p;
            s = s + v;
            q = fma(v, v, q);
        }
        store(sum + i, s, count);
        store(squares + i, q, count);
    });
}

template <class T>
void channelAffine(const void* xRaw, std::int64_t pixels, std::int64_t c, const float* scale, const float* shift,
                   Activation a, void* yRaw) {
    withActivation(a, [&]<Activation A>() {
        for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
            const T* x = static_cast<const T*>(xRaw) + pixel * c;
            T* y = static_cast<T*>(yRaw) + pixel * c;
            eachVec(c, [&](std::int64_t i, int count) {
                store(y + i, activate<A>(fma(load(x + i, count), load(scale + i, count), load(shift + i, count))),
                      count);
            });
        }
    });
}

float softmaxRow(float* s, std::int64_t n, float scale, const float* bias) {
    const std::int64_t padded = (n + vecWidth - 1) / vecWidth * vecWidth;
    for (std::int64_t i = n; i < padded; ++i) s[i] = -INFINITY;
    Vec top = set1(-3.402823466e38f);
    for (std::int64_t i = 0; i < padded; i += vecWidth) {
        Vec v = load(s + i) * set1(scale);
        if (bias) {
            v = v + load(bias + i, int(n - i < vecWidth ? n - i : vecWidth));
            store(s + i, v);
        }
        top = max(top, v);
    }
    const float highest = maxOf(top);
    if (highest < -3.0e38f) {  // every key masked
        std::memset(s, 0, std::size_t(padded) * sizeof(float));
        return 0.0f;
    }
    const Vec factor = set1(bias ? 1.0f : scale), offset = set1(-highest);
    Vec sum = set1(0.0f);
    for (std::int64_t i = 0; i < padded; i += vecWidth) {
        const Vec e = expOf(fma(load(s + i), factor, offset));
        store(s + i, e);
        sum = sum + e;
    }
    return sumOf(sum);
}

double entropy(const float* p, std::int64_t n) {
    double h = 0;
    for (std::int64_t i = 0; i < n; ++i)
        if (p[i] > 0) h -= double(p[i]) * double(logf(p[i]));
    return h;
}

}  // namespace
