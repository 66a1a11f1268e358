// Mouse and keys of the image stage.
#include <QKeyEvent>
#include <QMouseEvent>
#include <cmath>

#include "gui/look/theme.h"
#include "gui/panels/canvas/image_stage.h"
#include "gui/plots/axis.h"

namespace meander::gui {

void ImageStage::setQuantity(Quantity q) {
    m_quantity = q;
    refresh();
}
void ImageStage::setCompareMode(CompareMode m) {
    m_mode = m;
    m_blink.stop();
    m_showsSecond = false;
    update();
    emit changed();
}
void ImageStage::setOverlayMode(OverlayMode m) {
    m_overlay = m;
    update();
}
void ImageStage::setAmplification(double factor) {
    m_amplification = factor;
    update();
    emit changed();
}
void ImageStage::setGrid(bool on) {
    m_isGrid = on && !m_sides.empty() && imageCount(*m_sides.front().run) > 1;  // of one image there is no way back
    update();
    emit changed();
}
void ImageStage::setZoom(double zoom) {
    m_view = {zoom, {}};
    update();
    emit changed();
}
void ImageStage::setWipe(double split) {
    m_wipe = std::clamp(split, 0.0, 1.0);
    update();
}
void ImageStage::setRightMargin(double pixels) {
    if (std::exchange(m_rightMargin, pixels) == pixels) return;
    update();
    emit changed();
}
void ImageStage::resizeEvent(QResizeEvent*) { emit changed(); }
void ImageStage::toggleBlink() {
    if (!isComparing()) return;
    if (m_mode != CompareMode::Blink) setCompareMode(CompareMode::Blink);
    if (m_blink.isActive()) m_blink.stop();
    else {
        m_showsSecond = !m_showsSecond;
        m_blink.start();
    }
    update();
}

int ImageStage::sideAt(QPointF page) const {
    return isComparing() && m_mode == CompareMode::SideBySide && sideArea(1).contains(page) ? 1 : 0;
}
int ImageStage::shownSideAt(QPointF page) const {
    if (isWiping()) return page.x() > imageRect().left() + m_wipe * imageRect().width() ? 1 : 0;
    return isComparing() && m_mode == CompareMode::Blink && m_showsSecond ? 1 : sideAt(page);
}

ImageStage::Shown ImageStage::shownAt(QPointF page) {
    if (m_sides.empty()) return {};
    if (isComparing() && m_mode == CompareMode::Difference) return {difference(), nullptr, m_selection.image()};
    const Side& s = m_sides[std::size_t(shownSideAt(page))];
    if (m_isGrid && !isComparing()) {
        const auto targets = gridRects();
        for (int i = 0; i < int(targets.size()); ++i)
            if (targets[std::size_t(i)].contains(page))
                return {stateImage(*s.run, i, s.at.evaluation, m_quantity, theme().dark), s.run, i};
    }
    return {s.image, s.run, m_selection.image()};
}

void ImageStage::probeAt(QPointF page) {
    QString text;
    if (!m_sides.empty() && (!m_isGrid || isComparing())) {
        const QImage& image = m_sides[std::size_t(shownSideAt(page))].image;
        if (auto share = image.isNull() ? std::nullopt : shareOf(imageRect(sideAt(page)), page)) {
            QPoint at(std::min(int(share->x() * image.width()), image.width() - 1),
                      std::min(int(share->y() * image.height()), image.height() - 1));
            QRgb c = image.pixel(at);
            text = QStringLiteral("x %1  y %2  R %3 G %4 B %5")
                       .arg(at.x())
                       .arg(at.y())
                       .arg(qRed(c) / 255.0, 0, 'f', 2)
                       .arg(qGreen(c) / 255.0, 0, 'f', 2)
                       .arg(qBlue(c) / 255.0, 0, 'f', 2);
        }
    }
    if (std::exchange(m_probe, text) != text) emit changed();
}

void ImageStage::mouseMoveEvent(QMouseEvent* event) {
    if (m_dragsWipe) {
        QRectF t = imageRect();
        setWipe((event->position().x() - t.left()) / t.width());
        return;
    }
    if (m_panFrom) {
        if (m_view.zoom <= 0) m_view.zoom = shownScale();
        m_view.pan += event->position() - *m_panFrom;
        m_panFrom = event->position();
        update();
        return;
    }
    probeAt(event->position());
    if (isWiping()) {
        QRectF t = imageRect();
        const bool isNear =
            std::abs(t.left() + m_wipe * t.width() - event->position().x()) < 8 && t.contains(event->position());
        setCursor(isNear ? Qt::SplitHCursor : Qt::ArrowCursor);
    }
}

void ImageStage::mousePressEvent(QMouseEvent* event) {
    if (m_sides.empty()) return;
    const QPointF at = event->position();
    if (event->button() == Qt::MiddleButton
        || (event->button() == Qt::LeftButton && event->modifiers() & Qt::ShiftModifier)) {
        m_panFrom = at;
        setCursor(Qt::ClosedHandCursor);
        return;
    }
    if (event->button() != Qt::LeftButton) return;
    if (m_isGrid && !isComparing()) {
        const auto targets = gridRects();
        for (int i = 0; i < int(targets.size()); ++i)
            if (targets[std::size_t(i)].adjusted(-4, -4, 4, 4).contains(at)) m_selection.setImage(i);
        return;
    }
    QRectF t = imageRect(sideAt(at));
    if (isWiping() && std::abs(t.left() + m_wipe * t.width() - at.x()) < 8) {
        m_dragsWipe = true;
        return;
    }
    if (auto share = shareOf(t, at)) m_selection.setPixel(*share);
}

void ImageStage::mouseReleaseEvent(QMouseEvent*) {
    m_dragsWipe = false;
    m_panFrom.reset();
    unsetCursor();
}

void ImageStage::mouseDoubleClickEvent(QMouseEvent*) {
    if (m_isGrid) setGrid(false);
}

void ImageStage::wheelEvent(QWheelEvent* event) {
    if (!(event->modifiers() & Qt::ControlModifier) || m_sides.empty()) {
        event->ignore();
        return;
    }
    const int side = sideAt(event->position());
    m_view.zoomAt(std::pow(1.25, event->angleDelta().y() / 120.0), event->position(),
                  m_sides[std::size_t(side)].image.size(), sideArea(side));
    update();
    emit changed();
}

void ImageStage::keyPressEvent(QKeyEvent* event) {
    const double pixel = 1 / std::max(1.0, imageRect().width());
    switch (event->key()) {
    case Qt::Key_1: setZoom(0); return;
    case Qt::Key_2: setZoom(1); return;
    case Qt::Key_3: setZoom(2); return;
    case Qt::Key_X: toggleBlink(); return;
    case Qt::Key_G: setGrid(!m_isGrid); return;
    case Qt::Key_Escape: m_selection.setPixel({}); return;
    case Qt::Key_Left:
        if (isWiping()) return setWipe(m_wipe - pixel);
        break;
    case Qt::Key_Right:
        if (isWiping()) return setWipe(m_wipe + pixel);
        break;
    default: break;
    }
    QWidget::keyPressEvent(event);
}

// The arrows are the window's for the steps, except over a wiped pair.
bool ImageStage::event(QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride && isWiping()) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->modifiers() == Qt::NoModifier && (key->key() == Qt::Key_Left || key->key() == Qt::Key_Right)) {
            event->accept();
            return true;
        }
    }
    return QWidget::event(event);
}

void ImageStage::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) refresh();  // titles and signed images have colours of the theme
    QWidget::changeEvent(event);
}

void ImageStage::leaveEvent(QEvent*) {
    m_probe.clear();
    emit changed();
}

}  // namespace meander::gui
