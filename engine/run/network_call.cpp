#include "engine/run/network_call.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>

#include "engine/interventions/attention_store.h"
#include "engine/interventions/self_attention_mass.h"
#include "engine/run/active_run.h"
#include "engine/run/timing_cache.h"

namespace meander {

namespace {

// Rows of a slot that go into one call.
struct Piece {
    const BatchSlot* slot;
    std::size_t answer;  // index of the slot
    std::int64_t first, count;
};

std::int64_t rowsOf(std::span<const Piece> pieces) {
    std::int64_t n = 0;
    for (const Piece& p : pieces) n += p.count;
    return n;
}

const ModelInfo& infoOf(std::span<const Piece> pieces) { return *pieces.front().slot->rows->info; }

struct PackedBatch {
    const ModelInfo& info;  // of all rows
    Tensor states;          // y
    NetworkBatch batch;
    std::shared_ptr<AttentionStore> attention;                        // null: none is recorded
    std::map<int, std::shared_ptr<SelfAttentionMass>> selfAttention;  // by transformer block
    std::vector<double> fromState, fromOutput;
};

bool recordsAttention(const BatchSlot& slot) {
    return slot.run->recordsAttention() && slot.rows->branch == Branch::Conditional;
}

// Records attention where runs want it: behind the hooks that change it.
void observe(const ModelInfo& info, std::span<const Piece> pieces, PackedBatch& p) {
    auto level = AttentionLevel::Off;
    for (const Piece& piece : pieces)
        if (recordsAttention(*piece.slot)) level = std::max(level, piece.slot->run->attentionLevel());
    if (level != AttentionLevel::Off) p.attention = std::make_shared<AttentionStore>(level, info.attention);
    std::int64_t row = 0;
    for (const Piece& piece : pieces) {
        if (recordsAttention(*piece.slot)) p.batch.hooks.add(p.attention, row, piece.count, row);
        if (const auto block = piece.slot->rows->selfBlock) {
            auto& mass = p.selfAttention[*block];
            if (!mass) mass = std::make_shared<SelfAttentionMass>(*block);
            p.batch.hooks.add(mass, row, piece.count, row);
        }
        row += piece.count;
    }
}

// By which hooks know a row from call to call: its place among all that the sampler awaits at once.
std::int64_t firstRow(const Piece& p) {
    return std::int64_t(p.slot->run->answeredRequests() + p.slot->request) * p.slot->rows->state.rows() + p.first;
}

PackedBatch pack(std::span<const Piece> pieces) {
    PackedBatch p{.info = *pieces.front().slot->rows->info};
    std::vector<Tensor> parts;
    std::vector<double> input;
    std::vector<nn::NoiseShare> levels;
    bool scales = false, isGuided = false;
    std::int64_t row = 0;
    for (const Piece& piece : pieces) {
        const RowGroup& g = *piece.slot->rows;
        const ModelInfo& info = *g.info;  // what is declared of a model differs from run to run
        Conversion c = conversionAt(info.process, info.parametrization, g.tau, info.sigmaData);
        const double networkTau = g.networkTau.value_or(g.tau);
        if (networkTau != g.tau)
            c.time = conversionAt(info.process, info.parametrization, networkTau, info.sigmaData).time;
        const auto rows = std::size_t(piece.count);
        parts.push_back(g.state.slice(piece.first, piece.count));
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
        for (const auto& hook : g.hooks) p.batch.hooks.add(hook, row, piece.count, firstRow(piece));
        levels.insert(levels.end(), rows, {info.process.signal(g.tau), g.tau});
        row += piece.count;
    }
    if (!isGuided) p.batch.guidance.clear();
    p.batch.hooks.setLevels(std::move(levels));
    observe(p.info, pieces, p);
    p.states = stackRows(parts);
    p.batch.x = p.states;
    if (scales) {
        const Tensor values[] = {p.states};
        const std::vector<double> factors[] = {input};
        p.batch.x = combineRows(values, factors);
    }
    return p;
}

// What the parts of a slot's rows have been answered so far.
struct PartAnswers {
    std::vector<Tensor> denoised;
    GroupAnswer rest;  // all but `denoised`
};

// Counts the work of one call where hooks may save some of it.
class Traced {
public:
    Traced(Backend& backend, nn::Hooks& hooks) : m_backend(backend) {
        if (hooks.isEmpty()) return;
        m_backend.setTrace(&m_trace);
        hooks.setTrace(&m_trace);
    }
    ~Traced() { m_backend.setTrace(nullptr); }
    Traced(const Traced&) = delete;
    Traced& operator=(const Traced&) = delete;
    // Of the work of a whole row, per row; nothing where no hook measures it.
    std::vector<std::optional<double>> savedShares(const nn::Hooks& hooks, std::int64_t rows) const {
        std::vector<std::optional<double>> saved;
        double whole = 0;
        for (const auto& op : m_trace) whole += op.flops;
        for (std::int64_t r = 0; r < rows; ++r) {
            saved.push_back(hooks.savedFlops(r));
            whole += saved.back().value_or(0);
        }
        for (auto& s : saved)
            if (s) s = whole > 0 ? *s * double(rows) / whole : 0;
        return saved;
    }

private:
    Backend& m_backend;
    kernels::Trace m_trace;
};

class NetworkCall {
public:
    NetworkCall(Model& model, Backend& backend, MemoryBudget& budget, std::span<const BatchSlot> slots)
        : m_model(model), m_backend(backend), m_budget(budget), m_answers(slots.size()) {
        std::vector<Piece> all;
        for (std::size_t i = 0; i < slots.size(); ++i) all.push_back({&slots[i], i, 0, slots[i].rows->state.rows()});
        // What hooks remember counts when all rows are answered: a part that succeeds is asked again if another fails.
        const auto each = [&](void (nn::SiteHook::*tell)()) {
            for (const BatchSlot& s : slots)
                for (const auto& hook : s.rows->hooks) (hook.get()->*tell)();
        };
        each(&nn::SiteHook::starting);
        evaluate(all);
        each(&nn::SiteHook::completed);
    }

    std::vector<GroupAnswer> answers() {
        std::vector<GroupAnswer> all;
        for (PartAnswers& a : m_answers) {
            a.rest.denoised = stackRows(a.denoised);
            all.push_back(std::move(a.rest));
        }
        return all;
    }

private:
    // In one call where the rows fit, else in halves.
    void evaluate(std::span<const Piece> pieces) {
        const std::int64_t rows = rowsOf(pieces);
        if (rows > 1 && rows > m_budget.rowsPerCall(infoOf(pieces))) return evaluateHalves(pieces);
        std::optional<PackedResult> result = tryOnce(pieces, false);
        if (!result && rows > 1) {
            m_budget.exceeded(infoOf(pieces), int(rows));
            return evaluateHalves(pieces);
        }
        if (!result) result = tryOnce(pieces, true);
        take(pieces, *result);
    }

    void evaluateHalves(std::span<const Piece> pieces) {
        std::int64_t left = rowsOf(pieces) / 2;
        std::vector<Piece> first, second;
        for (const Piece& p : pieces) {
            const std::int64_t here = std::min(left, p.count);
            if (here > 0) first.push_back({p.slot, p.answer, p.first, here});
            if (here < p.count) second.push_back({p.slot, p.answer, p.first + here, p.count - here});
            left -= here;
        }
        evaluate(first);
        evaluate(second);
    }

    struct PackedResult {
        Tensor denoised;
        std::shared_ptr<AttentionStore> attention;
        std::map<int, std::shared_ptr<SelfAttentionMass>> selfAttention;
        double milliseconds = 0;
        std::vector<std::optional<double>> saved;  // GroupAnswer::saved, of every row
    };

    // Nothing: the memory does not suffice, and pooled memory was given back. The last attempt throws instead.
    std::optional<PackedResult> tryOnce(std::span<const Piece> pieces, bool isLast) {
        try {
            return call(pieces);
        } catch (const std::exception& e) {
            if (!isOutOfMemory(e) || isLast) throw;
        }
        m_backend.trim();
        return {};
    }

    PackedResult call(std::span<const Piece> pieces) {
        const auto start = std::chrono::steady_clock::now();
        for (const Piece& p : pieces) p.slot->run->notePeak(m_backend.memoryUse().peak);
        m_backend.resetPeak();
        const std::size_t before = m_backend.memoryUse().current;
        PackedBatch p = pack(pieces);
        PackedResult r;
        const Traced trace(m_backend, p.batch.hooks);
        const Tensor output = m_model.predict(p.batch);
        const Tensor values[] = {p.states, output};
        const std::vector<double> factors[] = {p.fromState, p.fromOutput};
        const bool isEstimate = std::all_of(pieces.begin(), pieces.end(), [](const Piece& piece) {
            return piece.slot->rows->info->parametrization == Parametrization::X0;
        });
        r.denoised = isEstimate ? output : combineRows(values, factors);
        m_backend.synchronize();
        r.saved = trace.savedShares(p.batch.hooks, p.states.rows());
        r.attention = std::move(p.attention);
        r.selfAttention = std::move(p.selfAttention);
        r.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        const int rows = int(p.states.rows());
        recordSeconds(p.info, Work::Call, rows, r.milliseconds / 1000);
        m_budget.measured(p.info, rows, m_backend.memoryUse().peak - before);
        return r;
    }

    void take(std::span<const Piece> pieces, PackedResult& r) {
        const std::int64_t rows = r.denoised.rows();
        std::int64_t at = 0;
        const ActiveRun* counted = nullptr;
        for (const Piece& p : pieces) {
            if (p.slot->run != counted) p.slot->run->countCall();
            counted = p.slot->run;
            PartAnswers& a = m_answers[p.answer];
            a.denoised.push_back(r.denoised.slice(at, p.count));
            a.rest.rowsInCall = std::max(a.rest.rowsInCall, int(rows));
            a.rest.milliseconds += r.milliseconds * double(p.count) / double(rows);
            if (recordsAttention(*p.slot))
                for (std::int64_t i = 0; i < p.count; ++i) a.rest.attention.push_back(r.attention->take(at + i));
            if (const auto block = p.slot->rows->selfBlock)
                for (std::int64_t i = 0; i < p.count; ++i)
                    a.rest.selfMass.push_back(r.selfAttention.at(*block)->take(at + i));
            a.rest.saved.insert(a.rest.saved.end(), r.saved.begin() + at, r.saved.begin() + at + p.count);
            at += p.count;
        }
    }

    Model& m_model;
    Backend& m_backend;
    MemoryBudget& m_budget;
    std::vector<PartAnswers> m_answers;
};

}  // namespace

std::vector<GroupAnswer> callNetwork(Model& model, Backend& backend, MemoryBudget& budget,
                                     std::span<const BatchSlot> slots) {
    return NetworkCall(model, backend, budget, slots).answers();
}

}  // namespace meander
