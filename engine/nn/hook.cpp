#include "engine/nn/hook.h"

#include <algorithm>

namespace meander::nn {
namespace {

bool areAlike(const Hooks::Acting& a, const Hooks::Acting& b) {
    return a.hook == b.hook ? a.origin == b.origin || a.hook->description
                            : a.hook->description && a.hook->description == b.hook->description;
}

}  // namespace

void Hooks::add(SiteHookPtr hook, std::int64_t first, std::int64_t rows, std::int64_t offset) {
    if (rows > 0) m_hooks.push_back({std::move(hook), first, rows, first - offset});
}

double Hooks::tracedFlops() const {
    double sum = 0;
    if (m_trace)
        for (const auto& op : *m_trace) sum += op.flops;
    return sum;
}

void Hooks::starting() const {
    for (const Added& a : m_hooks) a.hook->starting();
}

std::optional<double> Hooks::savedFlops(std::int64_t row) const {
    std::optional<double> sum;
    for (const Added& a : m_hooks)
        if (row >= a.first && row < a.first + a.rows)
            if (const auto saved = a.hook->savedFlops(row - a.origin)) sum = sum.value_or(0) + *saved;
    return sum;
}

void Hooks::completed() const {
    for (const Added& a : m_hooks) a.hook->completed();
}

bool Hooks::actAt(const Site& site) const {
    return std::any_of(m_hooks.begin(), m_hooks.end(), [&](const Added& a) { return a.hook->actsAt(site); });
}

std::vector<Hooks::Run> Hooks::runs(const Site& site, std::int64_t first, std::int64_t rows) const {
    std::vector<const Added*> acting;
    for (const Added& a : m_hooks)
        if (a.hook->actsAt(site)) acting.push_back(&a);
    std::vector<Run> runs;
    for (std::int64_t r = first; r < first + rows; ++r) {
        Run one{r, 1, {}};
        for (const Added* a : acting)
            if (r >= a->first && r < a->first + a->rows) one.hooks.push_back({a->hook.get(), a->origin});
        const bool isAlone =
            std::any_of(one.hooks.begin(), one.hooks.end(), [](const Acting& a) { return a.hook->decidesPerRow(); });
        const bool goesOn = !runs.empty() && !isAlone
                            && std::equal(runs.back().hooks.begin(), runs.back().hooks.end(), one.hooks.begin(),
                                          one.hooks.end(), areAlike);
        if (goesOn) ++runs.back().rows;
        else runs.push_back(std::move(one));
    }
    return runs;
}

}  // namespace meander::nn
