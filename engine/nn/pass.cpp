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

Tensor Pass::hookedTrunk(const Site& site, const Tensor& x, const Part& rest, const Part& start) const {
    const auto slice = [&](const Tensor& t, const Hooks::Run& r) { return t.slice(r.first - m_first, r.rows); };
    const auto decisionOf = [&](const Hooks::Run& r) {
        const Tensor part = slice(x, r);
        const std::function<Tensor()> input = [&] { return start(rows(r.first, r.rows), part); };
        for (const auto& a : r.hooks) {
            SiteCall c = call(site, r, a);
            c.x = &part;
            c.start = &input;
            if (Decision d = a.hook->before(c); d.kind == Decision::Reuse) return d;
        }
        return Decision{};
    };
    std::vector<Tensor> parts;  // of the result, in the order of the rows
    // Rows that are computed wait here until a row that is not ends them.
    std::vector<Hooks::Run> waiting;
    const auto compute = [&] {
        if (waiting.empty()) return;
        const std::int64_t first = waiting.front().first, n = waiting.back().first + waiting.back().rows - first;
        std::vector<Tensor> before;  // empty where nothing is observed
        for (const auto& r : waiting) {
            const bool isObserved = std::any_of(r.hooks.begin(), r.hooks.end(), [&](const auto& a) {
                return a.hook->observesResidual(call(site, r, a));
            });
            before.push_back(isObserved ? site.isResidual ? slice(x, r).clone() : x : Tensor());
        }
        const double cost = m_hooks.tracedFlops();
        const Tensor y = n == m_rows ? rest(*this, x) : rest(rows(first, n), x.slice(first - m_first, n));
        const double flops = (m_hooks.tracedFlops() - cost) / double(n);
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            if (!before[i]) continue;
            const Tensor part = y.slice(waiting[i].first - first, waiting[i].rows);
            const Tensor made = site.isResidual ? combine({{1, part}, {-1, before[i]}}) : part.clone();
            for (const auto& a : waiting[i].hooks) {
                SiteCall c = call(site, waiting[i], a);
                c.flops = flops * double(waiting[i].rows);
                if (a.hook->observesResidual(c)) a.hook->after(c, made);
            }
        }
        parts.push_back(y);
        waiting.clear();
    };
    for (const auto& r : m_hooks.runs(site, m_first, m_rows)) {
        const Decision d = decisionOf(r);
        if (d.kind == Decision::Compute) {
            waiting.push_back(r);
            continue;
        }
        compute();
        parts.push_back(site.isResidual ? combine({{1, slice(x, r)}, {1, d.residual}}) : d.residual.clone());
    }
    compute();
    return parts.size() == 1 ? parts.front() : stackRows(parts);
}

Tensor Pass::hookedResidual(const Site& site, const Tensor& x, const Part& sum) const {
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
            const bool isNeeded = std::any_of(r.hooks.begin(), r.hooks.end(), [&](const auto& a) {
                const SiteCall c = call(site, r, a);
                return a.hook->observesResidual(c) || a.hook->changesResidual(c);
            });
            before.push_back(isNeeded ? slice(x, r).clone() : Tensor());
        }
        const double cost = m_hooks.tracedFlops();
        const Tensor part = x.slice(first - m_first, n), y = n == m_rows ? sum(*this, x) : sum(rows(first, n), part);
        const double flops = (m_hooks.tracedFlops() - cost) / double(n);
        if (y.view().data != part.view().data) x.backend().copy(y, part);
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            if (!before[i]) continue;
            const Tensor residual = combine({{1, slice(x, waiting[i])}, {-1, before[i]}});
            bool isChanged = false;
            for (const auto& a : waiting[i].hooks)
                if (const SiteCall c = call(site, waiting[i], a); a.hook->changesResidual(c)) {
                    a.hook->changing(c, residual);
                    isChanged = true;
                }
            if (isChanged) x.backend().copy(combine({{1, before[i]}, {1, residual}}), slice(x, waiting[i]));
            for (const auto& a : waiting[i].hooks) {
                SiteCall c = call(site, waiting[i], a);
                c.flops = flops * double(waiting[i].rows);
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

namespace {

// (rows, n, heads · d) → (rows · heads, n, d), dense.
Tensor byHead(const Tensor& x, int heads) {
    const Shape s = x.shape();
    return x.reshaped({s[0], s[1], heads, s[2] / heads})
        .transposed(1, 2)
        .clone()
        .reshaped({s[0] * heads, s[1], s[2] / heads});
}

// y = P v per head, of the probabilities as they stand.
void weigh(const Attention& a, const Tensor& y) {
    const Shape s = a.probabilities.shape();
    const Tensor v = byHead(a.v, a.heads).converted(kernels::DType::F32);
    Tensor sum(y.backend(), {s[0] * s[1], s[2], v.shape()[2]});
    y.backend().batchedMatmul(a.probabilities.reshaped({s[0] * s[1], s[2], s[3]}), v, sum, false);
    const Tensor tokens = sum.reshaped({s[0], s[1], s[2], v.shape()[2]}).transposed(1, 2).clone().reshaped(y.shape());
    y.backend().copy(tokens.converted(y.type()), y);
}

}  // namespace

void Pass::hookedAttention(const Site& site, const Hooks::Run& run, Attention a, const Tensor& y) const {
    bool isComputed = false, needsProbabilities = false, isChanged = false;
    for (const auto& h : run.hooks) {
        const SiteCall c = call(site, run, h);
        h.hook->attending(c, a);
        isChanged |= h.hook->changesProbabilities(c);
        needsProbabilities |= isChanged || h.hook->needsProbabilities(c);
    }
    if (needsProbabilities) a.probabilities = Tensor(y.backend(), {run.rows, a.heads, a.q.shape()[1], a.k.shape()[1]});
    for (const auto& h : run.hooks) isComputed = isComputed || h.hook->attend(call(site, run, h), a, y);
    if (!isComputed) nn::attend(a, y);
    for (const auto& h : run.hooks)
        if (const SiteCall c = call(site, run, h); h.hook->changesProbabilities(c)) h.hook->weighing(c, a);
    if (isChanged) weigh(a, y);
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
