#include "gui/forms/operation_dialog.h"

#include <QDialogButtonBox>
#include <QPushButton>
#include <QVBoxLayout>

#include "gui/look/theme.h"

namespace meander::gui {

OperationDialog::OperationDialog(const QString& title, const QString& summary, const std::vector<ParamSpec>& specs,
                                 Params values, TryOut tryOut, QWidget* parent)
    : QDialog(parent),
      m_specs(specs),
      m_values(std::move(values)),
      m_tryOut(std::move(tryOut)),
      m_form(new ParamForm(this)),
      m_problem(new QLabel(this)) {
    setObjectName("operation");
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(title);
    auto* about = new QLabel(summary, this);
    about->setWordWrap(true);
    about->setProperty("muted", true);
    m_problem->setWordWrap(true);
    m_problem->setProperty("danger", true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_apply = buttons->addButton(tr("Apply"), QDialogButtonBox::AcceptRole);
    m_apply->setProperty("primary", true);
    m_apply->setDefault(true);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(16, 14, 16, 14);
    box->setSpacing(10);
    box->addWidget(about);
    box->addWidget(m_form);
    box->addWidget(m_problem);
    box->addStretch();
    box->addWidget(buttons);
    setMinimumWidth(340);
    m_form->setSpecs(title.toStdString(), m_specs);
    connect(m_form, &ParamForm::edited, this, [this](const std::string& key, const ParamValue& value) {
        m_values[key] = value;
        show(m_values);
    });
    connect(m_form, &ParamForm::cleared, this, [this](const std::string& key) {
        m_values.erase(key);
        show(m_values);
    });
    show(m_values);
}

void OperationDialog::show(const Params& values) {
    m_form->setValues(values);
    const QString problem = m_tryOut(values);
    m_problem->setText(problem);
    m_problem->setVisible(!problem.isEmpty());
    m_apply->setEnabled(problem.isEmpty());
}

}  // namespace meander::gui
