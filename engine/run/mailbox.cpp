#include <utility>

#include "engine/run/engine.h"

namespace meander {

void Mailbox::post(const RunEvent& e) {
    bool wasEmpty = false;
    {
        const std::lock_guard lock(m_mutex);
        wasEmpty = m_events.empty();
        const bool replaceable = e.kind == RunEventKind::Evaluated || e.kind == RunEventKind::Stepped;
        bool replaced = false;
        if (replaceable)
            for (auto it = m_events.rbegin(); it != m_events.rend(); ++it) {
                if (it->runId != e.runId) continue;
                if (it->kind == e.kind) {
                    const HostTensor preview = it->preview;
                    *it = e;
                    if (!it->preview) it->preview = preview;
                    replaced = true;
                } else if (it->kind == RunEventKind::Evaluated || it->kind == RunEventKind::Stepped) {
                    continue;  // the other of the two kinds may lie between
                }
                break;
            }
        if (!replaced) m_events.push_back(e);
    }
    if (wasEmpty && m_wake) m_wake();
}

std::vector<RunEvent> Mailbox::drain() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_events, {});
}

}  // namespace meander
