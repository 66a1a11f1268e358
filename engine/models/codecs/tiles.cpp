#include "engine/models/codecs/tiles.h"

#include <algorithm>

#include "engine/core/host_memory.h"

namespace meander {
namespace {

// The part of one axis that a tile covers, in cells, and the weight of each of its elements in the result: along an
// axis the weights of all tiles sum to 1.
struct Span {
    std::int64_t first = 0, length = 0;
    std::vector<float> weights{};
};

// Rises from 0 to 1 between the margins of an overlap; `distance`: from the cut, in cells.
double ramp(double distance, double overlap, const Tiling& t) {
    return std::clamp((distance - t.margin) / std::max(overlap - 2 * t.margin, 1e-6), 0.0, 1.0);
}

std::vector<Span> spansOf(std::int64_t cells, const Tiling& t, int outUnits) {
    const std::int64_t stride = t.size - t.overlap,
                       count = cells <= t.size ? 1 : (cells - t.overlap + stride - 1) / stride;
    std::vector<Span> spans;
    for (std::int64_t i = 0; i < count; ++i)
        spans.push_back(count == 1 ? Span{0, cells} : Span{i * (cells - t.size) / (count - 1), t.size});
    std::vector<double> sums(std::size_t(cells * outUnits));
    std::vector<std::vector<double>> raw;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        const Span& s = spans[i];
        auto& weights = raw.emplace_back(std::size_t(s.length * outUnits), 1.0);
        for (std::size_t k = 0; k < weights.size(); ++k) {
            const double at = (double(k) + 0.5) / outUnits;
            if (i > 0) weights[k] *= ramp(at, double(spans[i - 1].first + t.size - s.first), t);
            if (i + 1 < spans.size())
                weights[k] *= ramp(double(s.length) - at, double(s.first + t.size - spans[i + 1].first), t);
            sums[std::size_t(s.first * outUnits) + k] += weights[k];
        }
    }
    for (std::size_t i = 0; i < spans.size(); ++i)
        for (std::size_t k = 0; k < raw[i].size(); ++k)
            spans[i].weights.push_back(float(raw[i][k] / sums[std::size_t(spans[i].first * outUnits) + k]));
    return spans;
}

Tensor cutOut(const Tensor& x, const Span& rows, const Span& columns, int units) {
    const View part = x.view()
                          .slice(1, rows.first * units, rows.length * units)
                          .slice(2, columns.first * units, columns.length * units);
    Tensor tile(x.backend(), part.shape, x.type());
    x.backend().copy(part, tile);
    return tile;
}

// image += weights · tile
void accumulate(const HostTensor& tile, const Span& rows, const Span& columns, int units, std::int64_t width,
                std::vector<float>& image) {
    const std::int64_t channels = tile.shape()[3], across = std::int64_t(columns.weights.size());
    const std::vector<float> values = tile.toFloats();
    for (std::size_t y = 0; y < rows.weights.size(); ++y) {
        const float* from = values.data() + std::int64_t(y) * across * channels;
        float* to = image.data() + ((rows.first * units + std::int64_t(y)) * width + columns.first * units) * channels;
        for (std::int64_t x = 0; x < across; ++x) {
            const float weight = rows.weights[y] * columns.weights[std::size_t(x)];
            for (std::int64_t c = 0; c < channels; ++c) *to++ += weight * *from++;
        }
    }
}

}  // namespace

std::size_t roomOn(const Backend& backend) {
    const kernels::MemoryUse use = backend.memoryUse();
    std::size_t room = use.total > use.current ? use.total - use.current : use.total;
    if (backend.id() == "cpu") room = hostMemory().available;
    return room > 0 ? room : std::numeric_limits<std::size_t>::max();
}

Tensor inTiles(const Tensor& x, const Tiling& tiling, int inUnits, int outUnits,
               const std::function<Tensor(Tensor)>& compute) {
    const std::int64_t height = x.shape()[1] / inUnits, width = x.shape()[2] / inUnits;
    const auto rows = spansOf(height, tiling, outUnits), columns = spansOf(width, tiling, outUnits);
    std::vector<float> image;
    std::int64_t channels = 0;
    for (const Span& r : rows)
        for (const Span& c : columns) {
            const HostTensor tile = download(compute(cutOut(x, r, c, inUnits)));
            channels = tile.shape()[3];
            image.resize(std::size_t(height * width * outUnits * outUnits * channels));
            accumulate(tile, r, c, outUnits, width * outUnits, image);
        }
    return upload(x.backend(), HostTensor::fromFloats({1, height * outUnits, width * outUnits, channels}, image));
}

Tensor wholeOrInTiles(Tensor x, std::size_t bytes, const TilePolicy& policy, int inUnits, int outUnits,
                      const std::function<Tensor(Tensor)>& compute) {
    const std::int64_t cells = std::max(x.shape()[1], x.shape()[2]) / inUnits;
    if (cells <= policy.tiles.size) return compute(std::move(x));
    if (bytes <= policy.largestWhole && bytes <= roomOn(x.backend()) / 5 * 4) try {
            return compute(x.clone());
        } catch (const kernels::OutOfMemory&) {  // less than it seemed: in tiles then
            x.backend().trim();
        }
    return inTiles(x, policy.tiles, inUnits, outUnits, compute);
}

}  // namespace meander
