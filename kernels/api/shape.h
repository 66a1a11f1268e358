// Extents of a dense row-major tensor, outermost first. Images are (images, height, width, channels); tokens are
// (batch, tokens, channels).
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>

namespace meander::kernels {

class Shape {
public:
    static constexpr int maxRank = 6;

    Shape() = default;
    Shape(std::initializer_list<std::int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
    // More than maxRank extents throw std::invalid_argument; file readers check the rank first, with a better sentence.
    explicit Shape(std::span<const std::int64_t> extents) {
        if (extents.size() > std::size_t(maxRank))
            throw std::invalid_argument("shape: " + std::to_string(extents.size())
                                        + " extents, but a tensor has at most " + std::to_string(maxRank));
        for (auto e : extents) m_extents[std::size_t(m_rank++)] = e;
    }

    int rank() const { return m_rank; }
    std::int64_t operator[](int i) const { return m_extents[i < 0 ? i + m_rank : i]; }
    std::span<const std::int64_t> extents() const { return {m_extents.data(), std::size_t(m_rank)}; }
    // Number of elements; 1 for rank 0.
    std::int64_t count() const {
        std::int64_t n = 1;
        for (auto e : extents()) n *= e;
        return n;
    }
    // Elements per entry of the first dimension.
    std::int64_t rowCount() const { return m_rank == 0 || m_extents[0] == 0 ? count() : count() / m_extents[0]; }
    // The same shape with another extent in one dimension; negative: from the last.
    Shape with(int dim, std::int64_t extent) const {
        Shape s = *this;
        s.m_extents[std::size_t(dim < 0 ? dim + m_rank : dim)] = extent;
        return s;
    }
    Shape withRows(std::int64_t rows) const { return with(0, rows); }
    bool operator==(const Shape& o) const {
        if (m_rank != o.m_rank) return false;
        for (int i = 0; i < m_rank; ++i)
            if (m_extents[i] != o.m_extents[i]) return false;
        return true;
    }
    std::string text() const {
        std::string s = "(";
        for (int i = 0; i < m_rank; ++i) s += (i ? ", " : "") + std::to_string(m_extents[i]);
        return s + ")";
    }

private:
    std::array<std::int64_t, maxRank> m_extents{};
    int m_rank = 0;
};

}  // namespace meander::kernels
