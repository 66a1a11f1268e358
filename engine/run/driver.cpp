#include "engine/run/driver.h"

#include "engine/run/measured.h"

namespace meander {

namespace {

// Where the rows of one request and branch lie in the call.
struct Span {
    ActiveRun* run;
    std::size_t branch;
    std::int64_t first, rows;
};

struct Packed {
    Tensor states;  // y, all rows
    NetworkBatch batch;
    TapRequest tap;
    std::vector<double> fromState, fromOutput;
    std::vector<Span> spans;
    std::vector<std::vector<Branch>> branches;  // per run
};

Packed pack(Model& model, const std::vector<ActiveRun*>& runs) {
    const ModelInfo& info = model.info();
    Packed p;
    std::vector<Tensor> parts;
    std::vector<double> input;
    bool scales = false;
    std::int64_t row = 0;
    for (ActiveRun* run : runs) {
        const DenoiseRequest& q = *run->pending();
        const Conversion c = conversionAt(info.process, info.parametrization, q.tau, info.sigmaData);
        p.branches.push_back(run->branches());
        for (std::size_t b = 0; b < p.branches.back().size(); ++b) {
            const std::int64_t n = q.x.rows();
            parts.push_back(q.x);
            p.spans.push_back({run, b, row, n});
            row += n;
            scales |= c.input != 1;
            input.insert(input.end(), std::size_t(n), c.input);
            p.fromState.insert(p.fromState.end(), std::size_t(n), c.fromState);
            p.fromOutput.insert(p.fromOutput.end(), std::size_t(n), c.fromOutput);
            p.batch.times.insert(p.batch.times.end(), std::size_t(n), c.time);
            p.batch.taus.insert(p.batch.taus.end(), std::size_t(n), q.tau);
            p.batch.targets.insert(p.batch.targets.end(), std::size_t(n), q.target);
            const bool taps = run->recordsAttention() && p.branches.back()[b] == Branch::Conditional;
            if (taps) p.tap.attention = std::max(p.tap.attention, run->attentionLevel());
            p.tap.rows.insert(p.tap.rows.end(), std::size_t(n), char(taps));
            const ConditioningPtr conditioning = run->conditioning(p.branches.back()[b]);
            p.batch.conditioning.insert(p.batch.conditioning.end(), std::size_t(n), conditioning);
        }
    }
    p.states = parts.size() == 1 ? parts.front() : stackRows(parts);
    p.batch.x = p.states;
    if (scales) {
        const Tensor values[] = {p.states};
        const std::vector<double> factors[] = {input};
        p.batch.x = combineRows(values, factors);
    }
    return p;
}

}  // namespace

int evaluateTogether(Model& model, Backend& backend, const std::vector<ActiveRun*>& runs) {
    const auto start = std::chrono::steady_clock::now();
    Packed p = pack(model, runs);
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

    std::size_t span = 0;
    for (std::size_t r = 0; r < runs.size(); ++r) {
        ActiveRun::Outcome outcome;
        outcome.rowsInCall = rows;
        for (std::size_t b = 0; b < p.branches[r].size(); ++b, ++span) {
            const Span& s = p.spans[span];
            outcome.denoised.push_back(denoised.slice(s.first, s.rows));
            outcome.milliseconds += ms * double(s.rows) / rows;
            if (b == 0 && !tapped.attention.empty() && p.tap.rows[std::size_t(s.first)])
                outcome.attention.assign(std::make_move_iterator(tapped.attention.begin() + s.first), std::make_move_iterator(tapped.attention.begin() + s.first + s.rows));
        }
        runs[r]->countCall();
        try {
            runs[r]->answer(p.branches[r], std::move(outcome));
        } catch (const std::exception& e) {
            runs[r]->problem = e.what();  // one run's trouble is not its neighbours'
        }
    }
    return rows;
}

}  // namespace meander
