// Panels over hand-made runs: two of images ("a", "b"), one of points in the plane ("p") and one on a line ("l").
// Users include "moc_panel_test.cpp" at their end.
#pragma once
#include <QSignalSpy>
#include <QTest>

#include "gui/document/document.h"
#include "gui/look/theme.h"
#include "gui/selection/selection_model.h"
#include "tests/gui/panels/hand_made_run.h"

namespace meander::test {

using namespace gui;

class PanelTest : public QObject {
    Q_OBJECT
protected:
    void select(const char* run, const char* other = "") {
        m_selection->setCurrentRun(QString::fromLatin1(run));
        m_selection->setComparedRun(QString::fromLatin1(other));
    }
    void lock(const char* run, int evaluation) {
        m_selection->lockStep(
            {QString::fromLatin1(run), evaluation,
             m_document->run(QString::fromLatin1(run))->trajectory->evaluations[std::size_t(evaluation)]->logSnr});
    }
    std::unique_ptr<Document> m_document;
    std::unique_ptr<SelectionModel> m_selection;

private slots:
    void initTestCase() {
        loadFonts();
        applyTheme(ThemeChoice::Dark);
    }
    void init() {
        m_document = std::make_unique<Document>();
        m_selection = std::make_unique<SelectionModel>();
        m_document->addRun(discRun("a", 1, 12));
        m_document->addRun(discRun("b", 2, 8, 32, 2));
        m_document->addRun(ringRun("p", 3, 10));
        m_document->addRun(ringRun("l", 4, 10, 300, 1));
    }
    void cleanup() {
        m_selection.reset();
        m_document.reset();
    }
};

}  // namespace meander::test
