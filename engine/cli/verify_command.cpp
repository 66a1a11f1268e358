// meander-run verify: every operation of the device against plain loops, on the user's own machine.
#include <cstdio>
#include <iostream>

#include "engine/cli/device_choice.h"
#include "engine/cli/interrupt.h"
#include "kernels/verify/verify.h"

namespace meander::cli {
namespace {

struct Options {
    std::string device = "auto", filter;
    bool isJson = false, showsAll = false;
};

int verify(const Options& o) {
    watchInterrupts();
    const auto backend = openBackend(o.device);
    if (!o.isJson) std::cout << backend->description() << '\n';
    int done = 0;
    const auto results = kernels::verifyBackend(*backend, o.filter, [&](const kernels::CaseResult& r) {
        ++done;
        if (o.isJson)
            printLine({{"case", r.name},
                       {"passed", r.passed},
                       {"error", r.error},
                       {"tolerance", r.tolerance},
                       {"milliseconds", r.milliseconds},
                       {"message", r.message}});
        else if (!r.passed || o.showsAll)
            std::printf("%s  %-70s error %.3g, allowed %.3g%s%s\n", r.passed ? "ok  " : "FAIL", r.name.c_str(), r.error,
                        r.tolerance, r.message.empty() ? "" : "  ", r.message.c_str());
        return interruptedBy() == 0;
    });
    int failed = 0;
    for (const auto& r : results) failed += r.passed ? 0 : 1;
    if (results.empty() && interruptedBy() == 0) throw Failure("No case has \"" + o.filter + "\" in its name.");
    if (interruptedBy() != 0)
        throw Failure("Interrupted; cases checked: " + std::to_string(results.size())
                      + ", failed: " + std::to_string(failed) + ". The rest was not checked.");
    if (!o.isJson) std::cout << results.size() - std::size_t(failed) << " of " << results.size() << " cases passed.\n";
    return failed == 0 ? 0 : 1;
}

}  // namespace

void addVerify(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("verify", "Check every operation of the device against plain loops on this machine");
    addDevice(*c, o->device);
    c->add_option("--filter", o->filter, "Only cases whose name contains this")->type_name("TEXT");
    c->add_flag("--all", o->showsAll, "Also show what passed");
    c->add_flag("--json", o->isJson, "As JSON, one case a line");
    c->callback([o, &context] { context.chosen = [o] { return verify(*o); }; });
}

}  // namespace meander::cli
