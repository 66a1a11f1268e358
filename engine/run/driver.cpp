#include "engine/run/driver.h"

#include <algorithm>
#include <cmath>

#include "engine/run/timing_cache.h"

namespace meander {

namespace {

// Rows of one branch of one request, and where they lie in the call of their model.
struct BatchSlot {
    ActiveRun* run;
    std::size_t request, group;
    const RowGroup* rows;
    std::int64_t first = 0;
};

struct PackedBatch {
    Tensor states;  // y, all rows
    NetworkBatch batch;
    TapRequest tap;
    std::vector<double> fromState, fromOutput;
};

PackedBatch pack(Model& model, std::vector<BatchSlot>& slots) {
    const ModelInfo& info = model.info();
    PackedBatch p;
    std::vector<Tensor> parts;
    std::vector<double> input;
    bool scales = false, isChanged = false;
    std::int64_t row = 0;
    for (BatchSlot& slot : slots) {
        const RowGroup& g = *slot.rows;
        Conversion c = conversionAt(info.process, info.parametrization, g.tau, info.sigmaData);
        const double networkTau = g.networkTau.value_or(g.tau);
        if (networkTau != g.tau)
            c.time = conversionAt(info.process, info.parametrization, networkTau, info.sigmaData).time;
        const auto rows = std::size_t(g.state.rows());
        parts.push_back(g.state);
        slot.first = row;
        row += std::int64_t(rows);
        scales |= c.input != 1;
        isChanged |= g.change != nullptr;
        input.insert(input.end(), rows, c.input);
        p.fromState.insert(p.fromState.end(), rows, c.fromState);
        p.fromOutput.insert(p.fromOutput.end(), rows, c.fromOutput);
        p.batch.times.insert(p.batch.times.end(), rows, c.time);
        p.batch.taus.insert(p.batch.taus.end(), rows, networkTau);
        p.batch.targets.insert(p.batch.targets.end(), rows, g.target);
        const bool taps = slot.run->recordsAttention() && g.branch == Branch::Conditional;
        if (taps) p.tap.attention = std::max(p.tap.attention, slot.run->attentionLevel());
        p.tap.rows.insert(p.tap.rows.end(), rows, char(taps));
        p.tap.selfBlocks.insert(p.tap.selfBlocks.end(), rows, g.selfBlock);
        p.batch.conditioning.insert(p.batch.conditioning.end(), rows, g.conditioning);
        p.batch.changes.insert(p.batch.changes.end(), rows, g.change);
    }
    if (!isChanged) p.batch.changes.clear();
    p.states = parts.size() == 1 ? parts.front() : stackRows(parts);
    p.batch.x = p.states;
    if (scales) {
        const Tensor values[] = {p.states};
        const std::vector<double> factors[] = {input};
        p.batch.x = combineRows(values, factors);
    }
    return p;
}

// One call of one model; answers[place] in the order of the places.
std::vector<GroupAnswer> evaluate(Model& model, Backend& backend, std::vector<BatchSlot>& slots) {
    const auto start = std::chrono::steady_clock::now();
    PackedBatch p = pack(model, slots);
    TapResult tapped;
    const Tensor output = model.predict(p.batch, p.tap, tapped);
    const Tensor values[] = {p.states, output};
    const std::vector<double> factors[] = {p.fromState, p.fromOutput};
    const bool isEstimate = model.info().parametrization == Parametrization::X0;
    const Tensor denoised = isEstimate ? output : combineRows(values, factors);
    backend.synchronize();
    const int rows = int(p.states.rows());
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    recordSecondsPerRow(model.info().id, ms / 1000 / rows);

    std::vector<GroupAnswer> answers;
    for (const BatchSlot& slot : slots) {
        const std::int64_t first = slot.first, n = slot.rows->state.rows();
        const auto taken = [&](auto& perRow) {
            return std::vector(std::make_move_iterator(perRow.begin() + first),
                               std::make_move_iterator(perRow.begin() + first + n));
        };
        GroupAnswer a;
        a.denoised = denoised.slice(first, n);
        a.rowsInCall = rows;
        a.milliseconds = ms * double(n) / rows;
        if (!tapped.attention.empty() && p.tap.rows[std::size_t(first)]) a.attention = taken(tapped.attention);
        if (!tapped.selfMass.empty() && slot.rows->selfBlock) a.selfMass = taken(tapped.selfMass);
        answers.push_back(std::move(a));
    }
    return answers;
}

}  // namespace

int evaluateTogether(Backend& backend, const std::vector<BatchItem>& items) {
    std::vector<Model*> models;
    std::vector<std::vector<BatchSlot>> calls;
    for (const auto& [run, requests] : items)
        for (std::size_t k = 0; k < requests; ++k) {
            const auto& groups = run->waiting(k);
            for (std::size_t g = 0; g < groups.size(); ++g) {
                const auto call =
                    std::size_t(std::find(models.begin(), models.end(), groups[g].model) - models.begin());
                if (call == models.size()) {
                    models.push_back(groups[g].model);
                    calls.emplace_back();
                }
                calls[call].push_back({run, k, g, &groups[g]});
            }
        }
    // [run and request] → answers of its groups
    std::vector<std::pair<const BatchItem*, std::vector<std::vector<GroupAnswer>>>> all;
    for (const BatchItem& item : items) {
        all.emplace_back(&item, std::vector<std::vector<GroupAnswer>>(item.requests));
        for (std::size_t k = 0; k < item.requests; ++k) all.back().second[k].resize(item.run->waiting(k).size());
    }
    int rows = 0;
    for (std::size_t call = 0; call < calls.size(); ++call) {
        auto answers = evaluate(*models[call], backend, calls[call]);
        rows += answers.front().rowsInCall;
        ActiveRun* counted = nullptr;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            const BatchSlot& slot = calls[call][i];
            if (slot.run != counted) slot.run->countCall();
            counted = slot.run;
            for (auto& [item, answered] : all)
                if (item->run == slot.run) answered[slot.request][slot.group] = std::move(answers[i]);
        }
    }
    for (auto& [item, answered] : all) {
        ActiveRun& run = *item->run;
        if (!run.problem.empty()) continue;
        try {
            for (std::size_t k = 0; k < answered.size(); ++k)
                if (!answered[k].empty()) run.deliver(k, std::move(answered[k]));
            run.answerComplete();
        } catch (const std::exception& e) {
            run.problem = e.what();  // one run's trouble is not its neighbours'
        }
    }
    return rows;
}

}  // namespace meander
