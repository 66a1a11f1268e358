#include "engine/run/driver.h"

#include <cmath>

#include "engine/run/measured.h"

namespace meander {

namespace {

// Where the rows of one request and branch lie in the call.
struct Span {
    std::int64_t first, rows;
};

struct Packed {
    Tensor states;  // y, all rows
    NetworkBatch batch;
    TapRequest tap;
    std::vector<double> fromState, fromOutput;
    std::vector<Span> spans;
    std::vector<std::vector<Branch>> branches;  // per request
};

Packed pack(Model& model, const std::vector<Ask>& asks) {
    const ModelInfo& info = model.info();
    Packed p;
    std::vector<Tensor> parts;
    std::vector<double> input;
    bool scales = false;
    std::int64_t row = 0;
    const auto add = [&](ActiveRun& run, const DenoiseRequest& q, Branch branch) {
        Conversion c = conversionAt(info.process, info.parametrization, q.tau, info.sigmaData);
        const double told = std::isnan(q.told) ? q.tau : q.told;
        if (told != q.tau) c.time = conversionAt(info.process, info.parametrization, told, info.sigmaData).time;
        const std::int64_t n = q.x.rows();
        const auto rows = std::size_t(n);
        parts.push_back(q.x);
        p.spans.push_back({row, n});
        row += n;
        scales |= c.input != 1;
        input.insert(input.end(), rows, c.input);
        p.fromState.insert(p.fromState.end(), rows, c.fromState);
        p.fromOutput.insert(p.fromOutput.end(), rows, c.fromOutput);
        p.batch.times.insert(p.batch.times.end(), rows, c.time);
        p.batch.taus.insert(p.batch.taus.end(), rows, told);
        p.batch.targets.insert(p.batch.targets.end(), rows, q.target);
        const bool taps = run.recordsAttention() && branch == Branch::Conditional;
        if (taps) p.tap.attention = std::max(p.tap.attention, run.attentionLevel());
        p.tap.rows.insert(p.tap.rows.end(), rows, char(taps));
        p.batch.conditioning.insert(p.batch.conditioning.end(), rows, run.conditioning(branch));
    };
    for (const auto& [run, requests] : asks)
        for (const DenoiseRequest& q : run->pending().first(requests)) {
            p.branches.push_back(run->branches(q));
            for (const Branch b : p.branches.back()) add(*run, q, b);
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

int evaluateTogether(Model& model, Backend& backend, const std::vector<Ask>& asks) {
    const auto start = std::chrono::steady_clock::now();
    Packed p = pack(model, asks);
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

    std::size_t span = 0, request = 0;
    const auto outcomeOf = [&](const std::vector<Branch>& branches) {
        ActiveRun::Outcome outcome;
        outcome.rowsInCall = rows;
        for (std::size_t b = 0; b < branches.size(); ++b, ++span) {
            const Span& s = p.spans[span];
            outcome.denoised.push_back(denoised.slice(s.first, s.rows));
            outcome.milliseconds += ms * double(s.rows) / rows;
            if (b == 0 && !tapped.attention.empty() && p.tap.rows[std::size_t(s.first)])
                outcome.attention.assign(std::make_move_iterator(tapped.attention.begin() + s.first), std::make_move_iterator(tapped.attention.begin() + s.first + s.rows));
        }
        return outcome;
    };
    for (const auto& [run, requests] : asks) {
        run->countCall();
        for (std::size_t k = 0; k < requests; ++k, ++request) {
            ActiveRun::Outcome outcome = outcomeOf(p.branches[request]);
            if (!run->problem.empty()) continue;
            try {
                run->answer(p.branches[request], std::move(outcome));
            } catch (const std::exception& e) {
                run->problem = e.what();  // one run's trouble is not its neighbours'
            }
        }
    }
    return rows;
}

}  // namespace meander
