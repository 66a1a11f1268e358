#include "engine/run/driver.h"

#include <algorithm>
#include <cmath>

#include "engine/interventions/attention_store.h"
#include "engine/interventions/self_attention_mass.h"
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
    std::shared_ptr<AttentionStore> attention;                        // null: none is recorded
    std::map<int, std::shared_ptr<SelfAttentionMass>> selfAttention;  // by transformer block
    std::vector<double> fromState, fromOutput;
};

// Records attention where runs want it: behind the hooks that change it.
void observe(Model& model, const std::vector<BatchSlot>& slots, PackedBatch& p) {
    auto level = AttentionLevel::Off;
    const auto records = [](const BatchSlot& s) {
        return s.run->recordsAttention() && s.rows->branch == Branch::Conditional;
    };
    for (const BatchSlot& slot : slots)
        if (records(slot)) level = std::max(level, slot.run->attentionLevel());
    if (level != AttentionLevel::Off) p.attention = std::make_shared<AttentionStore>(level, model.info().attention);
    for (const BatchSlot& slot : slots) {
        const std::int64_t rows = slot.rows->state.rows();
        if (records(slot)) p.batch.hooks.add(p.attention, slot.first, rows, slot.first);
        if (const auto block = slot.rows->selfBlock) {
            auto& mass = p.selfAttention[*block];
            if (!mass) mass = std::make_shared<SelfAttentionMass>(*block);
            p.batch.hooks.add(mass, slot.first, rows, slot.first);
        }
    }
}

PackedBatch pack(Model& model, std::vector<BatchSlot>& slots) {
    const ModelInfo& info = model.info();
    PackedBatch p;
    std::vector<Tensor> parts;
    std::vector<double> input;
    bool scales = false, isGuided = false;
    std::int64_t row = 0;
    for (BatchSlot& slot : slots) {
        const RowGroup& g = *slot.rows;
        Conversion c = conversionAt(info.process, info.parametrization, g.tau, info.sigmaData);
        const double networkTau = std::isnan(g.networkTau) ? g.tau : g.networkTau;
        if (networkTau != g.tau)
            c.time = conversionAt(info.process, info.parametrization, networkTau, info.sigmaData).time;
        const auto rows = std::size_t(g.state.rows());
        parts.push_back(g.state);
        slot.first = row;
        row += std::int64_t(rows);
        scales |= c.input != 1;
        isGuided |= g.guidance.has_value();
        input.insert(input.end(), rows, c.input);
        p.fromState.insert(p.fromState.end(), rows, c.fromState);
        p.fromOutput.insert(p.fromOutput.end(), rows, c.fromOutput);
        p.batch.times.insert(p.batch.times.end(), rows, c.time);
        p.batch.taus.insert(p.batch.taus.end(), rows, networkTau);
        p.batch.targets.insert(p.batch.targets.end(), rows, g.target);
        p.batch.conditioning.insert(p.batch.conditioning.end(), rows, g.conditioning);
        p.batch.guidance.insert(p.batch.guidance.end(), rows, g.guidance);
        for (const auto& hook : g.hooks)
            p.batch.hooks.add(hook, slot.first, std::int64_t(rows), std::int64_t(slot.request * rows));
    }
    if (!isGuided) p.batch.guidance.clear();
    observe(model, slots, p);
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
    const Tensor output = model.predict(p.batch);
    const Tensor values[] = {p.states, output};
    const std::vector<double> factors[] = {p.fromState, p.fromOutput};
    const bool isEstimate = model.info().parametrization == Parametrization::X0;
    const Tensor denoised = isEstimate ? output : combineRows(values, factors);
    backend.synchronize();
    p.batch.hooks.completed();
    const int rows = int(p.states.rows());
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    recordSecondsPerRow(model.info().id, ms / 1000 / rows);

    std::vector<GroupAnswer> answers;
    for (const BatchSlot& slot : slots) {
        const std::int64_t first = slot.first, n = slot.rows->state.rows();
        GroupAnswer a;
        a.denoised = denoised.slice(first, n);
        a.rowsInCall = rows;
        a.milliseconds = ms * double(n) / rows;
        if (slot.run->recordsAttention() && slot.rows->branch == Branch::Conditional)
            for (std::int64_t r = 0; r < n; ++r) a.attention.push_back(p.attention->take(first + r));
        if (const auto block = slot.rows->selfBlock)
            for (std::int64_t r = 0; r < n; ++r) a.selfMass.push_back(p.selfAttention.at(*block)->take(first + r));
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
