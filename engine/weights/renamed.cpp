#include "engine/weights/renamed.h"

#include <algorithm>

namespace meander {

using kernels::Shape;

std::optional<StoredName> Renamed::found(const std::string& name) const {
    for (auto& candidate : m_names.candidates(name))
        if (std::all_of(candidate.parts.begin(), candidate.parts.end(),
                        [&](const std::string& part) { return m_source->has(part); }))
            return candidate;
    return {};
}

std::optional<Shape> Renamed::shapeOf(const std::string& name) const {
    const auto stored = found(name);
    auto shape = stored ? m_source->shapeOf(stored->parts.front()) : std::nullopt;
    if (!shape || shape->rank() == 0) return shape;
    if (stored->operation == StoredName::Transpose) return Shape{shape->rowCount(), (*shape)[0]};
    if (stored->operation == StoredName::Rows)
        return shape->withRows((*shape)[0] / stored->of * (stored->last - stored->first));
    std::int64_t rows = 0;
    for (const auto& part : stored->parts) {
        const auto s = m_source->shapeOf(part);
        if (!s || s->rank() == 0) return {};
        rows += (*s)[0];
    }
    return shape->withRows(rows);
}

HostWeight Renamed::readAsStored(const std::string& stored) {
    const auto shape = m_source->shapeOf(stored);
    if (!shape || shape->rank() == 0)
        throw Failure("The tensor '" + stored + "' cannot be divided: its shape is not known.");
    return m_source->read(stored, *shape);
}

HostWeight Renamed::read(const std::string& name, const Shape& shape) {
    const auto stored = found(name);
    if (!stored) {
        const auto candidates = m_names.candidates(name);
        throw Failure("The weights have no tensor '" + name + "'"
                      + (candidates.empty() ? std::string() : " (stored as '" + candidates.front().parts.front() + "')")
                      + ". The file belongs to another kind of model or is incomplete.");
    }
    if (stored->parts.size() == 1 && stored->operation == StoredName::Whole)
        return m_source->read(stored->parts.front(), shape);
    std::vector<HostWeight> parts;
    for (const auto& part : stored->parts) parts.push_back(readAsStored(part));
    HostWeight w = parts.size() == 1 ? parts.front() : stackedWeights(std::move(parts));
    switch (stored->operation) {
    case StoredName::Whole: break;
    case StoredName::Transpose: w = transposed(w); break;
    case StoredName::Rows: {
        if (w.rows() % stored->of != 0)
            throw Failure("The tensor '" + stored->parts.front() + "' has " + std::to_string(w.rows())
                          + " rows, which are not " + std::to_string(stored->of)
                          + " equal parts. The file belongs to another kind of model.");
        const std::int64_t part = w.rows() / stored->of;
        w = rowsOf(w, part * stored->first, part * (stored->last - stored->first));
        break;
    }
    case StoredName::Swap: {
        const std::int64_t half = w.rows() / 2;
        w = stackedWeights({rowsOf(w, half, w.rows() - half), rowsOf(w, 0, half)});
        break;
    }
    }
    if (!isSameShape(w.shape, shape))
        throw Failure("Tensor '" + name + "', stored as '" + stored->parts.front() + "', has the shape "
                      + w.shape.text() + ", but the configuration asks for " + shape.text()
                      + ". The files do not belong together.");
    return reshaped(std::move(w), shape);
}

}  // namespace meander
