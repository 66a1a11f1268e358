#include "engine/cli/cli.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <new>

#include "engine/cli/command.h"
#include "engine/cli/interrupt.h"
#include "engine/core/printable.h"
#include "engine/recipe/unknown_name.h"
#include "meander_version.h"

namespace meander::cli {

void printLine(const Json& j) {
    std::cout << j.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    std::cout.flush();
}

std::string bytesText(double bytes) {
    char text[32];
    if (bytes >= 1e9) std::snprintf(text, sizeof text, "%.1f GB", bytes / 1e9);
    else if (bytes >= 1e6) std::snprintf(text, sizeof text, "%.0f MB", bytes / 1e6);
    else std::snprintf(text, sizeof text, "%.0f kB", std::ceil(bytes / 1e3));
    return text;
}

std::string secondsText(double s) {
    char text[40];
    if (s >= 60) std::snprintf(text, sizeof text, "%d min %02d s", int(s) / 60, int(s) % 60);
    else if (s >= 1) std::snprintf(text, sizeof text, "%.1f s", s);
    else std::snprintf(text, sizeof text, "%.0f ms", s * 1e3);
    return text;
}

namespace {

void addCommands(CLI::App& app, Context& context) {
    for (auto* add : {addRun, addSweep, addPlan, addSchedule, addInspect, addConvert, addList, addVerify, addBench,
                      addExport, addFidelity, addLikelihood, addFit, addHelpTables, addSampleProject, addSample})
        add(app, context);
}

int fail(const std::string& sentence) {
    std::cerr << "meander-run: " << sentence << '\n';
    return 1;
}

// An unknown command or option, with the nearest known one.
int wrongArguments(const CLI::App& app, const CLI::ParseError& e, int argc, char** argv) {
    std::string hint;
    if (argc > 1 && argv[1][0] != '-') {
        std::vector<std::string> names;
        for (const auto* s : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(s->get_name());
        if (std::find(names.begin(), names.end(), argv[1]) == names.end()) {
            std::cerr << "meander-run: There is no command \"" << argv[1] << "\"." << didYouMean(argv[1], names)
                      << " See meander-run --help.\n";
            return 2;
        }
        hint = std::string(" ") + argv[1];
    }
    std::string sentence = e.what();
    if (sentence.ends_with('.')) sentence.pop_back();
    std::cerr << "meander-run: " << sentence << ". See meander-run" << hint << " --help.\n";
    return 2;
}

}  // namespace

void noSuch(const std::string& kind, const std::string& id, const std::vector<std::string>& known) {
    std::string remedy = remedyForUnknownName(kind, id, known);
    if (remedy.empty()) remedy = " See meander-run list, or --help.";
    throw WrongArgument("There is no " + kind + " named \"" + id + "\"." + remedy);
}

CLI::Validator finiteIn(double low, double high) {
    const std::string range = display(low) + " to " + display(high);
    return {[=](std::string& text) {
                double v = 0;
                return CLI::detail::lexical_cast(text, v) && v >= low && v <= high
                           ? std::string()
                           : "\"" + text + "\" is not a number from " + range;
            },
            "from " + range};
}

CLI::Validator seedNumber() {
    return {[](std::string& text) {
                std::uint64_t v = 0;
                const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
                return error == std::errc() && end == text.data() + text.size()
                           ? std::string()
                           : "\"" + text + "\" is not a whole number from 0 to 18446744073709551615";
            },
            ""};
}

CLI::Validator notEmpty() {
    return {[](std::string& text) { return text.empty() ? std::string("a name is needed") : std::string(); }, ""};
}

namespace {

int answer(int argc, char** argv) {
    CLI::App app("Meander without a window: run, plan, inspect and measure the sampling of diffusion, flow and "
                 "consistency models.",
                 "meander-run");
    app.set_version_flag("--version", "Meander " MEANDER_VERSION);
    app.require_subcommand(1);
    app.footer("Examples:\n  meander-run run --sample -o images\n  meander-run run recipe.json --set steps=12 --set "
               "sampler=heun --project tour.meander\n  meander-run list samplers\n  meander-run schedule karras "
               "--model \"analytic:gaussian?process=sd15\" --steps 8\n"
               "Exit status: 0 done, 1 failed, 2 wrong arguments, 130 or 143 interrupted.");
    Context context;
    addCommands(app, context);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) return app.exit(e);  // help, version
        return wrongArguments(app, e, argc, argv);
    }
    try {
        const int status = context.chosen ? context.chosen() : 0;
        return interruptedBy() != 0 ? 128 + interruptedBy() : status;
    } catch (const WrongArgument& e) {
        fail(e.what());
        return 2;
    } catch (const std::bad_alloc&) {
        return fail("There is not enough memory for this. Ask for less at a time, or close other programs.");
    } catch (const std::exception& e) {
        const int status = fail(e.what());
        return interruptedBy() != 0 ? 128 + interruptedBy() : status;
    }
}

}  // namespace

namespace {

// What is printed may come from files of others: it must not steer the terminal.
class Escaped {
public:
    explicit Escaped(std::ostream& stream) : m_stream(stream), m_target(stream.rdbuf()), m_buffer(m_target) {
        stream.rdbuf(&m_buffer);
    }
    ~Escaped() {
        m_stream.flush();
        m_stream.rdbuf(m_target);
    }

private:
    std::ostream& m_stream;
    std::streambuf* m_target;
    PrintableBuffer m_buffer;
};

}  // namespace

int run(int argc, char** argv) {
    const Escaped out(std::cout), errors(std::cerr);
    const int status = answer(argc, argv);
    // Commands print without looking; whatever was lost on the way, a full disk or a closed output, shows here.
    const bool isFlushed = bool(std::cout.flush()), isWritten = std::fflush(stdout) == 0 && !std::ferror(stdout);
    if (isFlushed && isWritten) return status;
    const int failed = fail("The output could not be written completely. Check that its disk has room and that what "
                            "reads it is still there.");
    return status == 0 ? failed : status;
}

}  // namespace meander::cli
