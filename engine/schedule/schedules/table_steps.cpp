// The schedules of ComfyUI, A1111, Forge and sd.cpp that walk the table of training levels (for continuous σ and flow
// models: a table of 1000).
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

using Tool = StepTable::Tool;

Tool toolOf(const ScheduleContext& c) { return isDialect(c, "sdcpp") ? Tool::SdCpp : Tool::ComfyUi; }

ParamSpec toolParam() { return dialectParam({{"comfyui", "ComfyUI, A1111, Forge"}, {"sdcpp", "sd.cpp"}}); }

bool isAlmostZero(double tau) { return tau <= 1e-5; }

// Every N-th entry from the noisy end.
std::vector<double> makeSimple(const ScheduleContext& c) {
    const StepTable table(c, toolOf(c));
    const int n = table.size();
    std::vector<double> levels;
    for (int i = 0; i < c.steps; ++i) {
        const int back =
            isDialect(c, "sdcpp") ? int(float(i) * (float(n) / float(c.steps))) : int(i * (double(n) / c.steps));
        levels.push_back(table.level(std::max(0, n - 1 - back)));
    }
    levels.push_back(0);
    return levels;
}

// Even in the tool's time, both ends included.
std::vector<double> makeNormal(const ScheduleContext& c) {
    const StepTable table(c, toolOf(c));
    if (isDialect(c, "sdcpp")) {  // 32-bit times: the last is not exactly 0
        const float last = float(table.size() - 1), step = c.steps == 1 ? 0 : last / float(c.steps - 1);
        std::vector<double> levels;
        for (int i = 0; i < c.steps; ++i) levels.push_back(table.atTime(std::max(0.0f, last - step * float(i))));
        levels.push_back(0);
        return levels;
    }
    const double from = table.first(), to = table.last();
    const bool endsAtZero = isAlmostZero(table.atTime(to));  // then that level is the end
    auto levels = ramp(c.steps + endsAtZero, [&](double u) { return table.atTime(from + u * (to - from)); });
    if (endsAtZero) levels.pop_back();
    return levels;
}

// Even in the tool's time without the last.
std::vector<double> makeSgmUniform(const ScheduleContext& c) {
    const StepTable table(c, toolOf(c));
    std::vector<double> levels;
    if (isDialect(c, "sdcpp")) {  // running 32-bit sums
        const float last = float(table.size() - 1), step = (0.0f - last) / float(c.steps);
        float time = last;
        for (int i = 0; i < c.steps; ++i, time += step) levels.push_back(table.atTime(time));
    } else {
        const double from = table.first(), to = table.last();
        for (int i = 0; i < c.steps; ++i) levels.push_back(table.atTime(from + double(i) / c.steps * (to - from)));
    }
    levels.push_back(0);
    return levels;
}

// Entries 1, 1 + s, 1 + 2s … with the whole stride s = table/N: more than N when N does not divide the table, and the
// noisiest is rarely visited.
std::vector<double> makeDdimUniform(const ScheduleContext& c) {
    const StepTable table(c, Tool::ComfyUi);
    const bool endsAtZero = isDialect(c, "comfyui") && isAlmostZero(table.level(1));
    const int stride = std::max(1, table.size() / (c.steps + endsAtZero));
    std::vector<double> levels;
    if (!endsAtZero) levels.push_back(0);
    for (int k = 1; k < table.size(); k += stride) levels.push_back(table.level(k));
    return {levels.rbegin(), levels.rend()};
}

// A cubic ease in and out of the training steps, in 32-bit arithmetic.
std::vector<double> makeSmoothstep(const ScheduleContext& c) {
    const StepTable table(c, Tool::SdCpp);
    const int last = table.size() - 1;
    std::vector<double> levels;
    for (int i = 0; i < c.steps; ++i) {
        const float u = 1.0f - float(i) / float(c.steps), eased = u * u * (3.0f - 2.0f * u);
        levels.push_back(c.process.kind() == ProcessKind::VarianceExploding
                             ? table.atTime(std::round(eased * float(last)))
                             : table.level(int(std::round(eased * float(last)))));
    }
    levels.push_back(0);
    return levels;
}

// SD-Turbo: the first N of 999, 899 … 99 (ComfyUI), or N even blocks' last steps (Forge).
std::vector<double> makeSdTurbo(const ScheduleContext& c) {
    const StepTable table(c, Tool::ComfyUi);
    const int n = table.size();
    const bool isComfy = isDialect(c, "comfyui");
    const auto levelOf = [&](double step) {  // both tools read step k as the time k of their flow table
        step = std::clamp(step, 0.0, double(n - 1));
        return c.process.kind() == ProcessKind::RectifiedFlow ? table.atTime(step / n) : table.level(int(step));
    };
    if (isComfy && c.steps > 10)
        throw Failure("SD Turbo has 10 steps at most; ask for fewer, or choose the dialect \"a1111\".");
    std::vector<double> levels;
    for (int i = 0; i < c.steps; ++i) {
        if (isComfy) levels.push_back(levelOf(double(10 - i) * n / 10 - 1));
        else levels.push_back(levelOf(std::nearbyint(float(c.steps - i) * float(double(n) / c.steps) - 1)));
    }
    levels.push_back(0);
    return levels;
}

}  // namespace

ScheduleInfo simple() {
    return {.id = "simple",
            .label = "Simple",
            .summary = "Every so many training steps from the noisy end",
            .source = "ComfyUI, simple_scheduler",
            .group = "Training steps",
            .params = {toolParam(), shiftOfTable()},
            .make = makeSimple};
}

ScheduleInfo normal() {
    return {.id = "normal",
            .label = "Normal",
            .summary = "Even in the tool's time with both ends; \"Uniform\" of A1111, \"discrete\" of sd.cpp",
            .source = "k-diffusion, get_sigmas; ComfyUI, normal_scheduler",
            .group = "Training steps",
            .params = {toolParam(), shiftOfTable()},
            .make = makeNormal};
}

ScheduleInfo sgmUniform() {
    return {.id = "sgm_uniform",
            .label = "SGM uniform",
            .summary = "Even in the tool's time without the last step",
            .source = "Stability AI generative models; ComfyUI, sgm_uniform",
            .group = "Training steps",
            .params = {toolParam(), shiftOfTable()},
            .make = makeSgmUniform};
}

ScheduleInfo ddimUniform() {
    return {.id = "ddim_uniform",
            .label = "DDIM uniform",
            .summary = "Whole strides from training step 1; rarely begins at pure noise",
            .source = "ComfyUI, ddim_scheduler; A1111, DDIM",
            .group = "Training steps",
            .params = {dialectParam({{"comfyui", "ComfyUI"}, {"a1111", "A1111, Forge"}}), shiftOfTable()},
            .make = makeDdimUniform};
}

ScheduleInfo smoothstep() {
    return {.id = "smoothstep",
            .label = "Smoothstep",
            .summary = "Cubic ease over the training steps: slow at both ends",
            .source = "sd.cpp, smoothstep",
            .group = "Training steps",
            .params = {shiftOfTable()},
            .make = makeSmoothstep};
}

ScheduleInfo sdTurbo() {
    return {.id = "sd_turbo",
            .label = "SD Turbo",
            .summary = "Steps that turbo models were distilled on: 999, 899 …",
            .source = "ComfyUI, SDTurboScheduler; Forge, Turbo",
            .group = "Training steps",
            .params = {dialectParam({{"comfyui", "ComfyUI: first N of ten"}, {"a1111", "Forge: N even blocks"}}),
                       shiftOfTable()},
            .make = makeSdTurbo};
}

}  // namespace meander::schedule
