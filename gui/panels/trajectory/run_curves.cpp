#include "gui/panels/trajectory/run_curves.h"

namespace meander::gui {

PanelCurves curvesOf(const std::vector<std::shared_ptr<const Run>>& runs, int image) {
    PanelCurves result;
    std::vector<std::vector<State>> paths;
    for (const auto& run : runs) {
        if (!run || !run->trajectory || run->trajectory->steps.empty()) continue;
        const std::int64_t row = std::min<std::int64_t>(image, run->trajectory->initial.shape()[0] - 1);
        auto frames = pathOf(*run->trajectory, row).frames;
        // Paths of states of another size cannot share axes.
        if (!paths.empty() && frames.front().size() != paths.front().front().size()) continue;
        DiagnosticOptions options;
        if (run->model.state == StateKind::Image) options.image = int(row);
        result.runs.push_back({run->id, run, {}, diagnose(*run->trajectory, options)});
        paths.push_back(std::move(frames));
    }
    if (paths.empty()) return result;
    const ProjectionBasis basis = paths.size() == 1 ? fitProjection(paths.front()) : fitProjection(paths);
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
