// Weights in a smaller format than they came in.
#pragma once
#include <functional>
#include <memory>

#include "engine/weights/weight_source.h"

namespace meander {

// Formats that weights can be written in: F32, F16, BF16, F8E4M3, F8E5M2, I8, Q8_0, Q4_0, Q4_K.
bool canQuantise(WeightFormat format);
// Rounded to the nearest value of the format; it stays in it on a device. I8: the largest of a row is 127. Q8_0 and
// Q4_0 as ggml rounds them; Q4_K by least squares of each block. Throws Failure when the format cannot be written or a
// row is not whole blocks.
HostWeight quantised(const HostWeight& w, WeightFormat format);

// Matrices of a source in another format; vectors, filters and what the predicate leaves out are as they are.
class Quantised final : public WeightSource {
public:
    Quantised(std::shared_ptr<WeightSource> source, WeightFormat format,
              std::function<bool(const std::string&)> isChosen = {})
        : m_source(std::move(source)), m_format(format), m_isChosen(std::move(isChosen)) {}

    bool has(const std::string& name) const override { return m_source->has(name); }
    std::optional<kernels::Shape> shapeOf(const std::string& name) const override { return m_source->shapeOf(name); }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override;

private:
    std::shared_ptr<WeightSource> m_source;
    WeightFormat m_format;
    std::function<bool(const std::string&)> m_isChosen;
};

}  // namespace meander
