// The schedule of the draft as a curve that is drawn: its levels as points, or few control points with a curve through
// them, over what a run measured, beside other schedules. Every edit is one undo step of the document.
#pragma once
#include <QLabel>
#include <QMenu>
#include <QSet>
#include <QToolButton>
#include <QWidget>

#include "engine/schedule/level_edit.h"
#include "gui/bridge/background_job.h"
#include "gui/document/document.h"
#include "gui/panels/schedule/schedule_draft.h"
#include "gui/plots/curve_editor.h"
#include "gui/selection/run_evidence.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/curve_table.h"
#include "gui/widgets/elided_label.h"
#include "gui/widgets/front_panel.h"
#include "gui/widgets/segmented.h"

namespace meander::gui {

class SchedulePanel : public FrontPanel {
    Q_OBJECT
public:
    SchedulePanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    // Room to draw in front; behind another tab it must not keep that tab from being flat.
    QSize minimumSizeHint() const override { return {280, isInFront() ? 176 : 100}; }

    enum class Mode { Points, Curve };
    enum class Snap { Off, Ghosts, OwnSteps, ShownRun };
    CurveEditor* editor() const { return m_editor; }
    CurveTable* table() const { return m_table; }
    QMenu* editMenu() const { return m_editMenu; }
    const std::vector<double>& levels() const { return m_levels; }
    Mode mode() const { return m_mode; }
    void setMode(Mode mode);
    void setReading(levels::Reading reading);
    void setSnap(Snap snap);
    void setLocked(bool on);
    void setGhost(const QString& id, bool on);  // id of a schedule, or "run"
    void setEvidence(const QString& diagnostic);
    void setTableShown(bool on);

public slots:
    void copyAs(int form);  // levels::TextForm
    void copyText() { copyAs(0); }
    void paste();
    void equaliseError();
    void fitSchedule();

protected:
    void changeEvent(QEvent* event) override;
    void frontChanged() override;

private:
    // schedule_panel.cpp: what is edited
    void connectEditor();
    void refresh();
    void commit(const std::vector<double>& levels, const QString& label, const QString& mergeKey = {});
    void drag(QPointF by, bool isProportional, bool isFree);
    void endDrag(bool isKept);
    void nudge(QPointF by, bool isProportional);
    void shift(const std::vector<double>& from, const levels::ControlCurve& controls, QPointF by, bool isProportional,
               bool isFree);
    void shiftControls(const levels::ControlCurve& from, QPointF by);
    std::vector<double> fromControls() const;
    void insert(std::optional<double> x);
    void remove();
    void typed(int row, int column, const QString& text);
    void askValue(int point);
    void follow();
    void select(int level, bool lock);
    // Coordinate along the vertical axis that a share of its length is.
    double coordinateOfShare(double share) const;
    // schedule_plot.cpp: what is drawn
    void draw();
    static QColor mixedGhost(const QColor& color);
    void addGhosts(Plot& plot, QStringList& names) const;
    void addEvidence(Plot& plot, QString& text) const;
    void fitAxes(Plot& plot) const;
    void showPoints();
    void showTable();
    void showFoot();
    double shown(double tau) const;       // on the vertical axis
    double stepAt(double sigma) const;    // of the drawn curve
    QString valueText(double tau) const;  // with its unit
    QString levelText(int level) const;   // a sentence
    QString timeName() const;
    std::optional<double> shareAt(int level) const;  // of the evidence, where the draft's step has its level
    std::vector<std::pair<QString, std::vector<double>>> ghostLevels() const;
    // schedule_menus.cpp
    QWidget* buildBar();
    void fillGhosts();
    void fillEvidence();
    void fillEdit();
    void fillSnap();
    void addOperators(QMenu* menu);
    void operate(const std::string& id);
    bool tryOut(const std::vector<double>& levels);
    void tell(const QString& sentence);
    // Levels of a run's process as levels of the draft's.
    std::vector<double> ofDraft(const std::vector<double>& taus, const Process& process) const;
    struct SnapTarget {
        double tau;
        QString name;
    };
    std::vector<SnapTarget> snapTargets(int level, double tau) const;

    Document& m_document;
    SelectionModel& m_selection;
    EvidenceSource* m_source;
    CurveEditor* m_editor;
    CurveTable* m_table;
    ElidedLabel* m_foot;
    Segmented *m_modeField, *m_readingField;
    QToolButton *m_lockButton, *m_proportionalButton, *m_tableButton, *m_snapButton;
    QMenu *m_ghostMenu, *m_evidenceMenu, *m_editMenu, *m_snapMenu;

    ScheduleDraft m_draft;
    std::vector<double> m_levels;  // as drawn; the draft's except while a hand drags or an operation is tried out
    levels::ControlCurve m_controls;
    std::vector<std::pair<std::vector<double>, levels::ControlCurve>> m_drawn;  // control points of curves drawn here
    std::vector<double> m_dragLevels;
    levels::ControlCurve m_dragControls;
    std::vector<double> m_preview;  // of an operation that is tried out
    std::vector<double> m_fitted;   // to the shown run, not yet applied
    BackgroundJob m_fitting;
    std::optional<std::pair<double, double>> m_fixedAxis;  // while a hand drags
    Mode m_mode = Mode::Points;
    levels::Reading m_reading = levels::Reading::Sigma;
    Snap m_snap = Snap::Off, m_lastSnap = Snap::Ghosts;
    bool m_isLocked = true, m_isReadingChosen = false;
    QSet<QString> m_ghosts{QStringLiteral("run")};
    QString m_evidence = QStringLiteral("E5");
    int m_session = 0;  // of keys: what follows a change of the selection is another undo step
};

}  // namespace meander::gui
