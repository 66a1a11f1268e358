#include "kernels/verify/refusals.h"

#include <stdexcept>

#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

// Arguments of a sample call on the device or, where they are weights, on the host.
class Placed {
public:
    Placed(Backend& backend, const SampleCall& call) : m_fixture(backend) {
        for (std::size_t i = 0; i < call.arguments.size(); ++i) {
            const SampleArgument& a = call.arguments[i];
            place(a, a.values ? *a.values : random(a.shape, a.type, std::uint32_t(i + 1)));
        }
    }

    std::vector<View> views;

    // Zeros of another shape or type in place of argument i.
    View other(const SampleArgument& a, Shape shape, DType type) {
        if (a.isHost) return hosted(Host(shape), type);
        return m_fixture.put(Host(shape), type);
    }
    Fixture& fixture() { return m_fixture; }

private:
    void place(const SampleArgument& a, const Host& values) {
        views.push_back(a.isHost ? hosted(values, a.type) : m_fixture.put(values, a.type));
    }
    View hosted(const Host& values, DType type) {
        m_weights.push_back(std::make_unique<HostWeights>(values, type));
        return m_weights.back()->view;
    }

    Fixture m_fixture;
    std::vector<std::unique_ptr<HostWeights>> m_weights;
};

struct Mistake {
    const char* name;
    View (*make)(Placed&, const SampleArgument&, const View&);
};

const Mistake mistakes[] = {
    {"missing", [](Placed&, const SampleArgument&, const View&) { return View(); }},
    {"of another type",
     [](Placed& p, const SampleArgument& a, const View&) {
         return p.other(a, a.shape, a.type == DType::BF16 ? DType::F32 : DType::BF16);
     }},
    {"of integers", [](Placed& p, const SampleArgument& a,
                       const View&) { return p.other(a, a.shape, a.type == DType::I32 ? DType::F32 : DType::I32); }},
    {"with a row more", [](Placed& p, const SampleArgument& a,
                           const View&) { return p.other(a, a.shape.withRows(a.shape[0] + 1), a.type); }},
    {"with a column more", [](Placed& p, const SampleArgument& a,
                              const View&) { return p.other(a, a.shape.with(-1, a.shape[-1] + 1), a.type); }},
    {"of one dimension",
     [](Placed& p, const SampleArgument& a, const View&) { return p.other(a, {a.shape.count() + 1}, a.type); }},
    {"with gaps between its rows",
     [](Placed& p, const SampleArgument& a, const View&) {
         return p.other(a, a.shape.with(-1, a.shape[-1] + 5), a.type).columns(2, a.shape[-1]);
     }},
    {"with rows and columns exchanged in memory",
     [](Placed& p, const SampleArgument& a, const View& v) {
         if (a.shape.rank() < 2) return v;
         return p.other(a, a.shape.with(-1, a.shape[-2]).with(-2, a.shape[-1]), a.type).transposed(-1, -2);
     }},
};

}  // namespace

std::vector<Refusal> refusalsOf(Backend& backend, Operation operation) {
    std::vector<Refusal> refusals;
    const SampleCall call = operationRows()[std::size_t(operation)].sample(DType::F32);
    for (std::size_t i = 0; i < call.arguments.size(); ++i)
        for (const Mistake& m : mistakes) {
            Placed placed(backend, call);
            placed.views[i] = m.make(placed, call.arguments[i], placed.views[i]);
            Refusal r{operation, std::string(call.arguments[i].name) + " " + m.name, {}};
            try {
                call.run(backend, placed.views);
            } catch (const std::invalid_argument& e) {
                r.sentence = e.what();
            }
            refusals.push_back(r);
        }
    return refusals;
}

// Wrong are sentences that do not begin with the operation, and results where none should be.
void addRefusalCases(Cases& cases) {
    for (const OperationRow& row : operationRows())
        cases.push_back({std::string("refuses/") + nameOf(row.operation) + " with each argument wrong", DType::F32, 0,
                         [operation = row.operation](Backend& b) {
                             double wrong = 0;
                             const std::string prefix = std::string(nameOf(operation)) + ": ";
                             for (const Refusal& r : refusalsOf(b, operation))
                                 wrong += !r.sentence.empty() && r.sentence.compare(0, prefix.size(), prefix) != 0;
                             return wrong;
                         }});
}

}  // namespace meander::kernels::verify
