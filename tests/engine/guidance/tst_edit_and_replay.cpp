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
    static void modelsAndEdits() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("edit");
        const auto all = edits();
        for (const char* model : {"sprites-unet", "sprites-dit"})
            for (std::size_t i = 0; i < all.size(); ++i)
                QTest::addRow("%s, %s", model, all[i].name) << QString(model) << int(i);
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

    // Steps before its first are those of the untouched run in every bit; a branch there is the whole run.
    void actsFromItsStepOn_data() { modelsAndEdits(); }
    void actsFromItsStepOn() {
        QFETCH(QString, model);
        QFETCH(int, edit);
        const Choice rule = edits()[std::size_t(edit)].rule;
        const auto plain = runOne(sprites(model));
        Recipe edited = sprites(model, {from(rule, double(start) / steps)});
        const auto whole = runOne(edited);
        const auto &a = plain->trajectory->evaluations, &b = whole->trajectory->evaluations;
        QCOMPARE(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            if (a[i]->step > start) continue;
            QVERIFY(a[i]->state.sameBits(b[i]->state));
            QCOMPARE(a[i]->denoised.sameBits(b[i]->denoised), a[i]->step < start || rule.id == "freeze_attention");
        }
        QVERIFY(largest(plain->trajectory->last(), whole->trajectory->last()) > 1e-3);
        edited.branch = BranchPoint{plain->id, start};
        QVERIFY(sameRecord(*runOne(edited, plain), *whole));
    }

    // A branch of the edited run in which nothing changes is that run.
    void branchOfTheEditedRun_data() { modelsAndEdits(); }
    void branchOfTheEditedRun() {
        QFETCH(QString, model);
        QFETCH(int, edit);
        Recipe edited = sprites(model, {from(edits()[std::size_t(edit)].rule, 1.0 / steps)});
        const auto whole = runOne(edited);
        edited.branch = BranchPoint{whole->id, 4};
        QVERIFY(sameRecord(*runOne(edited, whole), *whole));
    }

    // In the rows with the prompt only: the unconditional answer has the same bits, and the other way round.
    void otherEvaluationsKeepTheirBits_data() { modelsAndEdits(); }
    void otherEvaluationsKeepTheirBits() {
        QFETCH(QString, model);
        QFETCH(int, edit);
        Choice rule = edits()[std::size_t(edit)].rule;
        const Choice cfg{"cfg", {{"scale", 2.0}}};
        const bool choosesRows = std::any_of(findGuidance(rule.id)->params.begin(), findGuidance(rule.id)->params.end(),
                                             [](const ParamSpec& s) { return s.key == "branch"; });
        const auto denoised = [](const Run& run, Branch branch, std::size_t evaluation) {
            for (const auto& b : run.trajectory->evaluations[evaluation]->branches)
                if (b.branch == branch) return b.denoised;
            return HostTensor();
        };
        if (choosesRows) rule.params["branch"] = std::string("conditional");
        const auto plain = runOne(sprites(model, {cfg})), conditional = runOne(sprites(model, {cfg, rule}));
        const bool isLater = rule.id == "freeze_attention";
        QVERIFY(denoised(*conditional, Branch::Unconditional, 0).sameBits(denoised(*plain, Branch::Unconditional, 0)));
        QCOMPARE(denoised(*conditional, Branch::Conditional, 0).sameBits(denoised(*plain, Branch::Conditional, 0)),
                 isLater);
        if (!choosesRows || rule.id == "scale_token") return;
        rule.params["branch"] = std::string("unconditional");
        const auto reversed = runOne(sprites(model, {cfg, rule}));
        QVERIFY(denoised(*reversed, Branch::Conditional, 0).sameBits(denoised(*plain, Branch::Conditional, 0)));
        QCOMPARE(denoised(*reversed, Branch::Unconditional, 0).sameBits(denoised(*plain, Branch::Unconditional, 0)),
                 isLater);
    }

    // Runs that share network calls are as alone, and each costs what its plan says.
    void costsWhatThePlanSays_data() { models(); }
    void costsWhatThePlanSays() {
        QFETCH(QString, model);
        std::vector<Recipe> recipes{sprites(model)};
        for (const Edit& e : edits()) recipes.push_back(sprites(model, {from(e.rule, double(start) / steps)}));
        const auto together = runTogether(recipes);
        for (std::size_t i = 0; i < recipes.size(); ++i) {
            const char* name = i == 0 ? "plain" : edits()[i - 1].name;
            QVERIFY2(together[i]->status == RunStatus::Finished, together[i]->problem.c_str());
            QVERIFY2(together[i]->evaluations == planned(recipes[i]).evaluations, name);
            const bool hasSource = !recipes[i].guidance.empty() && recipes[i].guidance[0].params.contains("source");
            QVERIFY2(together[i]->evaluations == steps + (hasSource ? steps - start : 0), name);
            if (i % 3 == 0) QVERIFY2(sameRecord(*together[i], *runOne(recipes[i])), name);
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
