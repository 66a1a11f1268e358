// What the film strip draws: thumbnails, the selected range, forks, ruler and cursor.
#include <QPainter>
#include <QPainterPath>
#include <QTimer>

#include "gui/document/run_text.h"
#include "gui/images/point_image.h"
#include "gui/look/draw_image.h"
#include "gui/look/style_sheet.h"
#include "gui/panels/timeline/film_strip.h"
#include "gui/plots/axis.h"
#include "gui/plots/run_style.h"
#include "gui/widgets/focus.h"

namespace meander::gui {

QString FilmStrip::rulerName() const {
    const StepAxis axis = m_selection.axis();
    return axis == StepAxis::Evaluations    ? QStringLiteral("NFE")
           : axis == StepAxis::Milliseconds ? QStringLiteral("ms")
                                            : axisName(axis);
}

QPixmap FilmStrip::thumbnail(const Row& row, int frame, int pixels, bool& isOverBudget) {
    const StepStop& f = row.stops[std::size_t(frame)];
    const QString key = QStringLiteral("%1/%2/%3/%4/%5/%6")
                            .arg(qstr(row.run->id))
                            .arg(f.evaluation)
                            .arg(m_selection.image())
                            .arg(int(m_quantity))
                            .arg(pixels)
                            .arg(theme().dark);
    if (QPixmap* known = m_thumbnails.object(key)) return *known;
    if (m_clock.elapsed() > 14) {
        isOverBudget = true;
        return {};
    }
    QImage image;
    if (row.run->model.state.kind == StateKind::Points)
        image = pointImage(*row.run, f.evaluation, m_quantity, pixels, runStyle(row.style, theme()).color, theme());
    else image = stateImage(*row.run, m_selection.image(), f.evaluation, m_quantity, theme().dark);
    if (image.isNull()) return {};
    auto mode = image.width() > pixels ? Qt::SmoothTransformation : Qt::FastTransformation;
    auto* made = new QPixmap(QPixmap::fromImage(image.scaled(pixels, pixels, Qt::KeepAspectRatio, mode)));
    QPixmap copy = *made;
    m_thumbnails.insert(key, made);
    return copy;
}

void FilmStrip::paintRow(QPainter& p, int index, const StripGeometry& g, bool& isUnfinished) {
    const Row& row = m_rows[std::size_t(index)];
    const Theme& t = theme();
    const int at = frameInRow(row);
    const auto shown = visibleFrames(row.strip, g, at, row.stops.back().evaluation >= 0);
    const QColor color = runStyle(row.style, t).color;
    const double centre = g.thumbRect(index, 0).center().y();
    p.setPen(Qt::NoPen);
    p.setBrush(color);
    p.drawRoundedRect(QRectF(8, centre - g.thumb / 2, 3, g.thumb), 1.5, 1.5);
    p.setPen(QPen(t.line, 1));
    p.drawLine(QPointF(g.x(0), centre), QPointF(g.x(1), centre));
    for (std::size_t i = 0; i < row.stops.size(); ++i) {
        QRectF r = g.thumbRect(index, row.strip.positions[i]);
        if (!shown[i]) {
            QColor tick = color;
            tick.setAlphaF(0.7f);
            p.setPen(QPen(tick, 1));
            p.drawLine(QPointF(r.center().x(), r.bottom() + 2), QPointF(r.center().x(), r.bottom() + 5));
            continue;
        }
        QPixmap image = thumbnail(row, int(i), int(g.thumb * devicePixelRatioF()), isUnfinished);
        if (image.isNull()) {
            p.setPen(QPen(t.line, 1));
            p.setBrush(t.raised);
            p.drawRoundedRect(r, 3, 3);
        } else {
            QSizeF size = QSizeF(image.size()) / devicePixelRatioF();
            p.drawPixmap(QRectF(r.center() - QPointF(size.width(), size.height()) / 2, size), image,
                         QRectF(image.rect()));
        }
        if (at == int(i)) {
            p.setPen(QPen(color, 2));
            p.setBrush(Qt::NoBrush);
            p.drawRoundedRect(r.adjusted(-3, -3, 3, 3), 4, 4);
        }
    }
}

void FilmStrip::paintRange(QPainter& p, const StripGeometry& g) {
    const auto range = m_selection.stepRange();
    if (!range) return;
    QColor fill = theme().accent;
    fill.setAlphaF(theme().dark ? 0.2f : 0.14f);
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        const Row& row = m_rows[r];
        const auto frames = framesIn(row, *range);
        if (!frames) continue;
        const QRectF a = g.thumbRect(int(r), row.strip.positions[std::size_t(frames->first)]),
                     b = g.thumbRect(int(r), row.strip.positions[std::size_t(frames->second)]);
        const QRectF band = a.united(b).adjusted(-4, -4, 4, 4);
        p.setPen(Qt::NoPen);
        p.setBrush(fill);
        p.drawRoundedRect(band, 5, 5);
        p.setPen(QPen(theme().accent, 2));
        for (double x : {band.left() + 1, band.right() - 1})
            p.drawLine(QPointF(x, band.top() + 3), QPointF(x, band.bottom() - 3));
    }
}

void FilmStrip::paintForks(QPainter& p, const StripGeometry& g) {
    for (std::size_t c = 0; c < m_rows.size(); ++c) {
        const auto& branch = m_rows[c].run->recipe.branch;
        if (!branch || m_rows[c].strip.positions.empty()) continue;
        const int own = stopIndexOfStep(m_rows[c].stops, branch->step);
        const QColor color = runStyle(m_rows[c].style, theme()).color;
        QPointF to = g.thumbRect(int(c), m_rows[c].strip.positions[std::size_t(own)]).center();
        for (std::size_t r = 0; r < m_rows.size(); ++r) {
            if (m_rows[r].run->id != branch->run) continue;
            const int parent = stopIndexOfStep(m_rows[r].stops, branch->step);
            QPointF from = g.thumbRect(int(r), m_rows[r].strip.positions[std::size_t(parent)]).center();
            QPainterPath path(from);
            path.cubicTo({from.x(), to.y()}, {to.x(), from.y()}, to);
            p.setBrush(Qt::NoBrush);
            p.setPen(QPen(color, 1.6));
            p.drawPath(path);
        }
        const QRectF thumb = g.thumbRect(int(c), m_rows[c].strip.positions[std::size_t(own)]);
        drawMarker(p, Marker::Diamond, {thumb.left() - 1, thumb.top() - 1}, 3, color);
    }
}

void FilmStrip::paintRuler(QPainter& p, const StripGeometry& g) {
    const Row& row = m_rows.front();
    const Theme& t = theme();
    p.setFont(numberFont(7.5));
    QFontMetricsF fm(p.font());
    const double base = height() - fm.height() - 4;
    const bool isStep = m_selection.axis() == StepAxis::Step;
    const std::size_t last = row.stops.size() - 1;
    const auto text = [&](std::size_t i) {
        return isStep ? QString::number(row.stops[i].step) : formatNumber(row.values[i], 3);
    };
    const auto write = [&](std::size_t i) {
        const double x = g.x(row.strip.positions[i]), width = fm.horizontalAdvance(text(i));
        p.setPen(t.dim);
        p.drawText(QRectF(x - width / 2, base, width + 1, fm.height()), Qt::AlignCenter, text(i));
        return x + width / 2;
    };
    // The last frame has its label first; before it round steps, or what fits of other axes.
    const double end = write(last), lastLeft = g.x(row.strip.positions[last]) - fm.horizontalAdvance(text(last)) / 2;
    const int steps = stepCount(*row.run);
    const double perStep = (g.x(1) - g.x(0)) / steps;
    const int stride =
        isStep ? int(std::max(1.0, niceStep((fm.horizontalAdvance(QString::number(steps)) + 8) / perStep))) : 1;
    double free = g.area.left() - 10;
    for (std::size_t i = 0; i < last; ++i) {
        const double x = g.x(row.strip.positions[i]), half = fm.horizontalAdvance(text(i)) / 2;
        if ((isStep && row.stops[i].step % stride) || x - half < free + 6 || x + half > lastLeft - 6) continue;
        free = write(i);
    }
    p.setPen(t.muted);
    p.drawText(QRectF(end + 8, base, width() - end - 12, fm.height()), Qt::AlignRight | Qt::AlignVCenter, rulerName());
}

void FilmStrip::paintCursor(QPainter& p, const StripGeometry& g) {
    QPolygonF line;
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        const QRectF thumb = g.thumbRect(int(r), m_rows[r].strip.positions[std::size_t(frameInRow(m_rows[r]))]);
        line << QPointF(thumb.center().x(), thumb.top() - 6) << QPointF(thumb.center().x(), thumb.bottom() + 6);
    }
    const QColor c = mixed(theme().panel, theme().text, 0.7);
    for (qsizetype i = 0; i + 1 < line.size(); ++i) {
        if (std::abs(line[i].x() - line[i + 1].x()) < 0.5) {
            drawUpright(p, line[i].x(), line[i].y(), line[i + 1].y(), c);
        } else {  // from row to row, between frames of different runs
            p.setPen(QPen(c, 1));
            p.drawLine(line[i], line[i + 1]);
        }
    }
}

void FilmStrip::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.fillRect(rect(), theme().panel);
    if (m_rows.empty()) {
        p.setPen(theme().muted);
        p.setFont(interfaceFont());
        p.drawText(rect().adjusted(16, 0, -16, 0), Qt::AlignCenter | Qt::TextWordWrap,
                   emptyReason(m_document, m_selection.currentRun(),
                               tr("Every step of a run is a frame here. Press Run to make one.")));
        return;
    }
    m_clock.restart();
    bool isUnfinished = false;
    const StripGeometry g = geometryOf();
    paintRange(p, g);
    for (int r = 0; r < int(m_rows.size()); ++r) paintRow(p, r, g, isUnfinished);
    paintForks(p, g);
    paintRuler(p, g);
    paintCursor(p, g);
    if (hasKeyboardFocus(this)) {
        p.setPen(QPen(theme().accent, 1));
        p.setBrush(Qt::NoBrush);
        p.drawRoundedRect(QRectF(rect()).adjusted(2.5, 2.5, -2.5, -2.5), 4, 4);
    }
    if (isUnfinished) QTimer::singleShot(0, this, qOverload<>(&QWidget::update));
}

}  // namespace meander::gui
