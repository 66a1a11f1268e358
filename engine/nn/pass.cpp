#include "engine/nn/pass.h"

#include <algorithm>

namespace meander::nn {

Pass Pass::rows(std::int64_t first, std::int64_t n) const {
    Pass part = *this;
    for (Tensor& v : part.m_vectors) v = v.slice(first - m_first, n);
    if (m_context) part.m_context = m_context.slice(first - m_first, n);
    part.m_first = first;
    part.m_rows = n;
    return part;
}

Tensor Pass::hookedResidual(const Site& site, const Tensor& x,
                            const std::function<Tensor(const Pass&, const Tensor&)>& sum) const {
    const auto runs = m_hooks.runs(site, m_first, m_rows);
    const auto slice = [&](const Tensor& t, const Hooks::Run& r) { return t.slice(r.first - m_first, r.rows); };
    const auto decisionOf = [&](const Hooks::Run& r) {
        for (const auto& a : r.hooks)
            if (Decision d = a.hook->before(call(site, r, a)); d.kind != Decision::Compute) return d;
        return Decision{};
    };
    // Rows that are computed wait here until a row that is not ends them.
    std::vector<Hooks::Run> waiting;
    const auto compute = [&] {
        if (waiting.empty()) return;
        const std::int64_t first = waiting.front().first, n = waiting.back().first + waiting.back().rows - first;
        std::vector<Tensor> before;
        for (const auto& r : waiting) {
            const bool isObserved = std::any_of(r.hooks.begin(), r.hooks.end(), [&](const auto& a) {
                return a.hook->observesResidual(call(site, r, a));
            });
            before.push_back(isObserved ? slice(x, r).clone() : Tensor());
        }
        const Tensor part = x.slice(first - m_first, n), y = n == m_rows ? sum(*this, x) : sum(rows(first, n), part);
        if (y.view().data != part.view().data) x.backend().copy(y, part);
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            if (!before[i]) continue;
            const Tensor residual = combine({{1, slice(x, waiting[i])}, {-1, before[i]}});
            for (const auto& a : waiting[i].hooks) {
                const SiteCall c = call(site, waiting[i], a);
                if (a.hook->observesResidual(c)) a.hook->after(c, residual);
            }
        }
        waiting.clear();
    };
    for (const auto& r : runs) {
        const Decision d = decisionOf(r);
        if (d.kind == Decision::Compute) {
            waiting.push_back(r);
            continue;
        }
        compute();
        if (d.kind == Decision::Reuse) x.backend().binary(kernels::Binary::Add, slice(x, r), d.residual, slice(x, r));
    }
    compute();
    return x;
}

Tensor Pass::attend(const Site& site, const Tensor& q, const Tensor& k, const Tensor& v) const {
    const Attention a{q, k, v, site.heads};
    if (!m_hooks.actAt(site)) return nn::attend(a);
    const Tensor y(q.backend(), q.shape().with(-1, v.shape()[-1]), q.type());
    for (const auto& run : m_hooks.runs(site, m_first, m_rows)) {
        const std::int64_t first = run.first - m_first;
        hookedAttention(site, run, a.rows(first, run.rows), y.slice(first, run.rows));
    }
    return y;
}

void Pass::hookedAttention(const Site& site, const Hooks::Run& run, Attention a, const Tensor& y) const {
    bool isComputed = false, needsProbabilities = false;
    for (const auto& h : run.hooks) {
        const SiteCall c = call(site, run, h);
        h.hook->attending(c, a);
        needsProbabilities |= h.hook->needsProbabilities(c);
    }
    if (needsProbabilities) a.probabilities = Tensor(y.backend(), {run.rows, a.heads, a.q.shape()[1], a.k.shape()[1]});
    for (const auto& h : run.hooks) isComputed = isComputed || h.hook->attend(call(site, run, h), a, y);
    if (!isComputed) nn::attend(a, y);
    for (const auto& h : run.hooks) h.hook->attended(call(site, run, h), a, y);
}

Tensor Pass::join(const Site& site, const Tensor& backbone, const Tensor& skip) const {
    if (m_hooks.actAt(site))
        for (const auto& run : m_hooks.runs(site, m_first, m_rows))
            for (const auto& h : run.hooks)
                h.hook->joining(call(site, run, h), backbone.slice(run.first - m_first, run.rows),
                                skip.slice(run.first - m_first, run.rows));
    return concat(backbone, skip);
}

}  // namespace meander::nn
