// The product kernel: kernelRows × (kernelVectors vectors) sums in registers.
namespace {

#if defined(__AVX512F__)
constexpr int kernelRows = 8, kernelVectors = 3, kernelDepth = 128;
#else
constexpr int kernelRows = 6, kernelVectors = 2, kernelDepth = 256;
#endif

using meander::kernels::GemmBlock;

template <int R, int V>
void gemmTile(const GemmBlock& g, const float* const* rows, const float* b, float* out) {
    Vec acc[R][V];
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) acc[r][v] = g.accumulate ? load(out + r * g.accStride + v * vecWidth) : set1(0.0f);
    for (int tap = 0; tap < g.taps; ++tap) {
        const float* a[R];
        for (int r = 0; r < R; ++r) a[r] = rows[std::int64_t(tap) * g.rowStride + r] + g.offset;
        for (std::int64_t k = 0; k < g.depth; ++k) {
            Vec bv[V];
            for (int v = 0; v < V; ++v) bv[v] = load(b + v * vecWidth);
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

template <int V>
Tile tileFor(int rows) {
    switch (rows) {
        case 1: return gemmTile<1, V>;
        case 2: return gemmTile<2, V>;
        case 3: return gemmTile<3, V>;
        case 4: return gemmTile<4, V>;
        case 5: return gemmTile<5, V>;
        case 6: return gemmTile<6, V>;
#if defined(__AVX512F__)
        case 7: return gemmTile<7, V>;
        case 8: return gemmTile<8, V>;
#endif
    }
    return nullptr;
}

Tile tileFor(int rows, int vectors) {
    switch (vectors) {
        case 1: return tileFor<1>(rows);
        case 2: return tileFor<2>(rows);
#if defined(__AVX512F__)
        case 3: return tileFor<3>(rows);
#endif
    }
    return nullptr;
}

// The panel outside, so that it stays in the first cache while all rows pass by.
void gemm(const GemmBlock& g) {
    constexpr int nr = kernelVectors * vecWidth;
    const float* panel = g.panels;
    for (std::int64_t column = 0; column < g.columns; column += nr, panel += g.panelStride) {
        const std::int64_t left = g.columns - column;
        const int vectors = left >= nr ? kernelVectors : int((left + vecWidth - 1) / vecWidth);
        const Tile full = tileFor(kernelRows, vectors);
        // A narrow last panel has its own depth stride: the caller's pointer is for full ones.
        for (int row = 0; row < g.rowCount; row += kernelRows) {
            const int count = g.rowCount - row < kernelRows ? g.rowCount - row : kernelRows;
            const Tile tile = count == kernelRows ? full : tileFor(count, vectors);
            tile(g, g.rows + row, panel, g.acc + row * g.accStride + column);
        }
    }
}

}  // namespace
