// Hooks: what observes, changes, skips or reuses at sites, for some rows of a network call. Any number of hooks may act
// at a site; they apply in the order in which they were added. Rows without a hook take the fused path and keep their
// bits.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/params.h"
#include "engine/nn/ops.h"
#include "engine/nn/site.h"

namespace meander::nn {

// A row's state is signal · x0 + noise · ε, up to a common factor.
struct NoiseShare {
    double signal = 1, noise = 0;
};

// Adjacent rows of a network call on which the same hooks act.
struct SiteCall {
    const Site& site;
    Grid grid;               // of the queries or pixels
    std::int64_t first = 0;  // of the call
    std::int64_t rows = 0;
    std::int64_t offset = 0;  // of the first row, as Hooks::add was given it
    NoiseShare level{};       // of the first row
    // Trunk: its input, and what its first block makes of it with the time, before anything else (the input of its
    // attention in a transformer); both of these rows, the second in memory of its own.
    const Tensor* x = nullptr;
    const std::function<Tensor()>* start = nullptr;
    double flops = 0;       // in `after`, where the call is traced: what these rows have cost there
    std::int64_t text = 0;  // tokens of a text that stand before those of the image; none of them in SelfAttention
};

// What becomes of a residual branch x + f(x): f is computed, left out, or replaced by a kept residual. A trunk cannot
// be left out.
struct Decision {
    enum Kind : std::uint8_t { Compute, Skip, Reuse } kind = Compute;
    Tensor residual;  // Reuse: of x's shape; of a trunk that is not residual: its value
};

class SiteHook {
public:
    virtual ~SiteHook() = default;
    virtual bool actsAt(const Site& site) const = 0;
    // Row by row, also where several rows of one run lie side by side: what it remembers then does not depend on how a
    // call was divided.
    virtual bool decidesPerRow() const { return false; }

    // Residual branches and trunks: the first hook that does not compute decides for its rows; what is not computed
    // costs nothing.
    virtual Decision before(const SiteCall&) { return {}; }
    // Does `after` need the residual f(x) of these rows? Of a trunk that is not residual: its value.
    virtual bool observesResidual(const SiteCall&) const { return false; }
    virtual void after(const SiteCall&, const Tensor& residual) { static_cast<void>(residual); }
    // Residual branches that are computed: f(x) of these rows may be changed in place before it is added to x.
    virtual bool changesResidual(const SiteCall&) const { return false; }
    virtual void changing(const SiteCall&, const Tensor& residual) { static_cast<void>(residual); }

    // Attention before its softmax: q, k and v may be replaced by other tensors.
    virtual void attending(const SiteCall&, Attention&) {}
    virtual bool needsProbabilities(const SiteCall&) const { return false; }
    // Computes y (rows, n, c), and the probabilities where they are needed, in place of the softmax. False: does not.
    virtual bool attend(const SiteCall&, const Attention&, const Tensor& y) {
        static_cast<void>(y);
        return false;
    }
    // Between softmax and values: the probabilities of `a` may be changed in place, and y is computed anew from them.
    virtual bool changesProbabilities(const SiteCall&) const { return false; }
    virtual void weighing(const SiteCall&, const Attention& a) { static_cast<void>(a); }
    // Attention before its output projection: y (rows, n, c) may be changed in place.
    virtual void attended(const SiteCall&, const Attention&, const Tensor& y) { static_cast<void>(y); }

    // Skip: backbone and skip connection (rows, h, w, c) may be changed in place before they are joined.
    virtual void joining(const SiteCall&, const Tensor& backbone, const Tensor& skip) {
        static_cast<void>(backbone);
        static_cast<void>(skip);
    }

    // Called before all rows of a network call, which may be divided into parts and repeated: forgets what the hook
    // noted since the last `completed`.
    virtual void starting() {}
    // Called when all rows are answered: what the hook noted since `starting` counts from now on. It may be called more
    // than once for the same rows.
    virtual void completed() {}
    // Of the last call: what it saved the row at `offset`, in multiplications and additions. Nothing: it measures none,
    // or did not act there.
    virtual std::optional<double> savedFlops(std::int64_t offset) const {
        static_cast<void>(offset);
        return {};
    }

    // Hooks of one model with equal descriptions do the same to every row, so rows of different runs share their
    // computation. Absent: a hook is like itself only.
    std::optional<Choice> description;
};
using SiteHookPtr = std::shared_ptr<SiteHook>;

// The hooks of one network call, in the order in which they apply.
class Hooks {
public:
    // Acts on rows [first, first + rows) of the call. A hook may be added several times, for other rows; one with a
    // memory knows its rows from call to call by `offset`, that of the first.
    void add(SiteHookPtr hook, std::int64_t first, std::int64_t rows, std::int64_t offset = 0);
    // Of every row of the call; without it hooks find a state without noise.
    void setLevels(std::vector<NoiseShare> levels) { m_levels = std::move(levels); }
    NoiseShare level(std::int64_t row) const {
        return std::size_t(row) < m_levels.size() ? m_levels[std::size_t(row)] : NoiseShare{};
    }
    // What the backend notes of the call (Backend::setTrace): hooks find in it what a site has cost. Null: nothing.
    void setTrace(const kernels::Trace* trace) { m_trace = trace; }
    double tracedFlops() const;
    // Of a row of the call that succeeded last; nothing where no hook measures it.
    std::optional<double> savedFlops(std::int64_t row) const;
    // As of SiteHook, for every hook.
    void starting() const;
    void completed() const;
    bool isEmpty() const { return m_hooks.empty(); }
    bool actAt(const Site& site) const;

    struct Acting {
        SiteHook* hook;
        std::int64_t origin;  // the row of the call at which SiteCall::offset would be 0
    };
    // Adjacent rows on which the same hooks act.
    struct Run {
        std::int64_t first = 0, rows = 0;
        std::vector<Acting> hooks;
    };
    // Rows [first, first + rows) at a site.
    std::vector<Run> runs(const Site& site, std::int64_t first, std::int64_t rows) const;

private:
    struct Added {
        SiteHookPtr hook;
        std::int64_t first, rows, origin;
    };
    std::vector<Added> m_hooks;
    std::vector<NoiseShare> m_levels;
    const kernels::Trace* m_trace = nullptr;
};

}  // namespace meander::nn
