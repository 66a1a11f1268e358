#include "gui/panels/canvas/run_state_page.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include "gui/document/run_text.h"
#include "gui/look/theme.h"

namespace meander::gui {

RunStatePage::RunStatePage(Document& document, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_title(new QLabel(this)),
      m_reason(new QLabel(this)),
      m_useRecipe(new QPushButton(tr("Use its recipe"), this)),
      m_goOn(new QPushButton(tr("Go on"), this)),
      m_again(new QPushButton(tr("Run it again"), this)),
      m_cancel(new QPushButton(tr("Cancel the run"), this)) {
    setProperty("canvas", true);
    setAttribute(Qt::WA_StyledBackground);
    setFocusPolicy(Qt::StrongFocus);
    m_title->setFont(interfaceFont(0, true));
    m_title->setAlignment(Qt::AlignCenter);
    m_reason->setProperty("muted", true);
    m_reason->setAlignment(Qt::AlignCenter);
    m_reason->setWordWrap(true);
    m_reason->setTextFormat(Qt::PlainText);
    m_reason->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_useRecipe->setToolTip(tr("Makes the settings of this run the draft, to be changed and run again"));
    connect(m_useRecipe, &QPushButton::clicked, this, [this] {
        if (!m_run) return;
        Recipe r = m_run->recipe;
        r.branch.reset();
        m_document.editDraft(r, tr("recipe of run %1").arg(m_run->number));
    });
    connect(m_cancel, &QPushButton::clicked, this, [this] {
        if (m_run) m_document.cancel(qstr(m_run->id));
    });
    m_goOn->setToolTip(
        tr("The same run goes on: from its start where it has only waited, else from its last evaluation"));
    connect(m_goOn, &QPushButton::clicked, this, [this] {
        if (!m_run) return;
        if (const QString id = qstr(m_run->id); m_document.live(id)) m_document.resume(id);
        else m_document.goOn(id);
    });
    m_again->setToolTip(tr("The same settings as a new run"));
    connect(m_again, &QPushButton::clicked, this, [this] {
        if (m_run) m_document.retry(qstr(m_run->id));
    });
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(m_goOn);
    buttons->addWidget(m_again);
    buttons->addWidget(m_useRecipe);
    buttons->addWidget(m_cancel);
    buttons->addStretch();
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(32, 16, 32, 16);
    box->setSpacing(8);
    box->addStretch();
    box->addWidget(m_title);
    box->addWidget(m_reason);
    box->addSpacing(4);
    box->addLayout(buttons);
    box->addStretch();
}

bool RunStatePage::hasView(const Run& run) {
    if (run.images) return true;
    if (!run.trajectory) return false;
    return !run.trajectory->evaluations.empty() || !run.trajectory->steps.empty()
           || (run.model.state.kind == StateKind::Points && !run.trajectory->empty());
}

void RunStatePage::show(const RunPtr& run) {
    m_run = run;
    if (!run) return;
    const QString id = qstr(run->id);
    const bool isLive = m_document.live(id) != nullptr, isRead = run->trajectory != nullptr;
    QString title, reason = qstr(run->problem);
    switch (run->status) {
    case RunStatus::Queued: {
        const QStringList queue = m_document.queue();
        const qsizetype ahead = queue.indexOf(id);
        title = tr("Run %1 is waiting").arg(run->number);
        reason = ahead <= 0 ? tr("It starts next.") : tr("%n run(s) are ahead of it.", nullptr, int(ahead));
        break;
    }
    case RunStatus::Running:
        title = tr("Run %1 is starting").arg(run->number);
        reason = tr("The model is loaded, then every step appears here.");
        break;
    case RunStatus::Paused: title = tr("Run %1 is paused before its first step").arg(run->number); break;
    case RunStatus::Failed: title = tr("Run %1 failed").arg(run->number); break;
    case RunStatus::Cancelled: title = tr("Run %1 was cancelled before its first step").arg(run->number); break;
    case RunStatus::Interrupted: title = tr("Run %1 was interrupted before its first step").arg(run->number); break;
    case RunStatus::Finished: title = tr("The record of run %1 holds nothing to show").arg(run->number); break;
    }
    const bool isLoading = !isLive && !isRead && run->status != RunStatus::Failed;
    if (isLoading) {
        title = tr("Loading the record of run %1 …").arg(run->number);
        reason.clear();
    }
    m_title->setText(title);
    m_reason->setText(reason);
    m_reason->setVisible(!reason.isEmpty());
    m_useRecipe->setVisible(!isLoading);
    m_goOn->setVisible(isLive ? run->status == RunStatus::Paused : m_document.canGoOn(id));
    m_again->setVisible(!isLive && !isLoading);
    m_cancel->setVisible(isLive);
    setAccessibleName(title);
    setAccessibleDescription(reason);
}

}  // namespace meander::gui
