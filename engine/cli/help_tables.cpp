// meander-run help-tables: writes the pages of helpTables(). A test compares them with the committed ones in
// resources/help.
#include "engine/cli/help_tables.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

#include "engine/cli/command.h"
#include "engine/core/switched.h"
#include "engine/guidance/guidance.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

namespace meander::cli {
namespace {

// Markdown tables end a cell at a bar.
std::string cell(std::string s) {
    for (std::size_t at = 0; (at = s.find('|', at)) != std::string::npos; at += 2) s.insert(at, "\\");
    return s;
}

std::string values(const ParamSpec& s) {
    std::ostringstream out;
    switch (s.kind) {
    case ParamKind::Choice:
        for (std::size_t i = 0; i < s.choices.size(); ++i) out << (i ? ", " : "") << s.choices[i].id;
        break;
    case ParamKind::Toggle: out << "on, off"; break;
    case ParamKind::Text: return "text";
    case ParamKind::File: return "a file";
    case ParamKind::Image: return "an image";
    case ParamKind::Run: return "a run";
    case ParamKind::Integer:
    case ParamKind::Real:
    case ParamKind::Percent:
    case ParamKind::List:
        out << s.minimum << " … " << s.maximum << (s.kind == ParamKind::List ? ", a list" : "");
        break;
    }
    if (!s.unit.empty()) out << ' ' << unitText(s);
    return out.str();
}

std::string defaultOf(const ParamSpec& s) {
    if (s.optional) return "absent";
    const std::string text = display(s.defaultValue);
    return text.empty() ? "empty" : text;
}

void describe(std::ostream& out, const auto& row, const std::string& facts) {
    out << "### " << row.label << " (`" << row.id << "`)\n\n" << row.summary << ".";
    if (!facts.empty()) out << " " << facts << ".";
    if (!row.source.empty()) out << "\n\nSource: " << row.source << ".";
    out << "\n\n";
    if (std::none_of(row.params.begin(), row.params.end(), [](const ParamSpec& p) { return p.key != enabledKey; }))
        return;
    out << "| setting | default | values | meaning |\n|---|---|---|---|\n";
    for (const auto& p : row.params)
        if (p.key != enabledKey)
            out << "| " << cell(p.label) << " `" << p.key << "` | " << cell(defaultOf(p)) << " | " << cell(values(p))
                << " | " << cell(p.help) << " |\n";
    out << "\n";
}

HelpPage page(const std::string& file, const std::string& title, const std::string& intro, const auto& rows,
              const auto& factsOf) {
    std::ostringstream out;
    out << "# " << title << "\n\n"
        << intro << " This page is written by `meander-run help-tables` from the program's own tables.\n\n";
    std::string group;
    for (const auto& r : rows) {
        if constexpr (requires { r.group; }) {
            if (r.group != group) out << "## " << r.group << "\n\n";
            group = r.group;
        }
        describe(out, r, factsOf(r));
    }
    return {file, out.str()};
}

std::string samplerFacts(const SamplerInfo& s) {
    std::string text = s.order > 0 ? "Order " + std::to_string(s.order) : "Not an ODE solver";
    if (s.freeSteps) text += "; chooses its own steps";
    else {
        Params defaults;
        for (const auto& p : s.params)
            if (!p.optional) defaults[p.key] = p.defaultValue;
        text += "; " + std::to_string([&] {
                    int n = 0;
                    for (int k = 0; k < 20; ++k) n += s.requestsInStep(k, 20, defaults);
                    return n;
                }())
                + " evaluations for 20 steps";
    }
    if (s.stochastic) text += "; draws noise";
    if (s.unconditional) text += "; uses the unconditional estimate";
    if (s.inverts) text += "; runs from clean to noise";
    return text;
}

}  // namespace

std::vector<HelpPage> helpTables() {
    const auto nothing = [](const auto&) { return std::string(); };
    return {page("samplers.md", "Samplers",
                 "Every sampler works under every process and parametrization; a state is y = a·x0 + τ·ε.", samplers(),
                 samplerFacts),
            page("schedules.md", "Schedules", "A schedule is the list of noise levels that a run visits.", schedules(),
                 nothing),
            page("guidance.md", "Guidance",
                 "Rules are applied in the order of the recipe, on the denoised estimate x̂0 unless a rule says "
                 "otherwise. Each can be switched off in its place (`enabled`).",
                 guidanceRules(), nothing),
            page("noise.md", "Noise", "Where the random numbers of a run come from.", noiseSources(), nothing)};
}

void addHelpTables(CLI::App& app, Context& context) {
    auto folder = std::make_shared<std::string>();
    auto* c =
        app.add_subcommand("help-tables", "Write the documentation pages that are made from the program's tables");
    c->add_option("folder", *folder, "Where to (resources/help)")->required()->check(CLI::ExistingDirectory);
    c->callback([folder, &context] {
        context.chosen = [folder] {
            for (const auto& p : helpTables()) {
                std::ofstream out(*folder + "/" + p.file, std::ios::binary);
                out << p.text;
                if (!out.flush())
                    throw Failure("The page " + *folder + "/" + p.file
                                  + " cannot be written; choose a folder that you may write to.");
                std::cout << *folder << '/' << p.file << '\n';
            }
            return 0;
        };
    });
}

}  // namespace meander::cli
