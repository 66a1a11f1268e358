// Edit and replay, through recipes on the U-Net and the diffusion transformer: an intervention acts in its steps and
// evaluations only and changes no bit elsewhere, a branch with it is the whole run with it, and it costs what the plan
// says. What it does to attention: tests/engine/interventions/tst_editing.cpp.
#include "tests/engine/guidance/engine_run.h"

#include "engine/analysis/sprite_effects.h"
#include "engine/guidance/guidance.h"
#include "engine/interventions/intervention.h"

using namespace meander;
using namespace meander::bench;

namespace {

constexpr int steps = 6, start = 3;
constexpr const char *prompt = "a red circle above a blue square on a white background",
                     *other = "a green circle above a blue square on a white background";

Recipe sprites(const QString& model, std::vector<Choice> guidance = {}) {
    Recipe r;
    r.model = "builtin:" + model.toStdString();
    r.prompt = prompt;
    r.images = 2;
    r.steps = steps;
    r.attention = AttentionLevel::Off;
    r.sampler = {model == "sprites-dit" ? "euler" : "dpmpp_2m", {}};
    r.schedule = {"uniform_t", {}};
    r.guidance = std::move(guidance);
    return r;
}

// Every intervention that a recipe can hold, at settings that change the image.
struct Edit {
    const char* name;
    Choice rule;
};
std::vector<Edit> edits() {
    const auto text = [](const char* s) { return std::string(s); };
    return {
        {"mute", {"mute_head", {{"layers", text("all")}, {"head", std::int64_t(1)}}}},
        {"solo", {"mute_head", {{"layers", text("all")}, {"head", std::int64_t(0)}, {"which", text("others")}}}},
        {"word", {"scale_token", {{"word", text("red")}, {"scale", 3.0}}}},
        {"word in a region",
         {"scale_token",
          {{"word", text("circle")},
           {"scale", 4.0},
           {"sum", text("one")},
           {"region", std::vector<double>{0, 0, 1, 0.5}}}}},
        {"block", {"scale_block", {{"layers", text("all")}, {"part", text("attention")}, {"scale", 0.5}}}},
        {"muted block in a region", {"scale_block", {{"scale", 0.0}, {"region", std::vector<double>{0, 0, 0.5, 0.5}}}}},
        {"uniform", {"blend_attention", {{"layers", text("all")}, {"amount", 0.5}}}},
        {"identity", {"blend_attention", {{"with", text("identity")}, {"attention", text("self")}}}},
        {"temperature", {"attention_temperature", {{"temperature", 0.5}}}},
        {"freeze", {"freeze_attention", {}}},
        {"replace", {"replace_attention", {{"source", text(other)}}}},
        {"replace places", {"replace_attention", {{"source", text(other)}, {"attention", text("self")}}}},
        {"mutual", {"mutual_self_attention", {{"source", text(other)}}}},
        {"patch", {"patch_activations", {{"source", text(other)}, {"layers", text("all")}}}},
        {"patch of a region",
         {"patch_activations",
          {{"source", text(other)},
           {"amount", 0.7},
           {"layers", text("all")},
           {"region", std::vector<double>{0, 0, 1, 0.5}}}}},
    };
}

Choice from(Choice rule, double fraction) {
    rule.params["from"] = fraction;
    return rule;
}

// With a source run; or as it is.
std::shared_ptr<const Run> runOf(const Recipe& r, std::shared_ptr<const Run> source) {
    auto p = plan(r, nullptr, nullptr, source.get());
    if (!p) qFatal("%s", p.error().text.c_str());
    std::shared_ptr<const Run> ended;
    {
        EngineOptions options;
        options.device = "cpu";
        Engine engine(options, [&](const RunEvent& e) {
            if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed) ended = e.run;
        });
        engine.submit(std::vector<Plan>{*p});
        engine.waitIdle();
    }
    if (!ended || ended->status != RunStatus::Finished) qFatal("%s", ended ? ended->problem.c_str() : "no end");
    return ended;
}

double largest(const HostTensor& a, const HostTensor& b) {
    double d = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) d = std::max(d, std::abs(a.at(i) - b.at(i)));
    return d;
}

std::string whyRefused(const Recipe& r, const Run* source = nullptr) {
    const auto p = plan(r, nullptr, nullptr, source);
    return p ? std::string() : p.error().text;
}

}  // namespace

class TestEditAndReplay : public QObject {
    Q_OBJECT
    static void models() {
        QTest::addColumn<QString>("model");
        QTest::newRow("U-Net") << "sprites-unet";
        QTest::newRow("transformer") << "sprites-dit";
    }
    // Of the untouched run first, then of every edit from a step on.
    static std::vector<Recipe> recipesFrom(const QString& model, int step) {
        std::vector<Recipe> all{sprites(model)};
        for (const Edit& e : edits()) all.push_back(sprites(model, {from(e.rule, double(step) / steps)}));
        return all;
    }

private slots:
    // Every rule with a source, words or maps stands in the list.
    void everyInterventionIsTried() {
        for (const GuidanceRule& rule : guidanceRules()) {
            if (rule.group != "Inside the network" || rule.reuses || rule.id == "freeu") continue;
            const auto all = edits();
            QVERIFY2(std::any_of(all.begin(), all.end(), [&](const Edit& e) { return e.rule.id == rule.id; }),
                     rule.id.c_str());
        }
    }

    // Steps before its first are those of the untouched run in every bit, a branch there is the whole run, and each
    // costs what its plan says.
    void actsFromItsStepOn_data() { models(); }
    void actsFromItsStepOn() {
        QFETCH(QString, model);
        std::vector<Recipe> recipes = recipesFrom(model, start);
        const auto whole = runTogether(recipes);
        const auto& plain = whole.front()->trajectory->evaluations;
        for (std::size_t i = 1; i < recipes.size(); ++i) {
            const char* name = edits()[i - 1].name;
            QVERIFY2(whole[i]->status == RunStatus::Finished, whole[i]->problem.c_str());
            const auto& edited = whole[i]->trajectory->evaluations;
            QCOMPARE(edited.size(), plain.size());
            for (std::size_t k = 0; k < plain.size() && plain[k]->step <= start; ++k) {
                QVERIFY2(edited[k]->state.sameBits(plain[k]->state), name);
                const bool isSame = plain[k]->step < start || recipes[i].guidance.front().id == "freeze_attention";
                QVERIFY2(edited[k]->denoised.sameBits(plain[k]->denoised) == isSame, name);
            }
            const double change = largest(whole.front()->trajectory->last(), whole[i]->trajectory->last());
            QVERIFY2(change > 1e-3, name);
            const bool hasSource = recipes[i].guidance.front().params.contains("source");
            QVERIFY2(whole[i]->evaluations == steps + (hasSource ? steps - start : 0), name);
            QVERIFY2(whole[i]->evaluations == planned(recipes[i]).evaluations, name);
            recipes[i].branch = BranchPoint{whole.front()->id, start};
        }
        recipes.erase(recipes.begin());
        const auto branches = runTogether(recipes, whole.front());
        for (std::size_t i = 0; i < branches.size(); ++i)
            QVERIFY2(sameRecord(*branches[i], *whole[i + 1]), edits()[i].name);
    }

    // A branch of the edited run in which nothing changes is that run, and a run alone is as among others.
    void branchOfTheEditedRun_data() { models(); }
    void branchOfTheEditedRun() {
        QFETCH(QString, model);
        std::vector<Recipe> recipes = recipesFrom(model, 1);
        const auto whole = runTogether(recipes);
        for (std::size_t i = 1; i < recipes.size(); ++i) {
            const char* name = edits()[i - 1].name;
            if (!findIntervention(recipes[i].guidance.front().id)->hasMemory) continue;
            QVERIFY2(sameRecord(*runOne(recipes[i]), *whole[i]), name);
            recipes[i].branch = BranchPoint{whole[i]->id, 4};
            QVERIFY2(sameRecord(*runOne(recipes[i], whole[i]), *whole[i]), name);
        }
    }

    // In the rows with the prompt only: the unconditional answer has the same bits, and the other way round.
    void otherEvaluationsKeepTheirBits_data() { models(); }
    void otherEvaluationsKeepTheirBits() {
        QFETCH(QString, model);
        const auto denoised = [](const Run& run, Branch branch) {
            for (const auto& b : run.trajectory->evaluations.front()->branches)
                if (b.branch == branch) return b.denoised;
            return HostTensor();
        };
        for (const Branch acting : {Branch(Branch::Conditional), Branch(Branch::Unconditional)}) {
            std::vector<Recipe> recipes{sprites(model)};
            std::vector<std::string> names{"plain"};
            for (const Edit& e : edits()) {
                const auto& params = findGuidance(e.rule.id)->params;
                const bool choosesRows =
                    std::any_of(params.begin(), params.end(), [](const ParamSpec& s) { return s.key == "branch"; });
                // No word stands in the empty prompt.
                if (acting == Branch::Unconditional && (!choosesRows || e.rule.id == "scale_token")) continue;
                recipes.push_back(sprites(model, {e.rule}));
                names.emplace_back(e.name);
                if (choosesRows)
                    recipes.back().guidance.front().params["branch"] =
                        std::string(acting == Branch::Conditional ? "conditional" : "unconditional");
            }
            for (Recipe& r : recipes) {
                r.steps = 2;
                r.guidance.insert(r.guidance.begin(), Choice{"cfg", {{"scale", 2.0}}});
            }
            const auto runs = runTogether(recipes);
            const Branch other = acting == Branch::Conditional ? Branch::Unconditional : Branch::Conditional;
            for (std::size_t i = 1; i < runs.size(); ++i) {
                QVERIFY2(denoised(*runs[i], other).sameBits(denoised(*runs.front(), other)), names[i].c_str());
                const bool isSame = denoised(*runs[i], acting).sameBits(denoised(*runs.front(), acting));
                QVERIFY2(isSame == (names[i] == "freeze"), names[i].c_str());
            }
        }
    }

    // A source that is the run itself changes nothing: keys and values are the same, maps only rounded anew.
    void itselfAsItsSource_data() { models(); }
    void itselfAsItsSource() {
        QFETCH(QString, model);
        const auto plain = runOne(sprites(model));
        for (const bool isRecorded : {false, true})
            for (const char* id : {"mutual_self_attention", "replace_attention", "patch_activations"}) {
                Choice rule{id, {{isRecorded ? "run" : "source", isRecorded ? plain->id : std::string(prompt)}}};
                if (std::string(id) == "patch_activations") rule.params["layers"] = std::string("all");
                const auto run = runOf(sprites(model, {rule}), isRecorded ? plain : nullptr);
                const double error = largest(run->trajectory->last(), plain->trajectory->last());
                QVERIFY2(std::string(id) == "mutual_self_attention" ? error == 0 : error < 1e-3,
                         qPrintable(QStringLiteral("%1 %2: %3").arg(id).arg(isRecorded).arg(error)));
                QCOMPARE(run->evaluations, 2 * steps);
            }
    }

    // A recorded run with another prompt, read at the same levels, and at others; its two images, or one for both.
    void recordedRunAsSource_data() { models(); }
    void recordedRunAsSource() {
        QFETCH(QString, model);
        const auto plain = runOne(sprites(model));
        Recipe theirs = sprites(model);
        theirs.prompt = other;
        const auto same = runOne(theirs);
        theirs.images = 1;
        theirs.steps = 9;
        const auto longer = runOne(theirs);
        for (const auto& source : {same, longer}) {
            Recipe r = sprites(model, {from({"mutual_self_attention", {{"run", source->id}}}, 0.5)});
            const auto run = runOf(r, source);
            QVERIFY(largest(run->trajectory->last(), plain->trajectory->last()) > 1e-3);
            QCOMPARE(run->evaluations, steps + steps / 2);
        }
    }

    void whatCannotWorkIsRefused() {
        const auto with = [](Choice rule) { return sprites("sprites-unet", {std::move(rule)}); };
        const auto holds = [](const std::string& text, const char* part) {
            const bool does = text.find(part) != std::string::npos;
            if (!does) qWarning("%s", text.c_str());
            return does;
        };
        QVERIFY(holds(whyRefused(with({"scale_token", {{"word", std::string("triangle")}}})),
                      "Its words are: a, red, circle"));
        QVERIFY(
            holds(whyRefused(with({"scale_token", {{"word", std::string("red")}, {"occurrence", std::int64_t(2)}}})),
                  "2 times"));
        QVERIFY(
            holds(whyRefused(with({"replace_attention", {{"run", std::string("nowhere")}}})), "not in this project"));
        const auto run = runOne(sprites("sprites-unet"));
        Recipe r = with({"mutual_self_attention", {{"run", run->id}}});
        r.images = 3;
        QVERIFY(holds(whyRefused(r, run.get()), "has 2 images"));
        r = sprites("sprites-dit", {{"mutual_self_attention", {{"run", run->id}}}});
        QVERIFY(holds(whyRefused(r, run.get()), "another model"));
        r = with({"mutual_self_attention", {{"run", run->id}}});
        r.guidance.push_back({"replace_attention", {{"run", std::string("other")}}});
        QVERIFY(holds(whyRefused(r, run.get()), "the same source run"));
        Recipe exact;
        exact.model = "analytic:ring8";
        exact.schedule = {"karras", {}};
        exact.attention = AttentionLevel::Off;
        for (const char* id : {"scale_token", "scale_block", "freeze_attention", "attention_temperature"}) {
            exact.guidance = {{id, {}}};
            QVERIFY2(!whyRefused(exact).empty(), id);
        }
        // Without a word or a source a rule waits for one, and says so.
        for (const char* id : {"scale_token", "replace_attention", "mutual_self_attention", "patch_activations"}) {
            const auto p = plan(with({id, {}}));
            QVERIFY2(p.ok(), id);
            QVERIFY2(!p->guidance.front().idle.empty() && p->evaluations == steps, id);
        }
    }
};

QTEST_GUILESS_MAIN(TestEditAndReplay)
#include "tst_edit_and_replay.moc"
