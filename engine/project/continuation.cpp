#include "engine/project/continuation.h"

#include "engine/guidance/guidance.h"
#include "engine/run/branching.h"

namespace meander {

namespace {

std::shared_ptr<const Run> loaded(ProjectStore& store, const std::string& id) {
    if (id.empty()) return nullptr;
    auto run = store.loadRun(id);
    // What is not there any more the plan tells.
    return run ? std::make_shared<const Run>(std::move(*run)) : nullptr;
}

Status isPossible(const Run& run, Continuation how) {
    if (how == Continuation::GoOn) return canGoOn(run);
    if (how == Continuation::Start && run.status != RunStatus::Queued)
        return Error{"Run " + std::to_string(run.number) + " is not waiting any more."};
    return Done{};
}

}  // namespace

Result<Submission> prepareRun(ProjectStore& store, const std::string& runId, Continuation how) {
    auto run = store.loadRun(runId);
    if (!run) return run.error();
    if (const Status s = isPossible(*run, how); !s) return s.error();
    Submission s;
    if (run->recipe.branch) s.parent = loaded(store, run->recipe.branch->run);
    const Recipe recipe = how == Continuation::Whole ? withoutReuse(run->recipe) : run->recipe;
    auto planned =
        plan(recipe, s.parent.get(), loaded(store, startRunOf(recipe)).get(), loaded(store, sourceRunOf(recipe)).get());
    if (!planned) return planned.error();
    s.plan = std::move(*planned);
    if (how != Continuation::Whole) s.name = run->name;
    if (how == Continuation::Start || how == Continuation::GoOn) {
        s.id = run->id;
        s.number = run->number;
    }
    if (how == Continuation::GoOn) s.interrupted = std::make_shared<const Run>(std::move(*run));
    return s;
}

}  // namespace meander
