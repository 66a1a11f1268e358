#include "engine/tensor/tensor.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace meander {
namespace {

void require(bool condition, const std::string& what) {
    if (!condition) throw std::invalid_argument(what);
}

void requireSameStates(const Tensor& a, const Tensor& b, const char* operation) {
    require(bool(a) && bool(b), std::string(operation) + ": a tensor is empty");
    require(a.shape() == b.shape() && a.type() == b.type(), std::string(operation) + ": " + a.shape().text() + " "
                                                                + nameOf(a.type()) + " does not fit " + b.shape().text()
                                                                + " " + nameOf(b.type()));
}

}  // namespace

Tensor::Tensor(Backend& backend, Shape shape, DType type) : m_backend(&backend), m_view(nullptr, type, shape) {
    for (auto e : shape.extents()) require(e >= 0, "tensor: negative extent in " + shape.text());
    m_view.data = backend.allocate(std::max<std::size_t>(m_view.bytes(), 1));
    m_memory = std::shared_ptr<void>(m_view.data, [b = &backend](void* p) { b->release(p); });
}

Tensor Tensor::reshaped(Shape s) const { return sharing(m_view.reshaped(s)); }

Tensor Tensor::sharing(const View& v) const {
    Tensor t = *this;
    t.m_view = v;
    return t;
}

Tensor Tensor::slice(std::int64_t firstRow, std::int64_t rowCount) const {
    require(shape().rank() > 0 && firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= rows(),
            "slice: rows " + std::to_string(firstRow) + " + " + std::to_string(rowCount) + " of " + shape().text());
    return sharing(m_view.rows(firstRow, rowCount));
}

Tensor Tensor::clone() const {
    require(bool(*this), "clone: the tensor is empty");
    Tensor t(*m_backend, shape(), type());
    m_backend->copy(m_view, t.m_view);
    return t;
}

Tensor Tensor::converted(DType type) const {
    if (!*this || type == this->type()) return *this;
    Tensor t(*m_backend, shape(), type);
    m_backend->convert(m_view, t.m_view);
    return t;
}

Tensor upload(Backend& b, const HostTensor& h) {
    require(bool(h), "upload: the tensor is empty");
    Tensor t(b, h.shape(), h.type());
    if (h.count() > 0) b.upload(h.bytes().data(), t.view());
    return t;
}

HostTensor download(const Tensor& t) {
    require(bool(t), "download: the tensor is empty");
    const bool isBf16 = t.type() == DType::BF16;  // host tensors have no BF16
    const Tensor dense = t.view().isDense() ? t : t.clone(), source = isBf16 ? dense.converted(DType::F32) : dense;
    std::vector<std::byte> bytes(source.view().bytes());
    if (!bytes.empty()) t.backend().download(source.view(), bytes.data());
    return HostTensor(t.shape(), source.type(), std::move(bytes));
}

Tensor combine(std::initializer_list<LinearTerm> terms) {
    return combine(std::span<const LinearTerm>(terms.begin(), terms.size()));
}

Tensor combine(std::span<const LinearTerm> terms) {
    require(!terms.empty(), "combine: no terms");
    const Tensor& first = terms.front().value;
    std::vector<kernels::Term> views;
    views.reserve(terms.size());
    for (const auto& t : terms) {
        requireSameStates(first, t.value, "combine");
        views.push_back({t.factor, t.value.view()});
    }
    Tensor y(first.backend(), first.shape(), first.type());
    first.backend().combine(views, y.view());
    return y;
}

Tensor combineRows(std::span<const Tensor> values, std::span<const std::vector<double>> factors) {
    require(!values.empty() && values.size() == factors.size(),
            "combineRows: as many lists of factors as values are needed");
    const Tensor& first = values.front();
    std::vector<View> views;
    views.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        requireSameStates(first, values[i], "combineRows");
        require(std::int64_t(factors[i].size()) == first.rows(), "combineRows: one factor per row is needed");
        views.push_back(values[i].view());
    }
    Tensor y(first.backend(), first.shape(), first.type());
    first.backend().combineRows(views, factors, y.view());
    return y;
}

Tensor stackRows(std::span<const Tensor> parts) {
    require(!parts.empty(), "stackRows: no parts");
    if (parts.size() == 1) return parts.front();
    const Tensor& first = parts.front();
    std::int64_t rows = 0;
    for (const auto& p : parts) {
        require(bool(p) && p.shape().withRows(1) == first.shape().withRows(1) && p.type() == first.type(),
                "stackRows: " + p.shape().text() + " does not fit below " + first.shape().text());
        rows += p.rows();
    }
    Tensor y(first.backend(), first.shape().withRows(rows), first.type());
    std::int64_t at = 0;
    for (const auto& p : parts) {
        if (p.rows() == 0) continue;
        first.backend().copy(p.view(), y.view().rows(at, p.rows()));
        at += p.rows();
    }
    return y;
}

std::vector<double> rmsRows(const Tensor& t) {
    auto sums = t.backend().reduceRows(kernels::Reduction::SumSquares, t.view());
    const double n = double(std::max<std::int64_t>(t.shape().rowCount(), 1));
    for (double& s : sums) s = std::sqrt(s / n);
    return sums;
}

}  // namespace meander
