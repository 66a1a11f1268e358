// The guidance of the draft as curves that are drawn: a value for each step (weight w, rescale φ, projected share η,
// the scale of a distilled network), the interval of noise levels in which its rule acts, over what a run measured,
// with the evaluations that it costs. Every edit is one undo step of the document.
#pragma once
#include <QMenu>
#include <QPushButton>
#include <QToolButton>
#include <QWidget>

#include "engine/core/monotone_cubic.h"
#include "gui/document/document.h"
#include "gui/panels/guidance/guidance_draft.h"
#include "gui/plots/curve_editor.h"
#include "gui/selection/run_evidence.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/curve_table.h"
#include "gui/widgets/elided_label.h"
#include "gui/widgets/fields.h"
#include "gui/widgets/front_panel.h"
#include "gui/widgets/segmented.h"

namespace meander::gui {

class GuidancePanel : public FrontPanel {
    Q_OBJECT
public:
    GuidancePanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    // Room to draw in front; behind another tab it must not keep that tab from being flat.
    QSize minimumSizeHint() const override { return {280, isInFront() ? 176 : 100}; }

    enum class Mode { Points, Curve };
    enum class Across { Step, Sigma, HalfLogSnr };
    CurveEditor* editor() const { return m_editor; }
    CurveTable* table() const { return m_table; }
    QMenu* editMenu() const { return m_editMenu; }
    ChoiceField* curveField() const { return m_curveField; }
    QString costText() const { return m_cost->text(); }
    const std::vector<double>& values() const { return m_values; }
    void setMode(Mode mode);
    void setAcross(Across across);
    void setEvidence(const QString& diagnostic);
    void setTableShown(bool on);
    void setSnap(bool on);

public slots:
    void copyAs(int form);  // weights::TextForm
    void copyText() { copyAs(0); }
    void paste();
    void addRule();

protected:
    void changeEvent(QEvent* event) override;
    void frontChanged() override;

private:
    // guidance_panel.cpp: what is edited
    void connectEditor();
    void refresh();
    void read();
    void commit(const std::vector<double>& values, const QString& label, const QString& mergeKey = {});
    void commitInterval(const StepInterval& interval, const QString& label);
    void commitParams(const Params& params, const QString& label, const QString& mergeKey = {});
    void shift(const std::vector<double>& from, const std::vector<CurvePoint>& controls, QPointF by,
               bool isProportional, bool isFree);
    void shiftControls(const std::vector<CurvePoint>& from, QPointF by);
    std::vector<double> fromControls() const;
    void endDrag(bool isKept);
    void dragGuide(int guide, double x, bool isFree);
    void insert(std::optional<double> x);
    void remove();
    void typed(int row, int column, const QString& text);
    void follow();
    void select(int step, bool lock);
    const Params& params() const { return m_document.draft().guidance[m_curve->rule].params; }
    Params editedParams() const;
    // guidance_plot.cpp: what is drawn
    void draw();
    void drawEmpty();
    void addEvidence(Plot& plot, QString& text) const;
    void addRun(Plot& plot, QString& text) const;
    void fitAxes(Plot& plot) const;
    void showPoints();
    void showGuides();
    void showTable();
    void showFoot();
    void showCost();
    double across(double position) const;   // of a position in steps, on the horizontal axis
    double stepOfAcross(double x) const;    // its inverse
    double measuredAt(int step) const;      // of the evidence; NaN where there is none
    QString valueText(double value) const;  // with its symbol
    QString stepText(int step) const;
    // guidance_menus.cpp
    QWidget* buildBar();
    void fillEvidence();
    void fillEdit();
    void fillShapes(QMenu* menu);
    void fillIntervals(QMenu* menu);
    void shape(const weights::Shape& shape);
    void tell(const QString& sentence);

    Document& m_document;
    SelectionModel& m_selection;
    EvidenceSource* m_source;
    CurveEditor* m_editor;
    CurveTable* m_table;
    ElidedLabel* m_foot;
    QLabel* m_cost;
    ChoiceField* m_curveField;
    QPushButton* m_add;
    Segmented *m_modeField, *m_acrossField;
    QToolButton *m_snapButton, *m_proportionalButton, *m_tableButton;
    QMenu *m_evidenceMenu, *m_editMenu;

    std::optional<DraftCurve> m_curve;
    std::vector<double> m_levels;  // τ of the planned draft
    std::optional<Process> m_process;
    QString m_problem;
    std::vector<double> m_values, m_draftValues;  // one per step
    StepInterval m_interval;
    std::vector<CurvePoint> m_controls;  // x from 0 at the first step to 1 at the last
    std::vector<std::pair<std::vector<double>, std::vector<CurvePoint>>> m_drawn;
    std::vector<double> m_dragValues;
    std::vector<CurvePoint> m_dragControls;
    StepInterval m_dragInterval;
    std::optional<std::pair<double, double>> m_fixedAxis;
    Mode m_mode = Mode::Points;
    Across m_across = Across::Step;
    QString m_chosenCurve;
    QString m_evidence = QStringLiteral("C1");
    bool m_snaps = false;
    int m_session = 0;
};

}  // namespace meander::gui
