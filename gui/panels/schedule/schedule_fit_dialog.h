// Fits a schedule to a run's recipe: what it would cost, then the fitted levels with what they are predicted and
// measured to save. The work is done in a thread of its own; nothing is the draft's before "Apply".
#pragma once
#include <QDialog>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QTimer>

#include "engine/optimise/schedule_fit.h"
#include "gui/bridge/background_job.h"
#include "gui/bridge/latest.h"
#include "gui/document/document.h"
#include "gui/forms/param_form.h"

namespace meander::gui {

class ScheduleFitDialog : public QDialog {
    Q_OBJECT
public:
    // The job outlives the dialog, so that closing it does not wait for the network's last answer. `steps`: what the
    // form begins with.
    ScheduleFitDialog(RunPtr run, int steps, BackgroundJob& job, QWidget* parent);
    ParamForm* form() const { return m_form; }
    QPushButton* fitButton() const { return m_fit; }
    QPushButton* applyButton() const { return m_apply; }
    QString costText() const { return m_cost->text(); }
    QString findingsText() const { return m_findings->text(); }
    // Of the run's process; empty before there are any.
    const std::vector<double>& levels() const { return m_levels; }
    bool isMeasured() const { return m_isMeasured; }

signals:
    void levelsChanged();  // fitted, or no longer those of the form

protected:
    void done(int result) override;

private:
    struct Answer {
        std::optional<FitPlan> plan;
        QString problem;
    };
    void buildForm(int steps);
    void edited();
    void showCost(const Answer& answer);
    void fit();
    void stop();
    void progressed(const QString& what, double share);
    void show(const ScheduleFit& fit);
    void ended(const QString& problem);
    void tell(QLabel* label, const QString& text, const char* property);
    bool usesRecord() const;

    const RunPtr m_run;
    BackgroundJob& m_job;
    Params m_values;
    std::optional<FitPlan> m_plan;
    std::vector<double> m_levels;
    bool m_isMeasured = false, m_isFitting = false;
    QTimer m_soon;  // the cost, once a hand rests
    Latest<Answer> m_costs;
    ParamForm* m_form;
    QLabel *m_cost, *m_state, *m_findings;
    QProgressBar* m_progress;
    QPushButton *m_fit, *m_apply;
};

}  // namespace meander::gui
