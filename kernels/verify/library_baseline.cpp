#include "kernels/verify/library_baseline.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "kernels/api/backend.h"
#include "kernels/verify/dnnl_baseline.h"

namespace meander::kernels {
namespace {

double medianMilliseconds(int repeats, const std::function<void()>& run) {
    using Clock = std::chrono::steady_clock;
    run();  // warm: pages, caches, code
    std::vector<double> times;
    for (int i = 0; i < std::max(1, repeats); ++i) {
        const auto start = Clock::now();
        run();
        times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    std::nth_element(times.begin(), times.begin() + std::ptrdiff_t(times.size() / 2), times.end());
    return times[times.size() / 2];
}

bool isNorm(Operation o) { return o == Operation::GroupNorm || o == Operation::LayerNorm || o == Operation::RmsNorm; }

// oneDNN 2 has no group norm: for norms, which are a few percent, our own loops stand in.
double measureNorm(Backend& backend, const TracedOp& op, DType type, int repeats) {
    const auto* e = op.extents;
    const Shape shape = op.kind == Operation::GroupNorm ? Shape{e[0], e[1], e[2]} : Shape{e[0], e[1]};
    View x{backend.allocate(std::size_t(shape.count()) * sizeOf(type)), type, shape}, y = x;
    y.data = backend.allocate(x.bytes());
    backend.fill(x, 0.5);
    const double ms = medianMilliseconds(repeats, [&] {
        if (op.kind == Operation::GroupNorm) backend.groupNorm(x, {}, {}, int(e[3]), 1e-5f, Activation::Silu, y);
        else backend.layerNorm(x, {}, {}, 1e-5f, {}, {}, y);
    });
    backend.release(x.data);
    backend.release(y.data);
    return ms;
}

// The fastest of the ways oneDNN can do it.
void measureLine(DnnlBaseline& dnnl, Backend& backend, BaselineLine& line, DType type, int repeats) {
    if (isNorm(line.op.kind)) {
        line.milliseconds = measureNorm(backend, line.op, type, repeats);
        line.implementation = "own";
        return;
    }
    line.milliseconds = INFINITY;
    for (const BaselineCandidate& candidate : dnnl.candidates(line.op, type)) {
        const double ms = medianMilliseconds(repeats, candidate.run);
        if (ms < line.milliseconds) {
            line.milliseconds = ms;
            line.implementation = candidate.implementation;
        }
    }
}

}  // namespace

double BaselineReport::totalMilliseconds() const {
    double sum = 0;
    for (const BaselineLine& l : lines) sum += l.milliseconds * l.count;
    return sum;
}
double BaselineReport::milliseconds(Operation kind) const {
    double sum = 0;
    for (const BaselineLine& l : lines) sum += l.op.kind == kind ? l.milliseconds * l.count : 0;
    return sum;
}
double BaselineReport::flops() const {
    double sum = 0;
    for (const BaselineLine& l : lines) sum += l.op.flops * l.count;
    return sum;
}

BaselineReport measureBaseline(const Trace& ops, DType type, int repeats, int threads) {
    BaselineReport report;
    report.type = type;
    const auto backend = createCpuBackend({.threads = threads});  // also sets the threads oneDNN uses
    DnnlBaseline dnnl;
    report.threads = dnnl.threads();
    for (TracedOp op : ops) {
        op.type = type;
        const auto same =
            std::find_if(report.lines.begin(), report.lines.end(), [&](const BaselineLine& l) { return l.op == op; });
        if (same != report.lines.end()) ++same->count;
        else report.lines.push_back({op, 1, 0, {}});
    }
    for (BaselineLine& line : report.lines) measureLine(dnnl, *backend, line, type, repeats);
    return report;
}

}  // namespace meander::kernels
