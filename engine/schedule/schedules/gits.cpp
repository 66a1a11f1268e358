// Levels chosen on the trajectories of Stable Diffusion 1.5 by dynamic programming (Chen et al. 2024, GITS): published
// lists for 2 to 20 steps and 15 coefficients, stretched log-linearly beyond. Forge has two lists of 11 in the manner
// of its Align Your Steps.
#include <cstdint>

#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

#include "engine/schedule/schedules/gits_tables.inl"

std::vector<double> listOf(double coefficient, int steps) {
    const int row = std::clamp(int(std::lround((coefficient - 0.8) / 0.05)), 0, 14);
    std::vector<double> levels;
    for (int i = 0; i <= steps; ++i) levels.push_back(gitsLevels[gitsLists[row][steps - 2][i]]);
    return levels;
}

std::vector<double> make(const ScheduleContext& c) {
    if (c.process.kind() == ProcessKind::RectifiedFlow)
        throw Failure("The GITS tables are for Stable Diffusion, not for flow models. Choose \"Flow shift\" or "
                      "\"Optimal steps\".");
    if (isDialect(c, "a1111") || isDialect(c, "a1111_sdxl")) {
        const std::vector<double> table =
            isDialect(c, "a1111")
                ? std::vector<double>{14.615, 4.617, 2.507, 1.236, 0.702, 0.402, 0.240, 0.156, 0.104, 0.094, 0.029}
                : std::vector<double>{14.615, 4.734, 2.567, 1.529, 0.987, 0.652, 0.418, 0.268, 0.179, 0.127, 0.029};
        auto levels = c.steps == int(table.size()) ? table : resampleLog(table, c.steps);
        levels.push_back(0);
        return levels;
    }
    if (c.steps < 2) throw Failure("The GITS tables begin at 2 steps; ask for at least that many.");
    const double coefficient = real(c.params, "coefficient");
    auto levels = listOf(coefficient, std::min(c.steps, 20));
    if (c.steps > 20)
        levels = isDialect(c, "sdcpp") ? resampleLog32(levels, c.steps + 1) : resampleLog(levels, c.steps + 1);
    levels.back() = 0;
    return levels;
}

}  // namespace

ScheduleInfo gits() {
    return {.id = "gits",
            .label = "GITS",
            .summary = "Published levels fitted to the curvature of sampling paths",
            .source = "Chen et al. 2024, On the trajectory regularity of ODE-based diffusion sampling",
            .group = "Optimised tables",
            .params = {realParam("coefficient", "Coefficient", 1.2, 0.8, 1.5,
                                 "Larger values move steps towards low noise; rounded to 0.05."),
                       dialectParam({{"comfyui", "ComfyUI"},
                                     {"sdcpp", "sd.cpp: the same in 32 bit"},
                                     {"a1111", "Forge, \"Align Your Steps GITS\", SD 1.5"},
                                     {"a1111_sdxl", "Forge, \"Align Your Steps GITS\", SDXL"}})},
            .make = make};
}

}  // namespace meander::schedule
