#include "gui/panels/sweep/sweep_grid.h"

#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QMenu>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>
#include <cmath>

#include "gui/document/run_list_model.h"
#include "gui/document/run_text.h"
#include "gui/images/run_thumbnail.h"
#include "gui/images/state_image.h"
#include "gui/plots/run_style.h"

namespace meander::gui {
namespace {
constexpr int gap = 4, thumbnailSize = 128;
}

SweepGrid::SweepGrid(Document& document, QWidget* parent) : QAbstractScrollArea(parent), m_document(document) {
    setObjectName("sweepGrid");
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Cells of the sweep"));
    viewport()->setMouseTracking(true);
    setMinimumSize(160, 100);
}

void SweepGrid::setSweep(const Sweep* sweep, const QString& id) {
    const bool isOther = m_id != id || !sweep || sweep->axes != m_sweep.axes;
    m_sweep = sweep ? *sweep : Sweep();
    m_id = id;
    if (isOther) {
        const int n = int(m_sweep.axes.size());
        m_place.assign(std::size_t(n), 0);
        m_across = n - 1;
        m_down = n - 2;
        m_current.reset();
        m_images.clear();
        m_zoom = 1;
        m_centre = {0.5, 0.5};
    }
    updateBars();
    viewport()->update();
}

void SweepGrid::setAxes(int across, int down) {
    m_across = across;
    m_down = down;
    updateBars();
    viewport()->update();
}

void SweepGrid::setPlace(int axis, int place) {
    m_place[std::size_t(axis)] = place;
    viewport()->update();
}

void SweepGrid::setCellSize(int pixels) {
    m_size = pixels;
    updateBars();
    viewport()->update();
}

void SweepGrid::setScrub(std::optional<double> share) {
    if (std::exchange(m_scrub, share) == share) return;
    m_images.clear();
    viewport()->update();
}

void SweepGrid::refresh(const QString& runId) {
    m_images.remove(runId);
    viewport()->update();
}

QString SweepGrid::labelOf(int axis, int place) const {
    return qstr(m_sweep.axes[std::size_t(axis)].label(place)).simplified();
}

std::size_t SweepGrid::cellIn(int column, int row) const {
    std::vector<int> at = m_place;
    if (m_across >= 0) at[std::size_t(m_across)] = column;
    if (m_down >= 0) at[std::size_t(m_down)] = row;
    return m_sweep.cellAt(at);
}

QPoint SweepGrid::offset() const { return {horizontalScrollBar()->value(), verticalScrollBar()->value()}; }

QSize SweepGrid::pageSize() const {
    return {m_left + count(m_across) * (m_size + gap) + gap, m_top + count(m_down) * (m_size + gap) + gap};
}

void SweepGrid::updateBars() {
    const QFontMetrics m(numberFont(8.8));
    m_top = 2 * m.height() + 8;
    m_left = 12;
    if (hasSweep() && m_down >= 0) {
        m_left = m.horizontalAdvance(qstr(m_sweep.axes[std::size_t(m_down)].label()));
        for (int i = 0; i < count(m_down); ++i) m_left = std::max(m_left, m.horizontalAdvance(labelOf(m_down, i)));
        m_left = std::min(m_left, 140) + 20;
    }
    const QSize page = hasSweep() ? pageSize() : QSize();
    horizontalScrollBar()->setRange(0, std::max(0, page.width() - viewport()->width()));
    horizontalScrollBar()->setPageStep(viewport()->width());
    verticalScrollBar()->setRange(0, std::max(0, page.height() - viewport()->height()));
    verticalScrollBar()->setPageStep(viewport()->height());
}

QRect SweepGrid::rectOf(std::size_t cell) const {
    if (!hasSweep()) return {};
    const auto at = m_sweep.place(cell);
    for (std::size_t i = 0; i < at.size(); ++i)
        if (int(i) != m_across && int(i) != m_down && at[i] != m_place[i]) return {};
    const int column = m_across < 0 ? 0 : at[std::size_t(m_across)], row = m_down < 0 ? 0 : at[std::size_t(m_down)];
    return QRect(m_left + column * (m_size + gap), m_top + row * (m_size + gap), m_size, m_size).translated(-offset());
}

std::optional<std::size_t> SweepGrid::cellAt(QPoint at) const {
    if (!hasSweep()) return {};
    const QPoint p = at + offset() - QPoint(m_left, m_top);
    if (p.x() < 0 || p.y() < 0) return {};
    const int column = p.x() / (m_size + gap), row = p.y() / (m_size + gap);
    if (column >= count(m_across) || row >= count(m_down)) return {};
    return cellIn(column, row);
}

void SweepGrid::setCurrent(std::optional<std::size_t> cell) {
    if (std::exchange(m_current, cell) == cell) return;
    viewport()->update();
    emit currentChanged();
}

QImage SweepGrid::imageOfCell(std::size_t cell) {
    const QString id = qstr(m_sweep.cells[cell].run);
    const RunPtr run = m_document.run(id);
    if (!run) return {};
    if (const LiveRun* live = m_document.live(id)) return live->preview ? gui::imageOf(live->preview) : QImage();
    if (const auto it = m_images.find(id); it != m_images.end()) return *it;
    QImage image;
    if (m_scrub) {
        if (!run->trajectory) m_document.requestTrajectory(id);
        else if (const int n = int(run->trajectory->evaluations.size()); n > 0)
            image = stateImage(*run, 0, std::clamp(int(std::lround(*m_scrub * (n - 1))), 0, n - 1), Quantity::Denoised,
                               theme().dark);
    } else {
        image = runThumbnail(*run, thumbnailSize, runStyle(run->number - 1, theme()).color);
        if (image.isNull() && run->status == RunStatus::Finished) m_document.requestImage(id);
    }
    if (!image.isNull()) m_images.insert(id, image);
    return image;
}

QString SweepGrid::stateText(std::size_t cell) const {
    const SweepCell& c = m_sweep.cells[cell];
    const QString id = qstr(c.run);
    if (!c.problem.empty()) return tr("refused");
    const RunPtr run = m_document.run(id);
    if (!run) return c.run.empty() ? QString() : tr("cancelled");
    if (const LiveRun* live = m_document.live(id))
        return m_document.isWaiting(id) ? tr("waiting") : progressText(*live);
    return run->status == RunStatus::Finished ? QString() : statusWord(run->status);
}

QString SweepGrid::sentence(std::size_t cell) const {
    const SweepCell& c = m_sweep.cells[cell];
    QStringList lines;
    const auto at = m_sweep.place(cell);
    for (std::size_t i = 0; i < at.size(); ++i)
        lines << tr("%1: %2").arg(qstr(m_sweep.axes[i].label()), labelOf(int(i), at[i]));
    if (!c.problem.empty()) lines << qstr(c.problem);
    else if (const RunPtr run = m_document.run(qstr(c.run)))
        lines << tr("Run %1 · %2").arg(run->number).arg(statusLine(*run))
              << (run->status == RunStatus::Finished ? tr("%1, %2 of them shared with other cells")
                                                           .arg(evaluationsText(run->evaluations))
                                                           .arg(run->sharedEvaluations)
                                                     : QString());
    lines.removeAll(QString());
    return lines.join('\n');
}

void SweepGrid::paintHeaders(QPainter& p, const Theme& t) const {
    p.setFont(numberFont(8.8));
    const QFontMetrics m(p.font());
    if (m_across >= 0) {
        p.setPen(t.dim);
        p.drawText(QRect(m_left, 0,
                         std::max(m_size, m.horizontalAdvance(qstr(m_sweep.axes[std::size_t(m_across)].label())) + 4),
                         m_top / 2),
                   Qt::AlignLeft | Qt::AlignVCenter, qstr(m_sweep.axes[std::size_t(m_across)].label()));
        p.setPen(t.muted);
        for (int i = 0; i < count(m_across); ++i)
            p.drawText(QRect(m_left + i * (m_size + gap), m_top / 2, m_size, m_top / 2), Qt::AlignCenter,
                       m.elidedText(labelOf(m_across, i), Qt::ElideRight, m_size));
    }
    if (m_down < 0) return;
    p.setPen(t.dim);
    p.drawText(QRect(8, m_top / 2, m_left - 16, m_top / 2), Qt::AlignRight | Qt::AlignVCenter,
               m.elidedText(qstr(m_sweep.axes[std::size_t(m_down)].label()), Qt::ElideRight, m_left - 16));
    p.setPen(t.muted);
    for (int i = 0; i < count(m_down); ++i)
        p.drawText(QRect(8, m_top + i * (m_size + gap), m_left - 16, m_size), Qt::AlignRight | Qt::AlignVCenter,
                   m.elidedText(labelOf(m_down, i), Qt::ElideRight, m_left - 16));
}

void SweepGrid::paintCell(QPainter& p, const Theme& t, std::size_t cell, const QRect& r) {
    const QImage image = imageOfCell(cell);
    p.fillRect(r, t.raised);
    if (!image.isNull()) {
        // The same part of every image.
        const QSizeF part(image.width() / m_zoom, image.height() / m_zoom);
        const QRectF source(m_centre.x() * image.width() - part.width() / 2,
                            m_centre.y() * image.height() - part.height() / 2, part.width(), part.height());
        p.setRenderHint(QPainter::SmoothPixmapTransform, image.width() / m_zoom > r.width());
        const double scale = std::min(r.width() / part.width(), r.height() / part.height());
        const QSizeF shown = part * scale;
        p.drawImage(QRectF(r.center().x() + 0.5 - shown.width() / 2, r.center().y() + 0.5 - shown.height() / 2,
                           shown.width(), shown.height()),
                    image, source);
    }
    const QString state = stateText(cell);
    if (!state.isEmpty()) {
        p.setFont(numberFont(8));
        if (!image.isNull())
            p.fillRect(QRect(r.left(), r.bottom() - 15, r.width(), 16),
                       QColor(t.panel.red(), t.panel.green(), t.panel.blue(), 215));
        p.setPen(m_sweep.cells[cell].problem.empty() ? t.muted : t.warning);
        p.drawText(image.isNull() ? r.adjusted(3, 3, -3, -3) : QRect(r.left(), r.bottom() - 15, r.width(), 16),
                   Qt::AlignCenter | Qt::TextWordWrap, state);
    }
    p.setBrush(Qt::NoBrush);
    const bool isCurrent = m_current == cell;
    p.setPen(QPen(isCurrent ? t.accent : t.line, isCurrent ? 2 : 1));
    p.drawRect(QRectF(r).adjusted(0.5, 0.5, -0.5, -0.5));
}

void SweepGrid::paintPage(QPainter& p, const Theme& t, const QRect& visible) {
    paintHeaders(p, t);
    for (int row = 0; row < count(m_down); ++row)
        for (int column = 0; column < count(m_across); ++column) {
            const QRect r(m_left + column * (m_size + gap), m_top + row * (m_size + gap), m_size, m_size);
            if (r.intersects(visible)) paintCell(p, t, cellIn(column, row), r);
        }
}

void SweepGrid::paintEvent(QPaintEvent*) {
    QPainter p(viewport());
    p.fillRect(viewport()->rect(), theme().panel);
    if (!hasSweep()) {
        p.setPen(theme().muted);
        p.drawText(
            viewport()->rect().adjusted(16, 16, -16, -16), Qt::AlignCenter | Qt::TextWordWrap,
            tr("Choose settings and values at the left, then press Run: every combination is drawn here, the ends of "
               "the axes first."));
        return;
    }
    p.translate(-offset());
    paintPage(p, theme(), viewport()->rect().translated(offset()));
}

void SweepGrid::resizeEvent(QResizeEvent* event) {
    QAbstractScrollArea::resizeEvent(event);
    updateBars();
}

void SweepGrid::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) m_images.clear();
    if (event->type() == QEvent::FontChange) updateBars();
    QAbstractScrollArea::changeEvent(event);
}

void SweepGrid::mousePressEvent(QMouseEvent* event) {
    m_pressedAt = event->pos();
    m_pressedCentre = m_centre;
    const auto cell = cellAt(event->pos());
    if (!cell || event->button() != Qt::LeftButton) return;
    setCurrent(cell);
    if (event->modifiers() & (Qt::ControlModifier | Qt::AltModifier)) emit compared(*cell);
    else emit shown(*cell);
}

// Drags the part of the image that all cells show.
void SweepGrid::mouseMoveEvent(QMouseEvent* event) {
    if (!(event->buttons() & Qt::LeftButton) || m_zoom <= 1) return;
    const QPointF by = QPointF(event->pos() - m_pressedAt) / (m_size * m_zoom);
    const double edge = 0.5 / m_zoom;
    m_centre = {std::clamp(m_pressedCentre.x() - by.x(), edge, 1 - edge),
                std::clamp(m_pressedCentre.y() - by.y(), edge, 1 - edge)};
    viewport()->update();
}

void SweepGrid::mouseDoubleClickEvent(QMouseEvent*) {
    m_zoom = 1;
    m_centre = {0.5, 0.5};
    viewport()->update();
}

void SweepGrid::wheelEvent(QWheelEvent* event) {
    if (!(event->modifiers() & Qt::ControlModifier)) return QAbstractScrollArea::wheelEvent(event);
    m_zoom = std::clamp(m_zoom * std::pow(1.0015, event->angleDelta().y()), 1.0, 32.0);
    const double edge = 0.5 / m_zoom;
    m_centre = {std::clamp(m_centre.x(), edge, 1 - edge), std::clamp(m_centre.y(), edge, 1 - edge)};
    viewport()->update();
    event->accept();
}

void SweepGrid::step(int columns, int rows) {
    const std::size_t now = m_current.value_or(cellIn(0, 0));
    auto at = m_sweep.place(now);
    const auto move = [&](int axis, int by) {
        if (axis >= 0) at[std::size_t(axis)] = std::clamp(at[std::size_t(axis)] + by, 0, count(axis) - 1);
    };
    if (m_current) move(m_across, columns), move(m_down, rows);
    setCurrent(m_sweep.cellAt(at));
    const QRect r = rectOf(*m_current);
    if (r.right() > viewport()->width())
        horizontalScrollBar()->setValue(offset().x() + r.right() - viewport()->width() + gap);
    if (r.left() < m_left) horizontalScrollBar()->setValue(offset().x() + r.left() - m_left);
    if (r.bottom() > viewport()->height())
        verticalScrollBar()->setValue(offset().y() + r.bottom() - viewport()->height() + gap);
    if (r.top() < m_top) verticalScrollBar()->setValue(offset().y() + r.top() - m_top);
}

void SweepGrid::keyPressEvent(QKeyEvent* event) {
    if (!hasSweep()) return QAbstractScrollArea::keyPressEvent(event);
    switch (event->key()) {
    case Qt::Key_Left: return step(-1, 0);
    case Qt::Key_Right: return step(1, 0);
    case Qt::Key_Up: return step(0, -1);
    case Qt::Key_Down: return step(0, 1);
    default: break;
    }
    if (!m_current) return QAbstractScrollArea::keyPressEvent(event);
    switch (event->key()) {
    case Qt::Key_Return:
    case Qt::Key_Enter: return emit shown(*m_current);
    case Qt::Key_Space: return emit compared(*m_current);
    case Qt::Key_Delete: return emit cancelled(*m_current);
    case Qt::Key_R: return emit retried(*m_current);
    default: QAbstractScrollArea::keyPressEvent(event);
    }
}

void SweepGrid::contextMenuEvent(QContextMenuEvent* event) {
    const auto cell = event->reason() == QContextMenuEvent::Keyboard ? m_current : cellAt(event->pos());
    if (!cell) return;
    setCurrent(cell);
    const QString id = qstr(m_sweep.cells[*cell].run);
    const bool isLive = m_document.live(id) != nullptr, isThere = m_document.run(id) != nullptr;
    QMenu menu(this);
    menu.addAction(tr("Show its run"), this, [this, cell] { emit shown(*cell); })->setEnabled(isThere);
    menu.addAction(tr("Compare it with the shown run"), this, [this, cell] { emit compared(*cell); })
        ->setEnabled(isThere);
    menu.addSeparator();
    menu.addAction(tr("Cancel this cell"), this, [this, cell] { emit cancelled(*cell); })->setEnabled(isLive);
    menu.addAction(tr("Run this cell again"), this, [this, cell] { emit retried(*cell); })->setEnabled(!isLive);
    menu.exec(event->globalPos());
}

bool SweepGrid::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        if (const auto cell = cellAt(help->pos())) QToolTip::showText(help->globalPos(), sentence(*cell), viewport());
        else QToolTip::hideText();
        return true;
    }
    return QAbstractScrollArea::viewportEvent(event);
}

}  // namespace meander::gui
