#include "gui/panels/queue/queue_panel.h"

#include <QContextMenuEvent>
#include <QMenu>
#include <QPainter>
#include <QScrollArea>
#include <algorithm>

#include "gui/document/run_list_model.h"
#include "gui/document/run_text.h"
#include "gui/images/run_thumbnail.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/plots/run_style.h"
#include "gui/widgets/elided_label.h"

namespace meander::gui {
namespace {

constexpr int imageSize = 24;

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
      m_image(new QLabel(this)),
      m_name(new ElidedLabel(this)),
      m_line(new ElidedLabel(this)),
      m_state(new QLabel(this)),
      m_bar(new ProgressLine(this)),
      m_up(rowButton("up", tr("Earlier"), this)),
      m_down(rowButton("down", tr("Later"), this)),
      m_pause(rowButton("pause", tr("Pause"), this)),
      m_cancel(rowButton("close", tr("Cancel"), this)),
      m_more(rowButton("more", tr("More"), this)) {
    setFocusPolicy(Qt::StrongFocus);
    m_number->setFont(numberFont(8.8));
    m_number->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_number->setFixedWidth(QFontMetrics(m_number->font()).horizontalAdvance("0000"));
    m_number->setProperty("muted", true);
    m_image->setFixedSize(imageSize, imageSize);
    m_line->setProperty("muted", true);
    m_state->setProperty("muted", true);
    m_state->setFont(numberFont(8.8));
    m_state->setFixedWidth(QFontMetrics(m_state->font()).horizontalAdvance("step 000 of 000 · 00 min 00 s left") + 4);
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(12, 2, 12, 2);
    box->setSpacing(8);
    box->addWidget(m_number);
    box->addWidget(m_image);
    box->addWidget(m_name, 2);
    box->addWidget(m_line, 3);
    box->addWidget(m_bar, 0, Qt::AlignVCenter);
    box->addWidget(m_state);
    for (QToolButton* b : {m_up, m_down, m_pause, m_cancel, m_more}) box->addWidget(b);
    connectButtons();
}

void QueueRow::connectButtons() {
    connect(m_up, &QToolButton::clicked, this, [this] { m_document.moveInQueue(m_id, m_position - 1); });
    connect(m_down, &QToolButton::clicked, this, [this] { m_document.moveInQueue(m_id, m_position + 1); });
    connect(m_cancel, &QToolButton::clicked, this, [this] { m_document.cancel(m_id); });
    connect(m_pause, &QToolButton::clicked, this, &QueueRow::togglePause);
    m_more->setPopupMode(QToolButton::InstantPopup);
    m_more->setMenu(new QMenu(m_more));
    m_more->menu()->setToolTipsVisible(true);
    connect(m_more->menu(), &QMenu::aboutToShow, this, &QueueRow::fillMenu);
}

void QueueRow::togglePause() {
    const RunPtr run = m_document.run(m_id);
    if (run && run->status == RunStatus::Paused) m_document.resume(m_id);
    else m_document.pause(m_id);
}

void QueueRow::fillMenu() {
    QMenu* menu = m_more->menu();
    menu->clear();
    if (m_document.editedRun() == m_id) {
        menu->addAction(tr("Back as it was"), this, [this] { m_document.stopEditing(); });
    } else {
        QAction* edit = menu->addAction(icon("edit", IconTone::Muted), tr("Edit the recipe"), this,
                                        [this] { m_document.editWaiting(m_id); });
        edit->setEnabled(m_document.isWaiting(m_id));
        edit->setToolTip(tr("The recipe becomes the draft; Run puts it back into its place."));
    }
    menu->addAction(icon("copy", IconTone::Muted), tr("Duplicate"), this, [this] { m_document.duplicate(m_id); });
    QAction* after = menu->addAction(tr("Pause the queue after this"), this, [this] {
        m_document.pauseAfter(m_document.pausesAfter() == m_id ? QString() : m_id);
    });
    after->setCheckable(true);
    after->setChecked(m_document.pausesAfter() == m_id);
}

void QueueRow::contextMenuEvent(QContextMenuEvent* event) {
    fillMenu();
    m_more->menu()->popup(event->globalPos());
}

void QueueRow::keyPressEvent(QKeyEvent* event) {
    const bool isWaiting = m_position >= 0, isAlt = event->modifiers() == Qt::AltModifier;
    if (isAlt && event->key() == Qt::Key_Up && isWaiting) m_document.moveInQueue(m_id, m_position - 1);
    else if (isAlt && event->key() == Qt::Key_Down && isWaiting) m_document.moveInQueue(m_id, m_position + 1);
    else if (event->key() == Qt::Key_Up) focusNextPrevChild(false);
    else if (event->key() == Qt::Key_Down) focusNextPrevChild(true);
    else if (event->key() == Qt::Key_Space) togglePause();
    else if (event->key() == Qt::Key_Delete) m_document.cancel(m_id);
    else if (event->key() == Qt::Key_Return && isWaiting) m_document.editWaiting(m_id);
    else QWidget::keyPressEvent(event);
}

void QueueRow::focusInEvent(QFocusEvent*) { update(); }
void QueueRow::focusOutEvent(QFocusEvent*) { update(); }

void QueueRow::paintEvent(QPaintEvent*) {
    if (!hasFocus()) return;
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(QPen(theme().accent, 1.5));
    p.drawRoundedRect(QRectF(rect()).adjusted(4.5, 1, -4.5, -1), 4, 4);
}

QString QueueRow::stateText() const {
    const LiveRun& live = *m_document.live(m_id);
    if (m_document.editedRun() == m_id) return tr("being edited");
    if (m_position >= 0) {
        const bool isHeld = live.run->status == RunStatus::Paused;
        return isHeld ? tr("waiting, paused") : tr("waiting, place %1").arg(m_position + 1);
    }
    if (live.run->status == RunStatus::Paused) return tr("paused at %1").arg(progressText(live));
    if (m_document.isQueuePaused()) return tr("resting at %1").arg(progressText(live));
    return progressText(live)
           + (live.secondsLeft > 0.5 ? tr(" · %1 left").arg(secondsText(live.secondsLeft)) : QString());
}

void QueueRow::show(int position, int count, const Recipe& first) {
    const LiveRun* live = m_document.live(m_id);
    if (!live) return;
    m_position = position;
    const Run& run = *live->run;
    const bool isPaused = run.status == RunStatus::Paused;
    const QString differs = differenceText(first, run.recipe);
    m_number->setText(QString::number(run.number));
    m_name->setText(!run.name.empty() || differs.isEmpty() ? runName(m_document, run) : differs);
    m_line->setText(
        tr("%1 · %2 · seed %3").arg(modelLabel(run.recipe.model), recipeLine(run.recipe)).arg(run.recipe.seed));
    const QImage image = live->preview ? gui::imageOf(live->preview) : QImage();
    if (!image.isNull())
        m_image->setPixmap(QPixmap::fromImage(image.scaled(imageSize, imageSize, Qt::KeepAspectRatio)));
    m_bar->setShare(live->evaluations > 0 ? double(live->evaluation) / live->evaluations : 0);
    m_bar->setVisible(position < 0);
    m_state->setText(stateText());
    m_up->setVisible(position >= 0);
    m_down->setVisible(position >= 0);
    m_up->setEnabled(position > 0);
    m_down->setEnabled(position + 1 < count);
    m_pause->setIcon(icon(isPaused ? "play" : "pause", IconTone::Muted));
    m_pause->setToolTip(isPaused ? tr("Resume") : tr("Pause"));
    m_pause->setAccessibleName(m_pause->toolTip());
    setAccessibleName(tr("Run %1, %2, %3, %4").arg(run.number).arg(m_name->text(), m_line->text(), m_state->text()));
}

QueuePanel::QueuePanel(Document& document, QWidget* parent)
    : FrontPanel(parent),
      m_document(document),
      m_bar(new QWidget(body())),
      m_empty(new QLabel(
          tr("Nothing is running. Runs that wait stand here; they can be put in another order, edited, paused and "
             "cancelled."),
          body())),
      m_count(new QLabel(m_bar)),
      m_rest(new QLabel(body())),
      m_pause(new QToolButton(m_bar)),
      m_pauseAfter(new QToolButton(m_bar)),
      m_cancelAll(new QToolButton(m_bar)) {
    setProperty("panel", true);
    m_empty->setProperty("muted", true);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_rest->setProperty("muted", true);
    m_rest->setContentsMargins(12, 4, 12, 4);
    buildBar();
    auto* scroll = new QScrollArea(body());
    auto* content = new QWidget(scroll->viewport());
    content->setProperty("panel", true);
    m_box = new QVBoxLayout(content);
    m_box->setContentsMargins(0, 2, 0, 6);
    m_box->setSpacing(0);
    m_box->addWidget(m_empty, 1);
    m_box->addWidget(m_rest);
    m_box->addStretch();
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setAccessibleName(tr("Runs under way and waiting"));
    auto* outer = new QVBoxLayout(body());
    outer->setContentsMargins(0, 0, 0, 0);
    outer->setSpacing(0);
    outer->addWidget(m_bar);
    outer->addWidget(scroll);
    connect(&m_document, &Document::runsChanged, this, &QueuePanel::follow);
    connect(&m_document, &Document::queueChanged, this, &QueuePanel::follow);
    connect(&m_document, &Document::runChanged, this, &QueuePanel::follow);
}

void QueuePanel::follow() {
    if (isInFront()) rebuild();
}

void QueuePanel::frontChanged() { follow(); }

void QueuePanel::buildBar() {
    auto* box = new QHBoxLayout(m_bar);
    box->setContentsMargins(12, 4, 12, 2);
    box->setSpacing(8);
    m_count->setProperty("muted", true);
    m_pause->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_pauseAfter->setText(tr("Pause after the run in progress"));
    m_pauseAfter->setCheckable(true);
    m_cancelAll->setText(tr("Cancel all"));
    box->addWidget(m_count, 1);
    for (QToolButton* b : {m_pause, m_pauseAfter, m_cancelAll}) box->addWidget(b);
    connect(m_pause, &QToolButton::clicked, this, [this] {
        if (m_pause->property("goesOn").toBool()) m_document.resumeQueue();
        else m_document.pauseQueue();
    });
    connect(m_pauseAfter, &QToolButton::clicked, this, [this] {
        const QStringList ids = m_document.queue();
        m_document.pauseAfter(m_document.pausesAfter().isEmpty() && !ids.isEmpty() ? ids.front() : QString());
    });
    connect(m_cancelAll, &QToolButton::clicked, &m_document, &Document::cancelAll);
}

void QueuePanel::rebuild() {
    const QStringList ids = m_document.queue().mid(0, mostRows);
    QStringList shown;
    for (QueueRow* r : m_rows) shown.append(r->id());
    if (ids != shown) {
        // Rows stay who they are: a button that has the focus keeps it while its run moves.
        std::vector<QueueRow*> rows;
        for (const QString& id : ids) {
            const auto known =
                std::find_if(m_rows.begin(), m_rows.end(), [&](const QueueRow* r) { return r->id() == id; });
            rows.push_back(known == m_rows.end() ? new QueueRow(m_document, id, m_box->parentWidget()) : *known);
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
    const QStringList all = m_document.queue();
    int waiting = 0, position = 0;
    for (const QString& id : all) waiting += m_document.isWaiting(id);
    const LiveRun* front = all.isEmpty() ? nullptr : m_document.live(all.front());
    // A row says in what it differs from the baseline, else from the first of the queue.
    const RunPtr baseline = m_document.baseline();
    for (QueueRow* r : m_rows)
        if (front)
            r->show(m_document.isWaiting(r->id()) ? position++ : -1, waiting,
                    baseline ? baseline->recipe : front->run->recipe);
    m_empty->setVisible(m_rows.empty());
    m_rest->setVisible(all.size() > qsizetype(m_rows.size()));
    m_rest->setText(tr("and %1 more").arg(all.size() - qsizetype(m_rows.size())));
    refreshBar(waiting);
}

void QueuePanel::refreshBar(int waiting) {
    const QStringList all = m_document.queue();
    bool isHeld = false;  // something waits since another session, and nothing is in progress
    for (const QString& id : all)
        isHeld |= m_document.isWaiting(id) && m_document.live(id)->run->status == RunStatus::Paused;
    const bool isPaused = m_document.isQueuePaused(), goesOn = isPaused || (isHeld && waiting == all.size());
    m_bar->setVisible(!all.isEmpty() || isPaused);
    m_count->setText(
        isPaused ? tr("The queue is paused · %1 in progress · %2 waiting").arg(all.size() - waiting).arg(waiting)
                 : tr("%1 in progress · %2 waiting").arg(all.size() - waiting).arg(waiting));
    m_pause->setProperty("goesOn", goesOn);
    m_pause->setIcon(icon(goesOn ? "play" : "pause", IconTone::Muted));
    m_pause->setText(goesOn ? tr("Resume the queue") : tr("Pause the queue"));
    m_pause->setAccessibleName(m_pause->text());
    m_pauseAfter->setVisible(!isPaused);
    m_pauseAfter->setEnabled(all.size() > waiting);
    m_pauseAfter->setChecked(!m_document.pausesAfter().isEmpty());
    m_cancelAll->setVisible(all.size() > 1);
}

}  // namespace meander::gui
