#include "gui/plots/curve_editor.h"

#include <QAccessible>
#include <QApplication>
#include <QMouseEvent>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "gui/look/draw_image.h"
#include "gui/look/style_sheet.h"
#include "gui/plots/geometry.h"

namespace meander::gui {
namespace {

constexpr double reach = 11, dragThreshold = 3, preciseShare = 0.1;
constexpr double gripSize = 9;

}  // namespace

CurveEditor::CurveEditor(QWidget* parent) : PlotView(parent) {}

void CurveEditor::setPoints(std::vector<Point> points, const QColor& color, double radius) {
    m_points = std::move(points);
    m_color = color;
    m_pointRadius = radius;
    const auto isGone = [this](int i) { return i >= int(m_points.size()); };
    m_selection.removeIf(isGone);
    if (isGone(m_anchor)) m_anchor = m_selection.isEmpty() ? -1 : m_selection.back();
    if (isGone(m_hovered)) m_hovered = -1;
    announceSelection();
    update();
}

void CurveEditor::setGuides(std::vector<Guide> guides) {
    m_guides = std::move(guides);
    update();
}

void CurveEditor::setSnapMark(std::optional<SnapMark> mark) {
    m_snapMark = std::move(mark);
    update();
}

void CurveEditor::setSelection(const QList<int>& points, int anchor) {
    m_selection = points;
    m_anchor = anchor >= 0 ? anchor : points.isEmpty() ? -1 : points.back();
    announceSelection();
    update();
    emit selectionChanged();
}

void CurveEditor::setProportional(bool on) {
    if (std::exchange(m_isProportional, on) == on) return;
    update();
    emit proportionalChanged(on);
}

QPointF CurveEditor::pageOfGuide(int i) const {
    return {frame().px(m_guides[std::size_t(i)].x), plotArea().top() + gripSize / 2};
}

void CurveEditor::announceSelection() {
    if (m_anchor < 0) return;
    const QString text = m_points[std::size_t(m_anchor)].text;
    if (text == accessibleDescription()) return;
    setAccessibleDescription(text);
    if (hasFocus() && QAccessible::isActive()) {
        QAccessibleEvent event(this, QAccessible::DescriptionChanged);
        QAccessible::updateAccessibility(&event);
    }
}

std::optional<int> CurveEditor::pointAt(QPointF page) const {
    std::vector<QPointF> pages;
    for (std::size_t i = 0; i < m_points.size(); ++i) pages.push_back(pageOfPoint(int(i)));
    return nearestPoint(pages, page, reach);
}

std::optional<int> CurveEditor::guideAt(QPointF page) const {
    for (std::size_t i = 0; i < m_guides.size(); ++i) {
        const QPointF grip = pageOfGuide(int(i));
        if (std::abs(page.x() - grip.x()) <= gripSize && std::abs(page.y() - grip.y()) <= gripSize) return int(i);
    }
    return {};
}

void CurveEditor::choose(int point, Qt::KeyboardModifiers modifiers) {
    if (modifiers & Qt::ControlModifier) {
        if (m_selection.contains(point)) m_selection.removeAll(point);
        else m_selection.append(point);
    } else if (modifiers & Qt::ShiftModifier && m_anchor >= 0) {
        for (int i = std::min(m_anchor, point); i <= std::max(m_anchor, point); ++i)
            if (!m_selection.contains(i)) m_selection.append(i);
    } else {
        m_selection = {point};
    }
    setSelection(m_selection, m_selection.contains(point) ? point : -1);
}

void CurveEditor::chooseNext(int direction) {
    const int last = int(m_points.size()) - 1;
    if (last < 0) return;
    const int next = m_anchor < 0 ? (direction > 0 ? 0 : last) : std::clamp(m_anchor + direction, 0, last);
    setSelection({next});
}

void CurveEditor::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    m_pressedAt = m_lastAt = event->position();
    m_travel = {};
    if (const auto guide = guideAt(event->position())) {
        m_draggedGuide = *guide;
        return;
    }
    m_pressed = pointAt(event->position()).value_or(-1);
    if (m_pressed < 0) {
        m_band = QRectF(m_pressedAt, m_pressedAt);
        return;
    }
    // What is chosen already stays, so that several points are dragged by one of them.
    if (!m_selection.contains(m_pressed) && !(event->modifiers() & (Qt::ControlModifier | Qt::ShiftModifier)))
        choose(m_pressed, Qt::NoModifier);
}

void CurveEditor::drag(QMouseEvent* event) {
    const QPointF step = event->position() - std::exchange(m_lastAt, event->position());
    const bool isPrecise = event->modifiers() & Qt::ShiftModifier;
    m_travel += step * (isPrecise ? preciseShare : 1);
    const QRectF area = plotArea();
    const bool isFree = event->modifiers() & Qt::AltModifier;
    if (m_draggedGuide >= 0) {
        const double at = std::clamp(m_pressedAt.x() + m_travel.x(), area.left(), area.right());
        emit guideDragged(m_draggedGuide, frame().valueAt({at, area.center().y()}).x(), isFree);
        return;
    }
    emit dragged({m_travel.x() / area.width(), -m_travel.y() / area.height()},
                 m_isProportional || event->modifiers() & Qt::ControlModifier, isFree);
}

void CurveEditor::mouseMoveEvent(QMouseEvent* event) {
    if (m_draggedGuide >= 0 || m_dragged >= 0) return drag(event);
    if (m_pressed >= 0) {
        if ((event->position() - m_pressedAt).manhattanLength() < dragThreshold) return;
        if (!m_selection.contains(m_pressed)) choose(m_pressed, Qt::NoModifier);
        m_anchor = m_dragged = m_pressed;
        emit dragStarted(m_dragged);
        return drag(event);
    }
    if (m_band) {
        m_band = QRectF(m_pressedAt, event->position()).normalized();
        return update();
    }
    const int hovered = pointAt(event->position()).value_or(-1);
    if (std::exchange(m_hovered, hovered) != hovered) update();
    QWidget::setCursor(guideAt(event->position()) ? Qt::SizeHorCursor
                       : hovered >= 0             ? Qt::PointingHandCursor
                                                  : Qt::ArrowCursor);
    PlotView::mouseMoveEvent(event);
}

void CurveEditor::endDrag(bool isKept) {
    m_pressed = -1;
    m_snapMark.reset();
    if (const int guide = std::exchange(m_draggedGuide, -1); guide >= 0) emit guideEnded(guide, isKept);
    if (std::exchange(m_dragged, -1) >= 0) emit dragEnded(isKept);
    update();
}

void CurveEditor::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    if (isDragging()) return endDrag(true);
    if (m_pressed >= 0) return choose(std::exchange(m_pressed, -1), event->modifiers());
    const auto band = std::exchange(m_band, {});
    if (!band) return;
    QList<int> inside;
    if (event->modifiers() & (Qt::ControlModifier | Qt::ShiftModifier)) inside = m_selection;
    for (int i = 0; i < int(m_points.size()); ++i)
        if (band->contains(pageOfPoint(i)) && !inside.contains(i)) inside.append(i);
    setSelection(inside);
    // A click beside the points is one on the step under it.
    if (band->width() < dragThreshold && band->height() < dragThreshold) PlotView::mousePressEvent(event);
}

void CurveEditor::mouseDoubleClickEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    if (const auto point = pointAt(event->position())) emit valueAsked(*point);
    else if (plotArea().contains(event->position())) emit insertAsked(frame().valueAt(event->position()).x());
}

void CurveEditor::wheelEvent(QWheelEvent* event) {
    const bool counts = m_isProportional || event->modifiers() & Qt::ControlModifier;
    if (!counts || event->angleDelta().y() == 0) return event->ignore();
    m_radius = std::clamp(m_radius * (event->angleDelta().y() > 0 ? 1.25 : 0.8), 1.5, 200.0);
    event->accept();
    update();
}

void CurveEditor::contextMenuEvent(QContextMenuEvent* event) { emit menuAsked(event->globalPos()); }

void CurveEditor::focusOutEvent(QFocusEvent* event) {
    if (isDragging() && event->reason() != Qt::PopupFocusReason) endDrag(false);
    PlotView::focusOutEvent(event);
}

// Tab goes from point to point, and on to the next widget after the last one.
bool CurveEditor::focusNextPrevChild(bool next) {
    const int last = int(m_points.size()) - 1, at = m_anchor + (next ? 1 : -1);
    if (!hasFocus() || last < 0 || m_anchor < 0 || at < 0 || at > last) return PlotView::focusNextPrevChild(next);
    setSelection({at});
    return true;
}

bool CurveEditor::event(QEvent* event) {
    // Keys of points are not the window's while the points have the focus.
    if (event->type() == QEvent::ShortcutOverride) {
        const auto* key = static_cast<QKeyEvent*>(event);
        static const QList<int> plain{Qt::Key_Left, Qt::Key_Right,  Qt::Key_Up,     Qt::Key_Down, Qt::Key_Home,
                                      Qt::Key_End,  Qt::Key_Delete, Qt::Key_Insert, Qt::Key_O,    Qt::Key_S,
                                      Qt::Key_L,    Qt::Key_Return, Qt::Key_Enter};
        const bool isPlain =
            plain.contains(key->key()) && !(key->modifiers() & (Qt::AltModifier | Qt::MetaModifier))
            && (!(key->modifiers() & Qt::ControlModifier) || key->key() == Qt::Key_Left || key->key() == Qt::Key_Right
                || key->key() == Qt::Key_Up || key->key() == Qt::Key_Down);
        const bool isEscape = key->key() == Qt::Key_Escape && (isDragging() || !m_selection.isEmpty());
        if (isPlain || isEscape || key->matches(QKeySequence::Copy) || key->matches(QKeySequence::Paste)
            || key->matches(QKeySequence::SelectAll)) {
            event->accept();
            return true;
        }
    }
    return PlotView::event(event);
}

// A hundredth of the axis, a tenth of that with Shift, ten times that with Ctrl.
bool CurveEditor::moveByKey(QKeyEvent* event) {
    const bool isControl = event->modifiers() & Qt::ControlModifier;
    const double step = event->modifiers() & Qt::ShiftModifier ? 0.001 : isControl ? 0.1 : 0.01;
    QPointF by;
    switch (event->key()) {
    case Qt::Key_Up: by = {0, step}; break;
    case Qt::Key_Down: by = {0, -step}; break;
    case Qt::Key_Left:
    case Qt::Key_Right: {
        const int direction = event->key() == Qt::Key_Left ? -1 : 1;
        if (isControl || !m_isSideways) return chooseNext(direction), true;
        by = {step * direction, 0};
        break;
    }
    default: return false;
    }
    if (m_selection.isEmpty()) chooseNext(1);
    else emit nudged(by, m_isProportional);
    return true;
}

bool CurveEditor::actByKey(QKeyEvent* event) {
    const int last = int(m_points.size()) - 1;
    switch (event->key()) {
    case Qt::Key_Home: setSelection({0}); return true;
    case Qt::Key_End: setSelection({last}); return true;
    case Qt::Key_Insert: emit insertAsked(std::nullopt); return true;
    case Qt::Key_Delete:
    case Qt::Key_Backspace: emit removeAsked(); return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (m_anchor >= 0) emit valueAsked(m_anchor);
        return true;
    case Qt::Key_O: setProportional(!m_isProportional); return true;
    case Qt::Key_S: emit snapAsked(); return true;
    case Qt::Key_L: emit lockAsked(); return true;
    case Qt::Key_Escape:
        if (isDragging()) endDrag(false);
        else setSelection({});
        return true;
    default: return false;
    }
}

void CurveEditor::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) return emit copyAsked();
    if (event->matches(QKeySequence::Paste)) return emit pasteAsked();
    if (event->matches(QKeySequence::SelectAll)) {
        QList<int> all;
        for (int i = 0; i < int(m_points.size()); ++i) all.append(i);
        return setSelection(all);
    }
    if (!m_points.empty() && (moveByKey(event) || actByKey(event))) return;
    PlotView::keyPressEvent(event);
}

void CurveEditor::keyReleaseEvent(QKeyEvent* event) {
    update();  // what Ctrl shows
    PlotView::keyReleaseEvent(event);
}

void CurveEditor::paintGuides(QPainter& p) const {
    const QRectF area = plotArea();
    const PlotFrame f = frame();
    for (std::size_t i = 0; i < m_guides.size(); ++i) {
        const Guide& g = m_guides[i];
        const double x = std::clamp(f.px(g.x), area.left(), area.right());
        QColor veil = theme().background;
        veil.setAlphaF(theme().dark ? 0.45f : 0.5f);
        const double from = g.isLeft ? area.left() : x, to = g.isLeft ? x : area.right();
        if (to - from > 1) p.fillRect(QRectF(from, area.top(), to - from, area.height()), veil);
        drawUpright(p, x, area.top(), area.bottom(), theme().accent);
        // A flag that points to the inside.
        QPolygonF flag;
        const double inside = g.isLeft ? gripSize : -gripSize;
        flag << QPointF(x, area.top()) << QPointF(x + inside, area.top())
             << QPointF(x + inside, area.top() + gripSize * 0.6) << QPointF(x, area.top() + gripSize * 1.2);
        p.setPen(Qt::NoPen);
        p.setBrush(m_draggedGuide == int(i) ? theme().text : theme().accent);
        p.drawPolygon(flag);
    }
}

void CurveEditor::paintPoints(QPainter& p) const {
    for (int i = 0; i < int(m_points.size()); ++i) {
        const Point& point = m_points[std::size_t(i)];
        const QPointF at = pageOfPoint(i);
        const bool isChosen = m_selection.contains(i), isHovered = m_hovered == i;
        p.setPen(QPen(m_color, 2));
        p.setBrush(isChosen ? m_color : isHovered ? theme().raised : theme().panel);
        const double r = m_pointRadius + (isHovered || i == m_anchor ? 1 : 0);
        if (point.isLocked) p.drawRect(QRectF(at.x() - r + 1, at.y() - r + 1, 2 * r - 2, 2 * r - 2));
        else p.drawEllipse(at, r, r);
    }
}

void CurveEditor::paintValue(QPainter& p) const {
    if (m_dragged < 0 || m_anchor < 0 || m_points[std::size_t(m_anchor)].value.isEmpty()) return;
    const QString& text = m_points[std::size_t(m_anchor)].value;
    p.setFont(numberFont(8.5));
    const QFontMetricsF fm(p.font());
    const QRectF area = plotArea();
    QRectF box(0, 0, fm.horizontalAdvance(text) + 14, fm.height() + 8);
    box.moveBottomLeft(pageOfPoint(m_anchor) + QPointF(10, -8));
    if (box.right() > area.right()) box.moveRight(pageOfPoint(m_anchor).x() - 10);
    if (box.top() < area.top()) box.moveTop(pageOfPoint(m_anchor).y() + 10);
    p.setPen(QPen(theme().line, 1));
    p.setBrush(theme().raised);
    p.drawRoundedRect(box, 4, 4);
    p.setPen(theme().text);
    p.drawText(box, Qt::AlignCenter, text);
}

void CurveEditor::paintEvent(QPaintEvent* event) {
    PlotView::paintEvent(event);
    if (!plot().hasData()) return;
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    const QRectF area = plotArea();
    paintGuides(p);
    if (m_snapMark) {
        const double y = frame().py(m_snapMark->y);
        p.setPen(QPen(theme().accent, 1, Qt::DashLine));
        p.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
        p.setFont(numberFont(8));
        const QFontMetricsF fm(p.font());
        p.drawText(QPointF(area.right() - fm.horizontalAdvance(m_snapMark->text) - 4, y - 4), m_snapMark->text);
    }
    paintPoints(p);
    if (m_snapMark && m_anchor >= 0) drawMarker(p, Marker::Diamond, pageOfPoint(m_anchor), 4, theme().accent);
    paintValue(p);
    const bool showsRadius =
        m_anchor >= 0 && hasFocus()
        && (m_isProportional || (QApplication::keyboardModifiers() & Qt::ControlModifier && m_dragged >= 0));
    if (showsRadius && m_points.size() > 1) {
        const double perPoint = area.width() / double(m_points.size() - 1);
        p.setPen(QPen(theme().dim, 1, Qt::DotLine));
        p.setBrush(Qt::NoBrush);
        p.setClipRect(area);
        p.drawEllipse(pageOfPoint(m_anchor), m_radius * perPoint, m_radius * perPoint);
        p.setClipping(false);
    }
    if (m_band) {
        QColor fill = theme().accent;
        fill.setAlphaF(0.12f);
        p.setPen(QPen(theme().accent, 1));
        p.setBrush(fill);
        p.drawRect(*m_band);
    }
}

}  // namespace meander::gui
