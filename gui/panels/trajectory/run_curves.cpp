#include "gui/panels/trajectory/run_curves.h"

namespace meander::gui {
namespace {

// Runs that start or end apart have chords of their own, and what lies beside the first one's says nothing of the
// others. So every path is taken in its own frame: what is beside its chord, and as one more coordinate the way along
// it, in lengths of the first chord. All then run along the same axis, from one point to one point.
void standUpright(std::vector<std::vector<State>>& paths) {
    const double length = chordLength(paths.front());
    for (auto& path : paths) {
        const ProjectionBasis own = fitProjection(path);
        for (State& x : path) {
            double along = 0;
            if (!own.chord.empty()) {
                for (std::size_t i = 0; i < x.size(); ++i) x[i] -= own.origin[i];
                along = dot(x, own.chord);
                for (std::size_t i = 0; i < x.size(); ++i) x[i] -= along * own.chord[i];
                along *= length / own.chordLength;
            }
            x.push_back(along);
        }
    }
}

}  // namespace

PanelCurves curvesOf(const std::vector<std::shared_ptr<const Run>>& runs, int image) {
    PanelCurves result;
    std::vector<std::vector<State>> paths;
    for (const auto& run : runs) {
        if (!run || !run->trajectory || run->trajectory->steps.empty()) continue;
        const std::int64_t row = std::min<std::int64_t>(image, run->trajectory->initial.shape()[0] - 1);
        const ManifoldKind manifold = run->model.process.manifold().kind();
        auto frames = pathOf(*run->trajectory, row, manifold).frames;
        // Paths of states of another size cannot share axes.
        if (!paths.empty() && frames.front().size() != paths.front().front().size()) continue;
        DiagnosticOptions options{.manifold = manifold};
        if (run->model.state.kind == StateKind::Image) options.image = int(row);
        result.runs.push_back({run->id, run, {}, diagnose(*run->trajectory, options)});
        paths.push_back(std::move(frames));
    }
    if (paths.empty()) return result;
    if (paths.size() > 1) standUpright(paths);
    const ProjectionBasis basis = fitProjection(paths);
    std::vector<ProjectedPoint> all;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        result.runs[i].path = project(basis, paths[i]);
        all.insert(all.end(), result.runs[i].path.begin(), result.runs[i].path.end());
    }
    result.caption = captionOf(basis, all);
    result.chordLength = basis.chordLength;
    result.shares = basis.shares;
    return result;
}

}  // namespace meander::gui
