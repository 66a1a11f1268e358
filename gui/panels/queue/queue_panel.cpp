#include "gui/panels/queue/queue_panel.h"

#include <QPainter>
#include <QScrollArea>
#include <algorithm>

#include "gui/document/run_list_model.h"
#include "gui/document/run_text.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/widgets/elided_label.h"

namespace meander::gui {
namespace {

QToolButton* rowButton(const QString& iconName, const QString& tooltip, QWidget* parent) {
    auto* b = new QToolButton(parent);
    b->setIcon(icon(iconName, IconTone::Muted));
    b->setProperty("flat", true);
    b->setToolTip(tooltip);
    b->setAccessibleName(tooltip);
    QSizePolicy policy = b->sizePolicy();
    policy.setRetainSizeWhenHidden(true);  // the columns of all rows stay in line
    b->setSizePolicy(policy);
    return b;
}

}  // namespace

ProgressLine::ProgressLine(QWidget* parent) : QWidget(parent) {
    QSizePolicy policy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    policy.setRetainSizeWhenHidden(true);
    setSizePolicy(policy);
    setFixedSize(160, 4);
}

void ProgressLine::setShare(double share) {
    if (std::exchange(m_share, std::clamp(share, 0.0, 1.0)) != m_share) update();
}

void ProgressLine::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(Qt::NoPen);
    p.setBrush(theme().line);
    p.drawRoundedRect(rect(), 2, 2);
    p.setBrush(theme().accent);
    p.setClipRect(QRectF(0, 0, width() * m_share, height()));
    p.drawRoundedRect(rect(), 2, 2);
}

QueueRow::QueueRow(Document& document, const QString& id, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_id(id),
      m_number(new QLabel(this)),
      m_name(new ElidedLabel(this)),
      m_state(new QLabel(this)),
      m_bar(new ProgressLine(this)),
      m_up(rowButton("up", tr("Earlier"), this)),
      m_down(rowButton("down", tr("Later"), this)),
      m_pause(rowButton("pause", tr("Pause"), this)),
      m_cancel(rowButton("close", tr("Cancel"), this)) {
    m_number->setFont(numberFont(8.8));
    m_number->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_number->setFixedWidth(QFontMetrics(m_number->font()).horizontalAdvance("000"));
    m_number->setProperty("muted", true);
    m_state->setProperty("muted", true);
    m_state->setFont(numberFont(8.8));
    m_state->setFixedWidth(QFontMetrics(m_state->font()).horizontalAdvance("step 000 of 000 · 00 min 00 s left") + 4);
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(12, 3, 12, 3);
    box->setSpacing(8);
    box->addWidget(m_number);
    box->addWidget(m_name, 1);
    box->addWidget(m_bar, 0, Qt::AlignVCenter);
    box->addWidget(m_state);
    for (QToolButton* b : {m_up, m_down, m_pause, m_cancel}) box->addWidget(b);
    connect(m_up, &QToolButton::clicked, this, [this] { m_document.moveInQueue(m_id, m_position - 1); });
    connect(m_down, &QToolButton::clicked, this, [this] { m_document.moveInQueue(m_id, m_position + 1); });
    connect(m_cancel, &QToolButton::clicked, this, [this] { m_document.cancel(m_id); });
    connect(m_pause, &QToolButton::clicked, this, [this] {
        const RunPtr run = m_document.run(m_id);
        if (run && run->status == RunStatus::Paused) m_document.resume(m_id);
        else m_document.pause(m_id);
    });
}

void QueueRow::show(int position, int count) {
    const LiveRun* live = m_document.live(m_id);
    if (!live) return;
    m_position = position;
    const Run& run = *live->run;
    const bool isPaused = run.status == RunStatus::Paused;
    m_number->setText(QString::number(run.number));
    m_name->setText(runName(m_document, run) + QStringLiteral(" · ") + recipeLine(run.recipe));
    m_bar->setShare(live->evaluations > 0 ? double(live->evaluation) / live->evaluations : 0);
    m_bar->setVisible(position < 0);
    if (position >= 0) m_state->setText(tr("waiting, place %1").arg(position + 1));
    else if (isPaused) m_state->setText(tr("paused at %1").arg(progressText(*live)));
    else
        m_state->setText(
            progressText(*live)
            + (live->secondsLeft > 0.5 ? tr(" · %1 left").arg(secondsText(live->secondsLeft)) : QString()));
    m_up->setVisible(position >= 0);
    m_down->setVisible(position >= 0);
    m_up->setEnabled(position > 0);
    m_down->setEnabled(position + 1 < count);
    m_pause->setIcon(icon(isPaused ? "play" : "pause", IconTone::Muted));
    m_pause->setToolTip(isPaused ? tr("Resume") : tr("Pause"));
    m_pause->setAccessibleName(m_pause->toolTip());
}

QueuePanel::QueuePanel(Document& document, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_empty(new QLabel(
          tr("Nothing is running. Runs that wait stand here; they can be put in another order, paused and cancelled."),
          this)),
      m_cancelAll(new QToolButton(this)) {
    setProperty("panel", true);
    m_empty->setProperty("muted", true);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_cancelAll->setText(tr("Cancel all"));
    connect(m_cancelAll, &QToolButton::clicked, &m_document, &Document::cancelAll);
    auto* scroll = new QScrollArea(this);
    auto* content = new QWidget(scroll->viewport());
    content->setProperty("panel", true);
    m_box = new QVBoxLayout(content);
    m_box->setContentsMargins(0, 6, 0, 6);
    m_box->setSpacing(0);
    m_box->addWidget(m_empty, 1);
    m_box->addWidget(m_cancelAll, 0, Qt::AlignRight);
    m_box->addStretch();
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setAccessibleName(tr("Runs under way and waiting"));
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->addWidget(scroll);
    connect(&m_document, &Document::runsChanged, this, &QueuePanel::rebuild);
    connect(&m_document, &Document::runChanged, this, [this] {
        if (m_document.queue().size() != qsizetype(m_rows.size())) rebuild();
        else refresh();
    });
    rebuild();
}

void QueuePanel::rebuild() {
    const QStringList ids = m_document.queue();
    QStringList shown;
    for (QueueRow* r : m_rows) shown.append(r->id());
    if (ids != shown) {
        // Rows stay who they are: a button that has the focus keeps it while its run moves.
        std::vector<QueueRow*> rows;
        for (const QString& id : ids) {
            const auto known =
                std::find_if(m_rows.begin(), m_rows.end(), [&](const QueueRow* r) { return r->id() == id; });
            rows.push_back(known == m_rows.end() ? new QueueRow(m_document, id) : *known);
        }
        for (QueueRow* r : m_rows)
            if (!ids.contains(r->id())) {
                r->hide();
                r->deleteLater();
            }
        m_rows = std::move(rows);
        for (int i = 0; i < ids.size(); ++i)
            if (m_box->indexOf(m_rows[std::size_t(i)]) != i) m_box->insertWidget(i, m_rows[std::size_t(i)]);
    }
    refresh();
}

void QueuePanel::refresh() {
    int waiting = 0, position = 0;
    const auto isWaiting = [this](const QueueRow* r) {
        const LiveRun* l = m_document.live(r->id());
        return l && l->run->status == RunStatus::Queued;
    };
    for (const QueueRow* r : m_rows) waiting += isWaiting(r);
    for (QueueRow* r : m_rows) r->show(isWaiting(r) ? position++ : -1, waiting);
    m_empty->setVisible(m_rows.empty());
    m_cancelAll->setVisible(m_rows.size() > 1);
}

}  // namespace meander::gui
