// Every operation of a backend against plain loops in double: one list of cases for the tests and for `meander-run
// verify`.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernels/api/backend.h"

namespace meander::kernels {

struct CaseResult {
    std::string name;  // "linear/f32 (33, 64) -> 96 all parts"
    double error = 0;  // largest difference over the root mean square of the right answer; for exact cases the number
                       // of wrong elements
    double tolerance = 0;
    bool passed = false;
    double milliseconds = 0;  // of the whole case, reference included
    std::string message;      // when something was thrown or not finite
};

struct OperationCase {
    std::string name;
    DType type = DType::F32;
    double tolerance = 0;
    std::function<double(Backend&)> error;
    bool isForCpuOnly = false;  // promises only the CPU makes
};

// Cases with types that a backend does not know are not for it.
bool applies(const OperationCase& c, const Backend& backend);
std::vector<OperationCase> operationCases();
CaseResult runCase(Backend& backend, const OperationCase& c);

// The cases whose name contains `filter`. `progress` hears of each result as it comes and returns false to stop.
std::vector<CaseResult> verifyBackend(Backend& backend, const std::string& filter = {},
                                      const std::function<bool(const CaseResult&)>& progress = {});

}  // namespace meander::kernels
