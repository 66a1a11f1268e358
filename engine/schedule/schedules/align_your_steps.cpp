// Published tables of optimised levels, stretched to other N log-linearly: Align Your Steps (Sabour et al. 2024) and
// OptimalSteps (Pei et al. 2025).
#include <array>

#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

using Table = std::vector<double>;

// Exact levels of the training steps (ComfyUI, sd.cpp); of SVD as published.
const Table& levelsOf(const std::string& model) {
    static const Table sd1 = {14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177, 1.3943805092,
                              0.9642583904,  0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582};
    static const Table sdxl = {14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141,
                               0.5550693289,  0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582};
    static const Table svd = {700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002};
    return model == "sd1" ? sd1 : model == "sdxl" ? sdxl : svd;
}

// As published, to three digits (A1111, Forge), and the later table of 32.
const Table& publishedOf(const std::string& model, bool isLong) {
    static const Table sd1 = {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029},
                       sdxl = {14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029};
    static const Table sd1Long = {14.615,     11.23951352, 8.64363081, 6.64729424, 5.57250862, 4.71648546, 3.99196065,
                                  3.5195609,  3.13490466,  2.79228788, 2.48773628, 2.21663865, 1.97508351, 1.77931720,
                                  1.61475335, 1.46540953,  1.31484900, 1.16642497, 1.03475547, 0.91573744, 0.80748169,
                                  0.71202361, 0.62173900,  0.53065202, 0.45290960, 0.37491455, 0.27461819, 0.20115290,
                                  0.14105873, 0.06682881,  0.03166121, 0.015};
    static const Table sdxlLong = {14.615,     11.1491618, 8.50522127, 6.48827151, 5.43707402, 4.60398619, 3.89854704,
                                   3.27407457, 2.74396527, 2.29968659, 1.95448514, 1.67108715, 1.42878152, 1.23181009,
                                   1.06789649, 0.92579443, 0.80290886, 0.69660121, 0.60436903, 0.52852552, 0.46773344,
                                   0.41393379, 0.36258186, 0.31008517, 0.26518925, 0.22326461, 0.17653877, 0.13959192,
                                   0.10587381, 0.05519369, 0.02877334, 0.015};
    return isLong ? (model == "sdxl" ? sdxlLong : sd1Long) : model == "sdxl" ? sdxl : sd1;
}

std::vector<double> fromDiffusers(const ScheduleContext& c, const std::string& model) {
    static const std::array<int, 10> sd1 = {999, 850, 736, 645, 545, 455, 343, 233, 124, 24},
                                     sdxl = {999, 845, 730, 587, 443, 310, 193, 116, 53, 13};
    if (c.steps != 10 || c.process.trainingSteps() != 1000)
        throw Failure("The Align Your Steps lists of diffusers have 10 of 1000 training steps. Ask for 10 steps, or "
                      "choose the dialect \"comfyui\", which stretches to any number.");
    std::vector<double> levels;
    for (const int step : model == "sdxl" ? sdxl : sd1) levels.push_back(c.process.tauOfStep(step));
    levels.push_back(0);
    return levels;
}

std::vector<double> makeAlignYourSteps(const ScheduleContext& c) {
    if (c.process.kind() == ProcessKind::RectifiedFlow)
        throw Failure("Align Your Steps has tables for Stable Diffusion 1.5, SDXL and SVD, not for flow models. Choose "
                      "\"Flow shift\" or \"Optimal steps\".");
    const std::string& model = text(c.params, "table");
    const bool isShort = isDialect(c, "a1111"), isLong = isDialect(c, "a1111_32"),
               isDiffusers = isDialect(c, "diffusers");
    if (model == "svd" && (isShort || isLong || isDiffusers))
        throw Failure("That dialect of Align Your Steps has no table for SVD. Choose the dialect \"comfyui\".");
    if (isDiffusers) return fromDiffusers(c, model);
    if (isShort || isLong) {  // N points of the table, then 0
        const Table& table = publishedOf(model, isLong);
        auto levels = c.steps == int(table.size()) ? table : resampleLog(table, c.steps);
        levels.push_back(0);
        return levels;
    }
    const bool is32 = isDialect(c, "sdcpp") && c.steps != 10;
    auto levels = is32 ? resampleLog32(levelsOf(model), c.steps + 1)
                       : resampleLog(levelsOf(model), c.steps + 1);  // N + 1 points, the last set to 0
    levels.back() = 0;
    return levels;
}

std::vector<double> makeOptimalSteps(const ScheduleContext& c) {
    requireFlow(c, "\"Optimal steps\"");
    static const Table flux = {0.9968, 0.9886, 0.9819, 0.975, 0.966, 0.9471, 0.9158, 0.8287, 0.5512, 0.2808, 0.001};
    static const Table wan = {1.0,   0.997, 0.995, 0.993, 0.991, 0.989, 0.987, 0.985, 0.98,  0.975, 0.973,
                              0.968, 0.96,  0.946, 0.927, 0.902, 0.864, 0.776, 0.539, 0.208, 0.001};
    static const Table chroma = {0.992, 0.99,  0.988, 0.985, 0.982, 0.978, 0.973, 0.968, 0.961, 0.953, 0.943,
                                 0.931, 0.917, 0.9,   0.881, 0.858, 0.832, 0.802, 0.769, 0.731, 0.69,  0.646,
                                 0.599, 0.55,  0.501, 0.451, 0.402, 0.355, 0.311, 0.27,  0.232, 0.199, 0.169,
                                 0.143, 0.12,  0.101, 0.084, 0.07,  0.058, 0.048, 0.001};
    if (c.steps < 3)
        throw Failure("\"Optimal steps\" needs at least 3 steps; ask for more, or choose another schedule.");
    const std::string& model = text(c.params, "table");
    auto levels = resampleLog(model == "flux" ? flux : model == "wan" ? wan : chroma, c.steps + 1);
    levels.back() = 0;
    return levels;
}

}  // namespace

ScheduleInfo alignYourSteps() {
    return {
        .id = "ays",
        .label = "Align Your Steps",
        .summary = "Published optimal levels, stretched to other numbers of steps",
        .source = "Sabour et al. 2024, tables of appendix D",
        .group = "Optimised tables",
        .params = {choiceParam("table", "Model",
                               {{"sd1", "Stable Diffusion 1.5"}, {"sdxl", "SDXL"}, {"svd", "Stable Video Diffusion"}},
                               "Which model the levels were optimised for."),
                   dialectParam({{"comfyui", "ComfyUI: N + 1 points, the last becomes 0"},
                                 {"sdcpp", "sd.cpp: the same in 32 bit"},
                                 {"a1111", "A1111, Forge: N points, then 0"},
                                 {"a1111_32", "Forge, table of 32"},
                                 {"diffusers", "diffusers: ten training steps"}})},
        .make = makeAlignYourSteps};
}

ScheduleInfo optimalSteps() {
    return {.id = "optimal_steps",
            .label = "Optimal steps",
            .summary = "Published optimal times of flow models, stretched to other numbers of steps",
            .source = "Pei et al. 2025, OptimalSteps; ComfyUI",
            .group = "Optimised tables",
            .params = {choiceParam("table", "Model", {{"flux", "FLUX"}, {"wan", "Wan"}, {"chroma", "Chroma"}},
                                   "Which model the times were optimised for.")},
            .make = makeOptimalSteps};
}

}  // namespace meander::schedule
