// What reuses a trunk (nn::SiteKind::Trunk) from one evaluation to the next: the memory that all such interventions
// share. They differ in when they reuse, and in what they make of what they kept.
#pragma once
#include <map>
#include <vector>

#include "engine/interventions/common.h"

namespace meander::intervention {

class StepCache : public nn::SiteHook {
public:
    // `order`: differences over evaluations that are kept beside the trunk itself.
    explicit StepCache(int depth, int order = 0) : m_depth(depth), m_order(order) {}
    bool actsAt(const nn::Site& site) const override {
        return site.kind == nn::SiteKind::Trunk && site.block == m_depth;
    }
    bool decidesPerRow() const override { return true; }
    nn::Decision before(const nn::SiteCall& call) override;
    bool observesResidual(const nn::SiteCall&) const override { return true; }
    void after(const nn::SiteCall& call, const Tensor& made) override;
    void starting() override { m_pending.clear(); }
    void completed() override;
    std::optional<double> savedFlops(std::int64_t offset) const override;

protected:
    // One row of a run.
    struct Row {
        // The trunk that was computed last, and behind it its differences, each divided by the evaluations between.
        std::vector<Tensor> made;
        nn::Grid grid;
        std::int64_t age = 0;  // evaluations since then, this one included
        Tensor signal, now;    // what evaluations are compared with; the same of this one
        double distance = 0;   // gathered since then
        double flops = 0;      // that it cost
        double saved = 0;      // by this evaluation
    };
    // May this evaluation take what is kept? Notes in the row what later ones compare with. A row without memory is
    // computed whatever the answer.
    virtual bool mayReuse(Row& row, const nn::SiteCall& call) = 0;
    // The trunk was computed.
    virtual void renewed(Row& row) { static_cast<void>(row); }
    virtual Tensor reused(const Row& row) const { return row.made.front(); }

private:
    int m_depth, m_order;
    std::map<std::int64_t, Row> m_rows, m_pending;  // by SiteCall::offset
};

// mean |a − b| / mean |b|; infinite without b, or where the shapes differ.
double relativeDistance(const Tensor& a, const Tensor& b);

// The parameter `most`: evaluations that may reuse one after the other.
ParamSpec mostParam();

// The outermost trunk that has a block before it which the time reaches: in a transformer all blocks, whose own start
// is that; in a U-Net what is below its first block. Throws Failure where there is none.
int firstTrunk(const InterventionSetup& setup, const std::string& owner);

}  // namespace meander::intervention
