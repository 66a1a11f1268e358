#include "engine/project/record_event.h"

namespace meander {

void recordEvent(ProjectStore& store, const RunEvent& e, std::function<void()> committed) {
    switch (e.kind) {
    case RunEventKind::Started:
        if (e.run) store.beginRun(*e.run);
        break;
    case RunEventKind::Evaluated:
        if (e.evaluationRecord) store.appendEvaluation(e.runId, e.evaluationRecord);
        break;
    case RunEventKind::Stepped:
        if (e.stepRecord) store.appendStep(e.runId, e.stepRecord);
        break;
    case RunEventKind::Cancelled:
        // One that never began leaves nothing.
        if (e.run && (!e.run->trajectory || e.run->trajectory->empty())) {
            store.removeRun(e.runId);
            break;
        }
        [[fallthrough]];
    case RunEventKind::Finished:
    case RunEventKind::Failed:
        if (e.run) store.finishRun(*e.run, std::move(committed));
        break;
    default: break;
    }
}

}  // namespace meander
