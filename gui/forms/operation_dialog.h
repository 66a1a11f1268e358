// Settings of one operation on a curve, with its result shown while they are changed: nothing is done until "Apply".
#pragma once
#include <QDialog>
#include <QLabel>
#include <QPushButton>
#include <functional>

#include "gui/forms/param_form.h"

namespace meander::gui {

class OperationDialog : public QDialog {
    Q_OBJECT
public:
    // `tryOut` shows the result and returns a sentence when there is none.
    using TryOut = std::function<QString(const Params&)>;
    OperationDialog(const QString& title, const QString& summary, const std::vector<ParamSpec>& specs, Params values,
                    TryOut tryOut, QWidget* parent);
    const Params& values() const { return m_values; }
    ParamForm* form() const { return m_form; }

private:
    void show(const Params& values);
    std::vector<ParamSpec> m_specs;
    Params m_values;
    TryOut m_tryOut;
    ParamForm* m_form;
    QLabel* m_problem;
    QPushButton* m_apply;
};

}  // namespace meander::gui
