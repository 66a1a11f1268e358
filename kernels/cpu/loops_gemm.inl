// The product kernel: kernelRows × (kernelVectors vectors) sums in registers.
namespace {

#if defined(__AVX512F__)
constexpr int kernelRows = 8, kernelVectors = 3, kernelDepth = 192;
// So many rows of a panel are asked for ahead: 4 to 6 % of the speed of a product whose weights come from the second
// cache or beyond.
constexpr int prefetchRows = 16;
inline void prefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }
#else
constexpr int kernelRows = 6, kernelVectors = 2, kernelDepth = 384;
constexpr int prefetchRows = 0;
inline void prefetch(const float*) {}
#endif

using meander::kernels::GemmBlock;

template <int R, int V> void gemmTile(const GemmBlock& g, const float* const* rows, const float* b, float* out) {
    Vec acc[R][V];
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) acc[r][v] = g.accumulate ? load(out + r * g.accStride + v * vecWidth) : set1(0.0f);
    for (int tap = 0; tap < g.taps; ++tap) {
        const float* a[R];
        for (int r = 0; r < R; ++r) a[r] = rows[std::int64_t(tap) * g.rowStride + r] + g.offset;
        for (std::int64_t k = 0; k < g.depth; ++k) {
            Vec bv[V];
            for (int v = 0; v < V; ++v) bv[v] = load(b + v * vecWidth);
            for (int v = 0; v < V; ++v) prefetch(b + (prefetchRows * V + v) * vecWidth);
            b += V * vecWidth;
            for (int r = 0; r < R; ++r) {
                const Vec av = set1(a[r][k]);
                for (int v = 0; v < V; ++v) acc[r][v] = fma(av, bv[v], acc[r][v]);
            }
        }
    }
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) store(out + r * g.accStride + v * vecWidth, acc[r][v]);
}

using Tile = void (*)(const GemmBlock&, const float* const*, const float*, float*);

// Rows of one pass: enough sums in flight to hide the latency of a multiply-add, also over a narrow panel.
constexpr int rowsFor(int vectors) { return vectors == 1 && kernelRows == 6 ? 12 : kernelRows; }

template <int V, int R = rowsFor(V)> Tile tileFor(int rows) {
    if (rows == R) return gemmTile<R, V>;
    if constexpr (R > 1) return tileFor<V, R - 1>(rows);
    else return nullptr;
}

Tile tileFor(int rows, int vectors) {
    if (vectors == 1) return tileFor<1>(rows);
    if constexpr (kernelVectors > 2)
        if (vectors == 3) return tileFor<kernelVectors>(rows);
    return tileFor<2>(rows);
}

// One or two rows read each weight once: several panels side by side hide the latency that few sums cannot.
template <int R> std::int64_t gemmFew(const GemmBlock& g) {
    constexpr int V = kernelVectors, nr = V * vecWidth, P = R == 1 ? 4 : 2;
    std::int64_t column = 0;
    for (; column + P * nr <= g.columns; column += P * nr) {
        const float* b = g.panels + column / nr * g.panelStride + g.panelDepth * nr;
        Vec acc[R][P][V];
        for (int r = 0; r < R; ++r)
            for (int p = 0; p < P; ++p)
                for (int v = 0; v < V; ++v)
                    acc[r][p][v] =
                        g.accumulate ? load(g.acc + r * g.accStride + column + p * nr + v * vecWidth) : set1(0.0f);
        for (int tap = 0; tap < g.taps; ++tap)
            for (std::int64_t k = g.offset; k < g.offset + g.depth; ++k, b += nr)
                for (int r = 0; r < R; ++r) {
                    const Vec av = set1(g.rows[std::int64_t(tap) * g.rowStride + r][k]);
                    for (int p = 0; p < P; ++p)
                        for (int v = 0; v < V; ++v)
                            acc[r][p][v] = fma(av, load(b + p * g.panelStride + v * vecWidth), acc[r][p][v]);
                }
        for (int r = 0; r < R; ++r)
            for (int p = 0; p < P; ++p)
                for (int v = 0; v < V; ++v)
                    store(g.acc + r * g.accStride + column + p * nr + v * vecWidth, acc[r][p][v]);
    }
    return column;
}

// The panel outside, so that it stays in the first cache while all rows pass by.
void gemm(const GemmBlock& g) {
    constexpr int nr = kernelVectors * vecWidth;
    std::int64_t column = g.rowCount == 1 ? gemmFew<1>(g) : g.rowCount == 2 ? gemmFew<2>(g) : 0;
    const float* panel = g.panels + column / nr * g.panelStride;
    for (; column < g.columns; column += nr, panel += g.panelStride) {
        const std::int64_t left = g.columns - column;
        const int vectors = left >= nr ? kernelVectors : int((left + vecWidth - 1) / vecWidth), rows = rowsFor(vectors);
        const Tile full = tileFor(rows, vectors);
        const float* b = panel + g.panelDepth * vectors * vecWidth;  // the last panel may be narrower
        for (int row = 0; row < g.rowCount; row += rows) {
            const int count = g.rowCount - row < rows ? g.rowCount - row : rows;
            const Tile tile = count == rows ? full : tileFor(count, vectors);
            tile(g, g.rows + row, b, g.acc + row * g.accStride + column);
        }
    }
}

}  // namespace
