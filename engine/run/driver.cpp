#include "engine/run/driver.h"

#include <algorithm>
#include <chrono>

#include "engine/run/network_call.h"
#include "engine/run/shared_work.h"
#include "engine/run/timing_cache.h"

namespace meander {

namespace {

// The rows that one model answers in one call: states of one shape, conditioned on tensors of one shape.
struct ModelCall {
    Model* model;
    std::vector<BatchSlot> slots;
};

bool canShare(const RowGroup& a, const RowGroup& b) {
    if (a.state.shape().with(0, 1) != b.state.shape().with(0, 1)) return false;
    const bool isConditioned = a.conditioning && b.conditioning;
    return isConditioned ? a.conditioning->conditions.fits(b.conditioning->conditions)
                         : a.conditioning == b.conditioning;
}

std::vector<ModelCall> callsFor(const std::vector<BatchItem>& items) {
    std::vector<ModelCall> calls;
    for (const auto& [run, requests] : items)
        for (std::size_t k = 0; k < requests; ++k) {
            const auto& groups = run->waiting(k);
            for (std::size_t g = 0; g < groups.size(); ++g) {
                auto call = std::find_if(calls.begin(), calls.end(), [&](const ModelCall& c) {
                    return c.model == groups[g].model && canShare(*c.slots.front().rows, groups[g]);
                });
                if (call == calls.end()) call = calls.insert(calls.end(), {groups[g].model, {}});
                call->slots.push_back({run, k, g, &groups[g]});
            }
        }
    return calls;
}

// [request][group] of one run.
struct RunAnswers {
    ActiveRun* run;
    std::vector<std::vector<GroupAnswer>> answers;
};

class Round {
public:
    Round(Backend& backend, MemoryBudget& budget, const std::vector<BatchItem>& items)
        : m_backend(backend), m_budget(budget) {
        for (const auto& [run, requests] : items) {
            m_runs.push_back({run, std::vector<std::vector<GroupAnswer>>(requests)});
            for (std::size_t k = 0; k < requests; ++k) m_runs.back().answers[k].resize(run->waiting(k).size());
        }
    }

    // Rows that runs of one group know already, or have in common here, are computed once.
    void evaluate(const ModelCall& call) {
        ModelCall fresh{call.model, {}};
        std::vector<std::optional<RowKey>> keys;                     // of `fresh`
        std::vector<std::pair<BatchSlot, std::size_t>> repetitions;  // with the place in `fresh` of what they repeat
        for (const BatchSlot& s : call.slots) {
            std::optional<RowKey> key = keyOf(s);
            if (key && isKnown(s, *key)) continue;
            const auto same = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return key && k == key; });
            const auto place = std::size_t(same - keys.begin());
            if (same != keys.end() && fresh.slots[place].run->shared() == s.run->shared()) {
                repetitions.emplace_back(s, place);
                continue;
            }
            keys.push_back(std::move(key));
            fresh.slots.push_back(s);
        }
        if (!fresh.slots.empty()) compute(fresh);
        ModelCall alone{call.model, {}};  // those whose twin failed
        for (const auto& [slot, place] : repetitions)
            if (!repeat(fresh.slots[place], slot)) alone.slots.push_back(slot);
        for (std::size_t i = 0; i < keys.size(); ++i)
            if (const BatchSlot& s = fresh.slots[i]; keys[i] && !s.run->hasFailed())
                s.run->shared()->add(std::move(*keys[i]), answerOf(s));
        if (!alone.slots.empty()) compute(alone);
    }

    void deliver() {
        for (auto& [run, answers] : m_runs) {
            if (run->hasFailed()) continue;
            try {
                const auto start = std::chrono::steady_clock::now();
                for (std::size_t k = 0; k < answers.size(); ++k)
                    if (!answers[k].empty()) run->deliver(k, std::move(answers[k]));
                run->answerComplete();
                const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
                recordSeconds(run->plan().model, Work::Request, run->images(), took.count() / double(answers.size()));
            } catch (const std::exception& e) {
                run->fail(e);
            }
        }
    }

private:
    // All at once; when that fails, each run alone, so that only those fail that cannot be answered.
    void compute(const ModelCall& call) {
        const bool isShared = std::any_of(call.slots.begin(), call.slots.end(),
                                          [&](const BatchSlot& s) { return s.run != call.slots.front().run; });
        if (isShared) {
            try {
                return take(call.slots, callNetwork(*call.model, m_backend, m_budget, call.slots));
            } catch (const std::exception&) {}
        }
        for (auto begin = call.slots.begin(); begin != call.slots.end();) {
            const auto end =
                std::find_if(begin, call.slots.end(), [&](const BatchSlot& s) { return s.run != begin->run; });
            const std::span<const BatchSlot> own(begin, end);
            try {
                take(own, callNetwork(*call.model, m_backend, m_budget, own));
            } catch (const std::exception& e) {
                begin->run->fail(e);
            }
            begin = end;
        }
    }

    // What sharing costs in memory must not cost a run its end: without it the row is computed.
    static std::optional<RowKey> keyOf(const BatchSlot& s) {
        try {
            return s.run->shared() ? SharedWork::keyOf(*s.rows, *s.run) : std::nullopt;
        } catch (const std::exception&) {
            return {};
        }
    }
    bool isKnown(const BatchSlot& s, const RowKey& key) {
        try {
            auto known = s.run->shared()->find(key);
            if (known) answerOf(s) = std::move(*known);
            return known.has_value();
        } catch (const std::exception&) {
            return false;
        }
    }
    bool repeat(const BatchSlot& first, const BatchSlot& second) {
        if (first.run->hasFailed()) return false;
        try {
            answerOf(second) = SharedWork::repeated(answerOf(first));
            return true;
        } catch (const std::exception&) {
            return false;
        }
    }

    void take(std::span<const BatchSlot> slots, std::vector<GroupAnswer> answers) {
        for (std::size_t i = 0; i < slots.size(); ++i) answerOf(slots[i]) = std::move(answers[i]);
    }

    GroupAnswer& answerOf(const BatchSlot& s) {
        const auto run = std::find_if(m_runs.begin(), m_runs.end(), [&](const auto& r) { return r.run == s.run; });
        return run->answers[s.request][s.group];
    }

    Backend& m_backend;
    MemoryBudget& m_budget;
    std::vector<RunAnswers> m_runs;
};

}  // namespace

void evaluateTogether(Backend& backend, MemoryBudget& budget, const std::vector<BatchItem>& items) {
    Round round(backend, budget, items);
    for (const ModelCall& call : callsFor(items)) round.evaluate(call);
    round.deliver();
}

}  // namespace meander
