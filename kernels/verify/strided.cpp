// Every operation with each argument strided: refused, or the same bits as with a dense one.
#include <stdexcept>

#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

using Put = View (Fixture::*)(const Host&, DType);

// Everything a call writes or returns, with argument `strided` put by `put` and all others dense.
std::vector<Host> resultsOf(Backend& backend, const SampleCall& call, std::size_t strided, Put put) {
    Fixture t(backend);
    std::vector<View> views;
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        const SampleArgument& a = call.arguments[i];
        const Host values = a.values ? *a.values : random(a.shape, a.type, std::uint32_t(i + 1));
        views.push_back(i == strided ? (t.*put)(values, a.type) : t.put(values, a.type));
    }
    std::vector<Host> results;
    Host returned;
    returned.v = call.run(backend, views);
    returned.shape = Shape{std::int64_t(returned.v.size())};
    results.push_back(returned);
    for (std::size_t i = 0; i < views.size(); ++i)
        if (call.arguments[i].isOutput) results.push_back(t.get(views[i]));
    return results;
}

double stridedError(Backend& backend, const SampleCall& call) {
    double wrong = 0;
    const std::vector<Host> dense = resultsOf(backend, call, call.arguments.size(), &Fixture::put);
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        for (Put put : {&Fixture::putStrided, &Fixture::putTransposed}) {
            if (call.arguments[i].isHost || (put == &Fixture::putTransposed && call.arguments[i].shape.rank() < 2))
                continue;
            try {
                const std::vector<Host> results = resultsOf(backend, call, i, put);
                for (std::size_t k = 0; k < dense.size(); ++k) wrong += differing(results[k], dense[k]);
            } catch (const std::invalid_argument&) {  // not accepted; the refusals hold the sentence
            }
        }
    }
    return wrong;
}

}  // namespace

void addStridedCases(Cases& cases) {
    for (const OperationRow& row : operationRows()) {
        const bool isPacking = row.operation == Operation::PackLinear || row.operation == Operation::PackStoredLinear
                               || row.operation == Operation::PackConv;
        for (DType type : activationTypes)
            if (!isPacking)
                cases.push_back({std::string("strided/") + kernels::nameOf(type) + " " + nameOf(row.operation), type, 0,
                                 [sample = row.sample, type](Backend& b) { return stridedError(b, sample(type)); }});
    }
}

}  // namespace meander::kernels::verify
