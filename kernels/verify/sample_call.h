// One valid call of every operation. Its arguments are made wrong (refusals.h) or strided (strided.cpp) one at a time,
// so that what holds for one operation holds for all of them.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <type_traits>

#include "kernels/verify/fixture.h"

namespace meander::kernels::verify {

struct SampleArgument {
    const char* name;
    Shape shape;
    DType type = DType::F32;
    bool isOutput = false;
    bool isHost = false;              // a weight in host memory
    std::optional<Host> values = {};  // random when absent
};

struct SampleCall {
    std::vector<SampleArgument> arguments;
    // Views in the order of the arguments. Returns what the operation returns to the host, if anything.
    std::function<std::vector<double>(Backend&, std::span<const View>)> run;
};

inline SampleArgument input(const char* name, Shape shape, DType type) { return {name, shape, type}; }
inline SampleArgument output(const char* name, Shape shape, DType type) { return {name, shape, type, true}; }

// `call` may return nothing.
template <class Call> SampleCall sample(std::vector<SampleArgument> arguments, Call call) {
    return {std::move(arguments), [call](Backend& b, std::span<const View> v) -> std::vector<double> {
                if constexpr (std::is_void_v<decltype(call(b, v))>) {
                    call(b, v);
                    return {};
                } else {
                    return call(b, v);
                }
            }};
}

struct OperationRow {
    Operation operation;
    void (*addCases)(Cases&);
    SampleCall (*sample)(DType activations);
};
// The table of kernels/api/operations.inl.
std::span<const OperationRow> operationRows();

// Cases that walk all operations.
void addRefusalCases(Cases& cases);
void addStridedCases(Cases& cases);

}  // namespace meander::kernels::verify
