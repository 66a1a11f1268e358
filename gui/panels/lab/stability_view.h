// Where a sampler damps: the largest factor of one step of dy/dt = λ y over the complex plane of z = λ Δ, through the
// sampler's own code.
#pragma once
#include <QPushButton>

#include "gui/bridge/background_job.h"
#include "gui/document/document.h"
#include "gui/forms/choice_section.h"
#include "gui/panels/lab/lab_work.h"
#include "gui/plots/plot_view.h"

namespace meander::gui {

class LabForm;

class StabilityView : public QWidget {
    Q_OBJECT
public:
    StabilityView(Document& document, QWidget* parent = nullptr);
    const StabilityRegion& region() const { return m_region; }
    double interval() const { return m_interval; }  // of the negative real axis
    bool isBusy() const { return m_job.isBusy(); }
    ChoiceSection* sampler() const { return m_sampler; }
    PlotView* plotView() const { return m_plot; }
    LabForm* form() const { return m_form; }
    void copyCsv() const;

protected:
    void showEvent(QShowEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeForm();
    void examine();
    void showResult();
    void tell(const QString& text, bool isProblem = false);

    Choice m_choice{"heun", {}};
    ChoiceSection* m_sampler;
    ChoiceField* m_clock;
    RealField *m_step, *m_reach;
    FormRow* m_stepRow;
    QLabel* m_state;
    PlotView* m_plot;
    LabForm* m_form = nullptr;
    QPushButton *m_table, *m_copy, *m_cancel;
    StabilityRegion m_region;
    double m_interval = 0;
    bool m_hasAsked = false;
    BackgroundJob m_job;
};

}  // namespace meander::gui
