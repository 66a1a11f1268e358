// Builds the parts of a network: reads weights by name and packs them for a device, once. Counts what it read. Matrices
// that are stored in blocks or 8 bits, or that the source keeps in their format (Quantised), stay so on the device; all
// other weights are packed for the type of the computation.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/parameters.h"
#include "engine/tensor/tensor.h"
#include "engine/weights/weight_source.h"

namespace meander {

class NetworkBuilder {
public:
    NetworkBuilder(Backend& backend, WeightSource& source, DType compute)
        : backend(backend), source(source), compute(compute) {}

    // name.weight (out, in) and name.bias (out). `pointwise`: the file holds a 1 × 1 filter (out, in, 1, 1), which is
    // the same matrix.
    Linear linear(const std::string& name, std::int64_t in, std::int64_t out, bool bias = true, bool pointwise = false);
    // The same for a layer that always runs in F32 (time embeddings).
    Linear linearF32(const std::string& name, std::int64_t in, std::int64_t out, bool bias = true);
    // Rows [first, first + count) of a matrix with `out` rows.
    Linear linearRows(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t first,
                      std::int64_t count, bool bias = true);
    // Rows in another order than that of the file: row i is its row order[i].
    Linear linearInOrder(const std::string& name, std::int64_t in, const std::vector<std::int64_t>& order);
    // Columns [first, first + count) of a matrix with `in` columns: the part of a sum that some of the inputs give.
    Linear linearColumns(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t first,
                         std::int64_t count, bool bias);
    // Matrices of several layers below each other, as one: (Σ out, in). Parts are names and numbers of rows.
    using Part = std::pair<std::string, std::int64_t>;
    Linear linearStack(const std::vector<Part>& parts, std::int64_t in, bool bias, DType type);
    // name.weight (out, in, kernel, kernel); height and width of the expected input.
    Conv conv(const std::string& name, int in, int out, int kernel, int stride, int padding, int height, int width,
              bool bias = true);
    // A causal filter of videos (out, in, kernel, kernel, kernel), as it meets a single frame: its last slice in time.
    Conv convOfFrame(const std::string& name, int in, int out, int kernel, int padding, int extent);
    // A filter of patches (width, channels, patch, patch) as a matrix for pixelUnshuffle's output.
    Linear patchEmbedding(const std::string& name, int channels, int patch, std::int64_t width);
    // A matrix whose rows come in the order (dy, dx, channel), sorted to pixelShuffle's (channel, dy, dx); only the
    // first `kept` of its `channels` are read.
    Linear patchProjection(const std::string& name, std::int64_t in, int patch, int channels, int kept);
    Norm norm(const std::string& name, std::int64_t width);
    Tensor table(const std::string& name, Shape shape);
    // Host values as a device tensor, not counted as weights.
    Tensor constant(Shape shape, const std::vector<float>& values);

    Backend& backend;
    WeightSource& source;
    const DType compute;
    std::int64_t parameters = 0;
    std::size_t weightBytes = 0;  // in memory, packed

private:
    HostWeight read(const std::string& name, const Shape& shape);
    // The rows of all parts below each other.
    Linear pack(std::vector<HostWeight> parts, const HostWeight* bias, DType type);
};

}  // namespace meander
