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

// oneDNN 2 has no group norm: for norms, which are a few percent, our own loops stand in.
double measureNorm(Backend& backend, const TracedOp& op, DType type, int repeats) {
    const auto* e = op.extents;
    const Shape shape = op.kind == TracedKind::GroupNorm ? Shape{e[0], e[1], e[2]} : Shape{e[0], e[1]};
    View x{backend.allocate(std::size_t(shape.count()) * sizeOf(type)), type, shape}, y = x;
    y.data = backend.allocate(x.bytes());
    backend.fill(x, 0.5);
    const double ms = medianMilliseconds(repeats, [&] {
        if (op.kind == TracedKind::GroupNorm) backend.groupNorm(x, {}, {}, int(e[3]), 1e-5f, Activation::Silu, y);
        else backend.layerNorm(x, {}, {}, 1e-5f, {}, {}, y);
    });
    backend.release(x.data);
    backend.release(y.data);
    return ms;
}

// The fastest of the ways oneDNN can do it.
void measureLine(FloorDnnl& dnnl, Backend& backend, FloorLine& line, DType type, int repeats) {
    if (line.op.kind == TracedKind::GroupNorm || line.op.kind == TracedKind::RowNorm) {
        line.milliseconds = measureNorm(backend, line.op, type, repeats);
        line.implementation = "own";
        return;
    }
    line.milliseconds = INFINITY;
    for (const FloorCandidate& candidate : dnnl.candidates(line.op, type)) {
        const double ms = medianMilliseconds(repeats, candidate.run);
        if (ms < line.milliseconds) {
            line.milliseconds = ms;
            line.implementation = candidate.implementation;
        }
    }
}

}  // namespace

double FloorReport::totalMilliseconds() const {
    double sum = 0;
    for (const FloorLine& l : lines) sum += l.milliseconds * l.count;
    return sum;
}
double FloorReport::milliseconds(TracedKind kind) const {
    double sum = 0;
    for (const FloorLine& l : lines) sum += l.op.kind == kind ? l.milliseconds * l.count : 0;
    return sum;
}
double FloorReport::flops() const {
    double sum = 0;
    for (const FloorLine& l : lines) sum += l.op.flops() * l.count;
    return sum;
}

FloorReport measureFloor(const Trace& ops, DType type, int repeats, int threads) {
    FloorReport report;
    report.type = type;
    const auto backend = createCpuBackend({.threads = threads});  // also sets the threads oneDNN uses
    FloorDnnl dnnl;
    report.threads = dnnl.threads();
    for (TracedOp op : ops) {
        op.type = type;
        const auto same =
            std::find_if(report.lines.begin(), report.lines.end(), [&](const FloorLine& l) { return l.op == op; });
        if (same != report.lines.end()) ++same->count;
        else report.lines.push_back({op, 1, 0, {}});
    }
    for (FloorLine& line : report.lines) measureLine(dnnl, *backend, line, type, repeats);
    return report;
}

}  // namespace meander::kernels
