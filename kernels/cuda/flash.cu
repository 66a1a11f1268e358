// Tiled attention that never stores the scores (Dao et al., "FlashAttention", 2022; the online softmax of Milakov and
// Gimelshein, 2018), on
// tensor cores through WMMA, the portable interface: the same source from Turing to Blackwell.
//
// A block takes 64 queries of one head; each of its four warps takes 16 of them. It walks over the keys 64 at a time:
//   S = Q Kᵀ (registers → shared), softmax of the tile in F32 with the running maximum and sum, P (half) → shared, O =
//       O · α + P V.
// Q stays in registers as fragments, O too. WMMA does not say which thread holds which element, so to scale the rows
// of O by α each thread
// first learns the row of each of its elements: it loads a tile that contains row numbers (`rowOf`).
// K and V share one tile of shared memory, which keeps the block below 48 KB for the widest heads.
//
// Heads narrower than the template's D are padded with zeros in shared memory; d and dv may differ.
#include <mma.h>

#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

constexpr int warps = 4, flashThreads = warps * 32, tileQueries = warps * 16, tileKeys = 64;
constexpr int scoreStride = tileKeys + 4,
              probabilityStride = tileKeys + 8;  // in elements; odd multiples of 16 bytes keep the banks apart

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
constexpr bool hasBf16TensorCores = false;
#else
constexpr bool hasBf16TensorCores = true;
#endif

struct FlashArguments {
    const void *q, *k, *v;
    void* y;
    const float* keyBias;  // (batch, keys) or null
    std::int64_t queries, keys, queryTiles;
    std::int64_t qStride, kStride, vStride, yStride;  // elements from token to token
    std::int64_t qImage, kImage, vImage, yImage;      // and from image to image
    int heads, d, dv;
    float scale;
    bool causal, vectorised;  // all rows may be read 16 bytes at a time
};

// 64 rows of a matrix → shared memory (64, D), rows D + 8 apart; zeros beyond `rows` and `columns`.
template <class T, int D>
__device__ inline void loadTile(const T* from, std::int64_t stride, std::int64_t rows, int columns, bool vectorised,
                                T* to) {
    constexpr int N = 8, packsPerRow = D / N;
    for (int i = int(threadIdx.x); i < 64 * packsPerRow; i += flashThreads) {
        const int row = i / packsPerRow, column = i % packsPerRow * N;
        Pack<T, N> pack;
        if (vectorised && row < rows && column < columns) {  // columns is a multiple of 8 then
            pack = *reinterpret_cast<const Pack<T, N>*>(from + row * stride + column);
        } else {
#pragma unroll
            for (int k = 0; k < N; ++k)
                pack.at[k] = row < rows && column + k < columns ? from[row * stride + column + k] : fromReal<T>(0.0f);
        }
        *reinterpret_cast<Pack<T, N>*>(to + row * (D + 8) + column) = pack;
    }
}

template <class T, int D> __device__ void flash(const FlashArguments& a) {
    using namespace nvcuda;
    constexpr int stride = D + 8, slices = D / 16;
    alignas(32) __shared__ T tile[tileKeys * stride];
    alignas(32) __shared__ float scores[warps][16 * scoreStride];
    alignas(32) __shared__ T probabilities[warps][16 * probabilityStride];
    __shared__ float rowFactor[warps][16];

    const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
    const std::int64_t headIndex = blockIdx.x / a.queryTiles, firstQuery = blockIdx.x % a.queryTiles * tileQueries;
    const std::int64_t image = headIndex / a.heads, head = headIndex % a.heads;
    const T* q = static_cast<const T*>(a.q) + image * a.qImage + firstQuery * a.qStride + head * a.d;
    const T* k = static_cast<const T*>(a.k) + image * a.kImage + head * a.d;
    const T* v = static_cast<const T*>(a.v) + image * a.vImage + head * a.dv;
    float* myScores = scores[warp];
    T* myProbabilities = probabilities[warp];

    // Queries to fragments, through the tile that keys and values use later.
    loadTile<T, D>(q, a.qStride, a.queries - firstQuery, a.d, a.vectorised, tile);
    __syncthreads();
    wmma::fragment<wmma::matrix_a, 16, 16, 16, T, wmma::row_major> query[slices];
#pragma unroll
    for (int i = 0; i < slices; ++i) wmma::load_matrix_sync(query[i], tile + warp * 16 * stride + i * 16, stride);

    wmma::fragment<wmma::accumulator, 16, 16, 16, float> out[slices], rowOf;
#pragma unroll
    for (int i = 0; i < slices; ++i) wmma::fill_fragment(out[i], 0.0f);
    for (int i = lane; i < 256; i += 32) myScores[i / 16 * scoreStride + i % 16] = float(i / 16);
    __syncwarp();
    wmma::load_matrix_sync(rowOf, myScores, scoreStride, wmma::mem_row_major);
    __syncthreads();  // all queries are in registers: the tile is free

    // Two lanes share a row of the softmax: lane 2r takes the even columns, lane 2r + 1 the odd ones; both keep its
    // maximum and sum.
    const int row = lane / 2, side = lane % 2;
    const std::int64_t myQuery = firstQuery + warp * 16 + row;
    float largest = -INFINITY, total = 0.0f;
    const std::int64_t seen = firstQuery + tileQueries, lastKey = a.causal && seen < a.keys ? seen : a.keys;
    for (std::int64_t firstKey = 0; firstKey < lastKey; firstKey += tileKeys) {
        loadTile<T, D>(k + firstKey * a.kStride, a.kStride, a.keys - firstKey, a.d, a.vectorised, tile);
        __syncthreads();
#pragma unroll
        for (int n = 0; n < tileKeys / 16; ++n) {
            wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
            wmma::fill_fragment(sum, 0.0f);
#pragma unroll
            for (int i = 0; i < slices; ++i) {
                wmma::fragment<wmma::matrix_b, 16, 16, 16, T, wmma::col_major>
                    key;  // Kᵀ: a key's channels are neighbours
                wmma::load_matrix_sync(key, tile + n * 16 * stride + i * 16, stride);
                wmma::mma_sync(sum, query[i], key, sum);
            }
            wmma::store_matrix_sync(myScores + n * 16, sum, scoreStride, wmma::mem_row_major);
        }
        __syncthreads();  // all warps are done with the keys
        loadTile<T, D>(v + firstKey * a.vStride, a.vStride, a.keys - firstKey, a.dv, a.vectorised, tile);

        float tileLargest = -INFINITY;
        for (int c = side; c < tileKeys; c += 2) {
            const std::int64_t key = firstKey + c;
            float s = -INFINITY;
            if (key < a.keys && !(a.causal && key > myQuery)) {
                s = myScores[row * scoreStride + c] * a.scale;
                if (a.keyBias) s += a.keyBias[image * a.keys + key];
            }
            myScores[row * scoreStride + c] = s;
            tileLargest = Max{}(tileLargest, s);
        }
        tileLargest = Max{}(tileLargest, __shfl_xor_sync(0xffffffffu, tileLargest, 1));
        const float newLargest = Max{}(largest, tileLargest);
        const float origin =
            newLargest == -INFINITY ? 0.0f : newLargest;  // nothing but masked keys so far: all exponentials are 0
        float sum = 0.0f;
        for (int c = side; c < tileKeys; c += 2) {
            const float p = expf(myScores[row * scoreStride + c] - origin);
            myProbabilities[row * probabilityStride + c] = fromReal<T>(p);
            sum += p;
        }
        sum += __shfl_xor_sync(0xffffffffu, sum, 1);
        const float factor = expf(largest - origin);
        total = total * factor + sum;
        largest = newLargest;
        if (side == 0) rowFactor[warp][row] = factor;
        __syncthreads();  // the values are there, and this warp's probabilities and factors

#pragma unroll
        for (int i = 0; i < slices; ++i)
#pragma unroll
            for (int e = 0; e < out[i].num_elements; ++e) out[i].x[e] *= rowFactor[warp][int(rowOf.x[e])];
#pragma unroll
        for (int n = 0; n < tileKeys / 16; ++n) {
            wmma::fragment<wmma::matrix_a, 16, 16, 16, T, wmma::row_major> weights;
            wmma::load_matrix_sync(weights, myProbabilities + n * 16, probabilityStride);
#pragma unroll
            for (int i = 0; i < slices; ++i) {
                wmma::fragment<wmma::matrix_b, 16, 16, 16, T, wmma::row_major> values;
                wmma::load_matrix_sync(values, tile + n * 16 * stride + i * 16, stride);
                wmma::mma_sync(out[i], weights, values, out[i]);
            }
        }
        __syncthreads();  // all warps are done with the values
    }

    if (side == 0) rowFactor[warp][row] = total > 0.0f ? 1.0f / total : 0.0f;
    __syncwarp();
    T* y = static_cast<T*>(a.y) + image * a.yImage + head * a.dv;
#pragma unroll
    for (int i = 0; i < slices; ++i) {
        wmma::store_matrix_sync(myScores, out[i], scoreStride, wmma::mem_row_major);
        __syncwarp();
        for (int e = lane; e < 256; e += 32) {
            const int r = e / 16, column = i * 16 + e % 16;
            const std::int64_t token = firstQuery + warp * 16 + r;
            if (token < a.queries && column < a.dv)
                y[token * a.yStride + column] = fromReal<T>(myScores[r * scoreStride + e % 16] * rowFactor[warp][r]);
        }
        __syncwarp();
    }
}

template <class T, int D> __global__ void __launch_bounds__(flashThreads) flashKernel(const FlashArguments a) {
    if constexpr (std::is_same_v<T, __half> || hasBf16TensorCores) flash<T, D>(a);
}

template <class T> void launchFlash(Device& device, const FlashArguments& a, std::int64_t blocks) {
    const int width = a.d > a.dv ? a.d : a.dv;
    auto* kernel = width <= 48    ? flashKernel<T, 48>
                   : width <= 64  ? flashKernel<T, 64>
                   : width <= 96  ? flashKernel<T, 96>
                   : width <= 128 ? flashKernel<T, 128>
                                  : flashKernel<T, 160>;
    launch(device, kernel, blocks, flashThreads, a);
}

}  // namespace

bool flashAttention(Device& device, const AttentionArgs& args, View y) {
    const DType type = args.q.type;
    FlashArguments a{};
    a.heads = args.heads;
    a.d = int(args.q.shape[2] / args.heads);
    a.dv = int(args.v.shape[2] / args.heads);
    if (a.d > 160 || a.dv > 160) return false;
    if (type != DType::F16 && !(type == DType::BF16 && device.computeCapability() >= 80)) return false;
    a.q = args.q.data;
    a.k = args.k.data;
    a.v = args.v.data;
    a.y = y.data;
    a.keyBias = args.keyBias.as<const float>();
    a.queries = args.q.shape[1];
    a.keys = args.k.shape[1];
    a.queryTiles = ceilDiv(a.queries, tileQueries);
    a.qStride = args.q.stride(1), a.qImage = args.q.stride(0);
    a.kStride = args.k.stride(1), a.kImage = args.k.stride(0);
    a.vStride = args.v.stride(1), a.vImage = args.v.stride(0);
    a.yStride = y.stride(1), a.yImage = y.stride(0);
    a.scale = args.scale;
    a.causal = args.causal;
    const auto inEights = [](auto... numbers) { return ((numbers % 8 == 0) && ...); };
    const auto aligned = [](auto... pointers) {
        return ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
    };
    a.vectorised =
        inEights(a.d, a.dv, a.qStride, a.kStride, a.vStride, a.qImage, a.kImage, a.vImage) && aligned(a.q, a.k, a.v);
    const std::int64_t blocks = args.q.shape[0] * a.heads * a.queryTiles;
    if (type == DType::F16) launchFlash<__half>(device, a, blocks);
    else launchFlash<__nv_bfloat16>(device, a, blocks);
    return true;
}

}  // namespace meander::kernels::cuda
