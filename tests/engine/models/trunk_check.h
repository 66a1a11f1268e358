// The trunks of a network (nn::SiteKind::Trunk), the same check for every architecture.
#pragma once
#include <cmath>
#include <functional>
#include <string>

#include "engine/interventions/intervention.h"
#include "engine/models/denoiser.h"
#include "engine/models/model.h"

namespace meander::test {

// A sentence when the network does not have the trunks that are described, when keeping one changes a bit of the call
// that computes it, or when the kept one is computed again or gives another output for the same input. `output`: of the
// network for two rows.
inline std::string trunkFault(Backend& backend, const Denoiser& net, const ModelInfo& info,
                              const std::function<HostTensor(const nn::Hooks&)>& output) {
    int trunks = 0;
    for (const nn::Site* s : net.sites()) trunks += s->kind == nn::SiteKind::Trunk;
    if (trunks != info.trunks || trunks < 1)
        return std::to_string(info.trunks) + " trunks are described, " + std::to_string(trunks) + " built";
    const auto flops = [&](const nn::Hooks& hooks, HostTensor& y) {
        kernels::Trace trace;
        backend.setTrace(&trace);
        y = output(hooks);
        backend.setTrace(nullptr);
        double sum = 0;
        for (const auto& op : trace) sum += op.flops;
        return sum;
    };
    nn::Hooks hooks;
    hooks.add(makeHook({"tea_cache", {{"threshold", 50.0}}}, {info, {}}), 0, 2);
    HostTensor plain, computed, reused;
    flops({}, plain);
    hooks.starting();
    const double whole = flops(hooks, computed);
    hooks.completed();
    hooks.starting();
    const double part = flops(hooks, reused);
    hooks.completed();
    if (!computed.sameBits(plain)) return "a call whose trunk is kept has other bits";
    if (!(part < 0.95 * whole)) return "a kept trunk is computed again";
    double off = 0, square = 0;
    for (std::int64_t i = 0; i < plain.count(); ++i) {
        off += (reused.at(i) - plain.at(i)) * (reused.at(i) - plain.at(i));
        square += plain.at(i) * plain.at(i);
    }
    if (!(std::sqrt(off / square) < 1e-5)) return "a kept trunk gives another output for the same input";
    return {};
}

}  // namespace meander::test
