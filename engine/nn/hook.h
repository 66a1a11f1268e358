// Hooks: what observes, changes, skips or reuses at sites, for some rows of a network call. Any number of hooks may act
// at a site; they apply in the order in which they were added. Rows without a hook take the fused path and keep their
// bits.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/params.h"
#include "engine/nn/ops.h"
#include "engine/nn/site.h"

namespace meander::nn {

// Adjacent rows of a network call on which the same hooks act.
struct SiteCall {
    const Site& site;
    Grid grid;               // of the queries or pixels
    std::int64_t first = 0;  // of the call
    std::int64_t rows = 0;
    std::int64_t offset = 0;  // of the first row, as Hooks::add was given it
};

// What becomes of a residual branch x + f(x): f is computed, left out, or replaced by a kept residual.
struct Decision {
    enum Kind : std::uint8_t { Compute, Skip, Reuse } kind = Compute;
    Tensor residual;  // Reuse: of x's shape
};

class SiteHook {
public:
    virtual ~SiteHook() = default;
    virtual bool actsAt(const Site& site) const = 0;

    // Residual branches: the first hook that does not compute decides for its rows; what is not computed costs nothing.
    virtual Decision before(const SiteCall&) { return {}; }
    // Does `after` need the residual f(x) of these rows?
    virtual bool observesResidual(const SiteCall&) const { return false; }
    virtual void after(const SiteCall&, const Tensor& residual) { static_cast<void>(residual); }

    // Attention before its softmax: q, k and v may be replaced by other tensors.
    virtual void attending(const SiteCall&, Attention&) {}
    virtual bool needsProbabilities(const SiteCall&) const { return false; }
    // Computes y (rows, n, c), and the probabilities where they are needed, in place of the softmax. False: does not.
    virtual bool attend(const SiteCall&, const Attention&, const Tensor& y) {
        static_cast<void>(y);
        return false;
    }
    // Attention before its output projection: y (rows, n, c) may be changed in place.
    virtual void attended(const SiteCall&, const Attention&, const Tensor& y) { static_cast<void>(y); }

    // Skip: backbone and skip connection (rows, h, w, c) may be changed in place before they are joined.
    virtual void joining(const SiteCall&, const Tensor& backbone, const Tensor& skip) {
        static_cast<void>(backbone);
        static_cast<void>(skip);
    }

    // The network call in which the hook acted has succeeded: what it remembers of it counts from now on.
    virtual void completed() {}

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
    // The call has succeeded; a failed one is repeated as if it had not been.
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
};

}  // namespace meander::nn
