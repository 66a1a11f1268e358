// Error of samplers on an exact model against the evaluations they take, with the fitted order of each and how sure it
// is.
#pragma once
#include <QProgressBar>
#include <QPushButton>
#include <QTableWidget>

#include "gui/bridge/background_job.h"
#include "gui/document/document.h"
#include "gui/panels/lab/lab_work.h"
#include "gui/plots/plot_view.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

class LabForm;

class ConvergenceView : public QWidget {
    Q_OBJECT
public:
    ConvergenceView(Document& document, QWidget* parent = nullptr);
    const std::vector<LabCurve>& curves() const { return m_curves; }
    bool isBusy() const { return m_job.isBusy(); }
    PlotView* plotView() const { return m_plot; }
    LabForm* form() const { return m_form; }
    QTableWidget* orders() const { return m_orders; }
    void setSamplers(const std::vector<Choice>& samplers);
    void copyCsv() const;

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    QWidget* makeForm();
    void fillSamplers();
    void measure();
    void take(std::size_t curve, const LabCell& cell);
    void showResult();
    void tell(const QString& text, bool isProblem = false);
    LabRequest request() const;

    Document& m_document;
    std::vector<Choice> m_samplers;
    LabRequest m_asked;
    std::vector<LabCurve> m_curves;
    bool m_hasEndLabels = true;  // a narrow plot has no room for them; the list of samplers shows the same marks
    QString m_reference;         // what errors are measured against
    ChoiceField *m_model, *m_process, *m_schedule, *m_add;
    QLineEdit* m_budgets;
    IntegerField* m_particles;
    QVBoxLayout* m_samplerBox;
    QPushButton *m_run, *m_draft;
    QProgressBar* m_progress;
    QLabel* m_state;
    PlotView* m_plot;
    LabForm* m_form = nullptr;
    QTableWidget* m_orders;
    BackgroundJob m_job;
};

}  // namespace meander::gui
