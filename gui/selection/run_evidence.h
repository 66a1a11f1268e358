// What the shown run measured in each of its steps, for editors that draw it behind a curve. Computed off the GUI
// thread from the run's record.
#pragma once
#include <QTimer>

#include "engine/analysis/diagnostics.h"
#include "gui/bridge/latest.h"
#include "gui/document/document.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

struct RunEvidence {
    RunPtr run;                           // null: there is none
    std::vector<Diagnostic> diagnostics;  // one value per step
    const Diagnostic* find(const QString& id) const;
};

class EvidenceSource : public QObject {
    Q_OBJECT
public:
    EvidenceSource(Document& document, SelectionModel& selection, QObject* parent = nullptr);
    const RunEvidence& evidence() const { return m_evidence; }
    // Computed only while somebody looks; at first nobody does.
    void setWatched(bool isWatched);

signals:
    void changed();

private:
    void request();
    Document& m_document;
    SelectionModel& m_selection;
    RunEvidence m_evidence;
    QTimer m_soon;
    bool m_isWatched = false;
    Latest<RunEvidence> m_work;
};

}  // namespace meander::gui
