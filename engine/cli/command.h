// What commands share: their table, refusals, checks of options and lines of output.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "engine/core/did_you_mean.h"
#include "engine/core/params.h"

namespace meander::cli {

// Usage error: the exit status is 2 instead of 1.
struct WrongArgument : Failure {
    using Failure::Failure;
};

// Commands run after all arguments were read; they throw Failure with a sentence, and return the exit status.
struct Context {
    std::function<int()> chosen;
};

void addRun(CLI::App& app, Context& context);
void addSweep(CLI::App& app, Context& context);
void addPlan(CLI::App& app, Context& context);
void addSchedule(CLI::App& app, Context& context);
void addConvert(CLI::App& app, Context& context);
void addInspect(CLI::App& app, Context& context);
void addList(CLI::App& app, Context& context);
void addVerify(CLI::App& app, Context& context);
void addBench(CLI::App& app, Context& context);
void addExport(CLI::App& app, Context& context);
void addFidelity(CLI::App& app, Context& context);
void addLikelihood(CLI::App& app, Context& context);
void addFit(CLI::App& app, Context& context);
void addHelpTables(CLI::App& app, Context& context);
void addSampleProject(CLI::App& app, Context& context);
void addSample(CLI::App& app, Context& context);
int benchConvergence(bool isJson);
int benchFit(bool isJson);

// One JSON value a line on stdout.
void printLine(const Json& j);
std::string bytesText(double bytes);  // "212 MB"
std::string secondsText(double s);    // "0.91 s", "3 min 20 s"
[[noreturn]] void noSuch(const std::string& kind, const std::string& id, const std::vector<std::string>& known);
std::vector<std::string> idsOf(const auto& table) {
    std::vector<std::string> ids;
    for (const auto& row : table) ids.push_back(row.id);
    return ids;
}
// Checks of options. CLI11's own let "nan" through every range and read "-1" as the largest seed.
CLI::Validator finiteIn(double low, double high);
CLI::Validator seedNumber();
CLI::Validator notEmpty();
// The value, or a Failure with the error's sentence.
template <class T> T valueOrThrow(Result<T> r) {
    if (!r) throw Failure(r.error().text);
    return std::move(*r);
}

}  // namespace meander::cli
