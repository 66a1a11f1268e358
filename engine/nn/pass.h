// One call of a network, as its parts see it: what all share, and the sites at which hooks act.
#pragma once
#include <functional>
#include <vector>

#include "engine/nn/hook.h"

namespace meander::nn {

class Pass {
public:
    // `state`: the grid of the network's input. `vectors`: each (rows, width), made of time, class and guidance.
    // `context` (rows, tokens, Σ): keys and values of all cross-attentions; may be empty.
    Pass(Grid state, std::vector<Tensor> vectors, Tensor context, const Hooks& hooks)
        : m_hooks(hooks),
          m_state(state),
          m_rows(vectors.front().rows()),
          m_vectors(std::move(vectors)),
          m_context(std::move(context)) {}

    const Tensor& vectors(std::size_t i = 0) const { return m_vectors[i]; }
    // What one cross-attention attends to (rows, tokens, 2·width): its keys, then its values.
    Tensor context(const Site& site, std::int64_t width) const { return m_context.columns(site.context, 2 * width); }
    // The same call with other vectors, each (rows, …): what a block made of its own for its parts.
    Pass with(std::vector<Tensor> vectors) const {
        Pass part = *this;
        part.m_vectors = std::move(vectors);
        return part;
    }
    // The same call where the tokens of a text stand before those of the image (SiteCall::text).
    Pass behindText(std::int64_t tokens) const {
        Pass part = *this;
        part.m_text = tokens;
        return part;
    }
    Grid grid(const Site& site) const { return {m_state.height / site.stride, m_state.width / site.stride}; }

    // x + f(x), unless a hook of the site decides otherwise. `sum(pass, x)` computes it, for the rows that it is given,
    // and may write into x.
    template <class Sum> Tensor residual(const Site& site, const Tensor& x, const Sum& sum) const {
        return m_hooks.actAt(site) ? hookedResidual(site, x, sum) : sum(*this, x);
    }
    // The trunk behind a site, unless a hook of the site decides otherwise. `rest(pass, x)` computes it, x + f(x) where
    // it is residual, for the rows that it is given, and may write into x; `start(pass, x)`: SiteCall::start.
    template <class Rest, class Start>
    Tensor trunk(const Site& site, const Tensor& x, const Rest& rest, const Start& start) const {
        return m_hooks.actAt(site) ? hookedTrunk(site, x, rest, start) : rest(*this, x);
    }
    // Attention q, k, v with the hooks of the site → (rows, n, c).
    Tensor attend(const Site& site, const Tensor& q, const Tensor& k, const Tensor& v) const;
    // (rows, h, w, c + c'): the backbone and, behind it, the skip connection; hooks may write into both.
    Tensor join(const Site& site, const Tensor& backbone, const Tensor& skip) const;

private:
    using Part = std::function<Tensor(const Pass&, const Tensor&)>;
    Tensor hookedTrunk(const Site& site, const Tensor& x, const Part& rest, const Part& start) const;
    Tensor hookedResidual(const Site& site, const Tensor& x, const Part& sum) const;
    void hookedAttention(const Site& site, const Hooks::Run& run, Attention a, const Tensor& y) const;
    SiteCall call(const Site& site, const Hooks::Run& run, const Hooks::Acting& a) const {
        SiteCall c{site, grid(site), run.first, run.rows, run.first - a.origin, m_hooks.level(run.first)};
        c.text = m_text;
        return c;
    }
    // The same for rows [first, first + n) of the network call.
    Pass rows(std::int64_t first, std::int64_t n) const;

    const Hooks& m_hooks;
    Grid m_state;
    std::int64_t m_first = 0, m_rows = 0;  // of the network call
    std::vector<Tensor> m_vectors;
    Tensor m_context;
    std::int64_t m_text = 0;
};

}  // namespace meander::nn
