#include "gui/bridge/engine_bridge.h"

#include <algorithm>

namespace meander::gui {

namespace {
constexpr int frameMs = 16;
}

EngineBridge::EngineBridge(QObject* parent)
    : QObject(parent),
      m_mailbox([this] { QMetaObject::invokeMethod(this, &EngineBridge::wake, Qt::QueuedConnection); }) {
    m_frame.setSingleShot(true);
    connect(&m_frame, &QTimer::timeout, this, &EngineBridge::drain);
}

EngineBridge::~EngineBridge() = default;

void EngineBridge::start(EngineOptions options) {
    if (m_engine) return;
    m_engine = std::make_unique<Engine>(std::move(options), [this](const RunEvent& e) { record(e); });
}

void EngineBridge::setRecorder(Recorder recorder) {
    const std::lock_guard lock(m_recorderMutex);
    m_recorder = std::move(recorder);
}

void EngineBridge::record(const RunEvent& e) {
    {
        const std::lock_guard lock(m_recorderMutex);
        if (m_recorder) m_recorder(e);
    }
    if (e.evaluationRecord || e.stepRecord) {
        const std::lock_guard lock(m_freshMutex);
        if (e.evaluationRecord) m_fresh[e.runId].evaluations.push_back(e.evaluationRecord);
        if (e.stepRecord) m_fresh[e.runId].steps.push_back(e.stepRecord);
    }
    m_mailbox.post(e);
}

void EngineBridge::wake() {
    if (m_frame.isActive()) return;
    const qint64 since = m_sinceDrain.isValid() ? m_sinceDrain.elapsed() : frameMs;
    m_frame.start(int(std::max<qint64>(0, frameMs - since)));
}

void EngineBridge::drain() {
    m_sinceDrain.start();
    Arrival arrival;
    // Events first: an entry recorded between the two belongs to a later event and is only early, never lost.
    arrival.events = m_mailbox.drain();
    {
        const std::lock_guard lock(m_freshMutex);
        arrival.fresh.swap(m_fresh);
    }
    if (!arrival.events.empty() || !arrival.fresh.empty()) emit arrived(arrival);
}

}  // namespace meander::gui
