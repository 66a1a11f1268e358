#include "gui/selection/run_evidence.h"

namespace meander::gui {

const Diagnostic* RunEvidence::find(const QString& id) const { return findDiagnostic(diagnostics, id.toStdString()); }

EvidenceSource::EvidenceSource(Document& document, SelectionModel& selection, QObject* parent)
    : QObject(parent), m_document(document), m_selection(selection), m_work(this, [this](const RunEvidence& e) {
          m_evidence = e;
          emit changed();
      }) {
    // A run under way sends a step per frame; its evidence follows at a calm pace.
    m_soon.setSingleShot(true);
    m_soon.setInterval(300);
    connect(&m_soon, &QTimer::timeout, this, &EvidenceSource::request);
    const auto ifShown = [this](const QString& id) {
        if (id == m_selection.currentRun()) request();
    };
    connect(&selection, &SelectionModel::runChanged, this, &EvidenceSource::request);
    connect(&document, &Document::trajectoryLoaded, this, ifShown);
    connect(&document, &Document::runFinished, this, ifShown);
    connect(&document, &Document::runChanged, this, [this](const QString& id) {
        if (id == m_selection.currentRun() && !m_soon.isActive()) m_soon.start();
    });
}

void EvidenceSource::setWatched(bool isWatched) {
    if (std::exchange(m_isWatched, isWatched) != isWatched && isWatched) request();
}

void EvidenceSource::request() {
    if (!m_isWatched) return;
    const QString id = m_selection.currentRun();
    const RunPtr run = id.isEmpty() ? nullptr : m_document.run(id);
    if (run && !run->trajectory) m_document.requestTrajectory(id);
    if (!run || !run->trajectory || run->trajectory->empty()) {
        m_evidence = {};
        emit changed();
        return;
    }
    m_work.request([run] {
        RunEvidence e{run, {}};
        for (Diagnostic& d : diagnose(*run->trajectory, {.manifold = run->model.process.manifold().kind()}))
            if (d.axis == DiagnosticAxis::Step) e.diagnostics.push_back(std::move(d));
        return e;
    });
}

}  // namespace meander::gui
