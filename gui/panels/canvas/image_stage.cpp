#include "gui/panels/canvas/image_stage.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <array>

#include "engine/run/record_access.h"
#include "gui/document/run_text.h"
#include "gui/images/run_thumbnail.h"
#include "gui/look/draw_image.h"
#include "gui/plots/axis.h"
#include "gui/plots/color_map.h"
#include "gui/plots/run_style.h"
#include "gui/widgets/focus.h"

namespace meander::gui {
namespace {
constexpr std::array contourLevels = {std::pair(0.5, 2.2),
                                      std::pair(0.8, 1.2)};  // share of the way from least to most, width of the line
}

ImageStage::ImageStage(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_selection(selection),
      m_heatWork(this, [this](const std::vector<HeatMap>& maps) {
          for (std::size_t i = 0; i < std::min(maps.size(), m_sides.size()); ++i) m_sides[i].heat = maps[i];
          update();
      }) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(160, 120);
    setAccessibleName(tr("Image"));
    m_blink.setInterval(400);  // 1.25 Hz and below 3 Hz by design
    connect(&m_blink, &QTimer::timeout, this, [this] {
        m_showsSecond = !m_showsSecond;
        update();
    });
    for (auto signal : {&SelectionModel::runChanged, &SelectionModel::cursorChanged, &SelectionModel::imageChanged,
                        &SelectionModel::liveChanged})
        connect(&m_selection, signal, this, &ImageStage::refresh);
    for (auto signal :
         {&SelectionModel::wordsChanged, &SelectionModel::attentionChanged, &SelectionModel::rangeChanged})
        connect(&m_selection, signal, this, &ImageStage::refreshHeat);
    connect(&m_selection, &SelectionModel::pixelChanged, this, qOverload<>(&QWidget::update));
    auto mine = [this](const QString& id) {
        if (id == m_selection.currentRun() || id == m_selection.comparedRun()) refresh();
    };
    connect(&m_document, &Document::runChanged, this, mine);
    connect(&m_document, &Document::runFinished, this, mine);
    connect(&m_document, &Document::trajectoryLoaded, this, mine);
    refresh();
}

ImageStage::Side ImageStage::makeSide(const QString& id, const StepCursor& cursor) {
    Side s;
    s.run = recordOf(m_document, id);
    if (!s.run) return s;
    s.at = linkedStep(*s.run, cursor);
    s.color = runStyle(runStyleIndex(m_document, *s.run), theme()).color;
    s.image = stateImage(*s.run, m_selection.image(), s.at.evaluation, m_quantity, theme().dark);
    const LiveRun* live = m_document.live(id);
    if (live && live->preview && m_quantity == Quantity::Denoised && s.run->trajectory
        && s.at.evaluation + 1 == int(s.run->trajectory->evaluations.size()) && isLatent(s.run->model))
        if (QImage preview = imageOf(live->preview, m_selection.image()); !preview.isNull()) s.image = preview;
    if (m_quantity == Quantity::Change && s.at.evaluation >= 0 && !s.image.isNull())
        s.changeLimit = double(signedLimit(statePixels(*s.run, m_selection.image(), s.at.evaluation, m_quantity)));
    s.title = runName(m_document, *s.run);
    const Evaluation* e = s.run->trajectory ? evaluationAt(*s.run->trajectory, s.at.evaluation) : nullptr;
    s.state = QStringLiteral(", ")
              + (e                                      ? tr("step %1").arg(e->step)
                 : s.run->status == RunStatus::Finished ? tr("finished")
                                                        : endText(*s.run));
    if (s.at.isLinked) s.state += tr(" (closest log SNR, Δ %1)").arg(formatNumber(s.at.distance, 2));
    return s;
}

void ImageStage::refresh() {
    const std::vector<Side> before = std::exchange(m_sides, {});
    const StepCursor cursor = shownCursor(m_document, m_selection);
    for (const QString& id : {m_selection.currentRun(), m_selection.comparedRun()})
        if (Side s = makeSide(id, cursor); s.run) {
            for (const Side& old : before)
                if (old.run->id == s.run->id) s.heat = old.heat;  // until the new one is there: no flicker
            m_sides.push_back(std::move(s));
        }
    if (m_sides.size() < 2) m_blink.stop();
    else
        for (std::size_t i = 0; i < 2; ++i)
            m_sides[i].title =
                tr("run %1 · %2").arg(m_sides[i].run->number).arg(runTitle(*m_sides[i].run, m_sides[1 - i].run.get()));
    if (!m_sides.empty() && imageCount(*m_sides.front().run) < 2) m_isGrid = false;
    m_metrics = m_sides.size() < 2 ? std::nullopt : compareImages(m_sides[0].image, m_sides[1].image);
    refreshHeat();
    emit changed();
}

void ImageStage::refreshHeat() {
    m_caption.clear();
    m_heatUnit.clear();
    const QSet<int> words = m_selection.words();
    std::vector<AttentionQuery> queries;
    for (auto& s : m_sides) {
        queries.push_back(words.isEmpty() ? AttentionQuery() : attentionQuery(*s.run, s.at.evaluation, m_selection));
        if (queries.back().isEmpty()) s.heat = {};
        if (!m_caption.isEmpty() || queries.back().isEmpty()) continue;
        m_caption = attentionCaption(queries.back());
        m_heatUnit = QString::fromUtf8(nameOf(queries.back().scale));
    }
    setAccessibleDescription(m_caption);
    if (!m_caption.isEmpty())
        m_heatWork.request([queries, words] {
            std::vector<HeatMap> maps;
            for (const auto& q : queries) maps.push_back(heatOf(q, words));
            return maps;
        });
    update();
}

QRectF ImageStage::stageArea() const {
    // A line for the title above, one for the scale below, whether they are there or not: the image never moves under
    // the pointer.
    const double line = QFontMetricsF(interfaceFont()).height() + 6;
    return QRectF(rect()).adjusted(16, 8 + line, -16 - m_rightMargin, -4 - line);
}

QRectF ImageStage::sideArea(int side) const {
    QRectF a = stageArea();
    if (!isComparing() || m_mode != CompareMode::SideBySide) {
        if (m_rightMargin <= 0 || m_sides.empty() || m_sides.front().image.isNull()) return a;
        const QSize size = m_sides.front().image.size();
        const double half = ImageView().scaleFor(size, a) * size.width() / 2;
        a.moveCenter(
            {std::clamp(width() / 2.0, a.center().x(), std::max(a.center().x(), a.right() - half)), a.center().y()});
        return a;
    }
    auto tiles = a.width() > a.height() * 1.1
                     ? std::vector{QRectF(a.left(), a.top(), a.width() / 2 - 12, a.height()),
                                   QRectF(a.center().x() + 12, a.top(), a.width() / 2 - 12, a.height())}
                     : std::vector{QRectF(a.left(), a.top(), a.width(), a.height() / 2 - 16),
                                   QRectF(a.left(), a.center().y() + 16, a.width(), a.height() / 2 - 16)};
    return tiles[std::size_t(side)];
}

QRectF ImageStage::imageRect(int side) const {
    if (side >= int(m_sides.size()) || m_sides[std::size_t(side)].image.isNull()) return {};
    return m_view.target(m_sides[std::size_t(side)].image.size(), sideArea(side));
}

double ImageStage::shownScale() const {
    if (m_sides.empty() || m_sides.front().image.isNull()) return 1;
    if (m_isGrid && !isComparing()) return gridRects().front().width() / m_sides.front().image.width();
    return m_view.scaleFor(m_sides.front().image.size(), sideArea(0));
}

void ImageStage::paintImage(QPainter& p, const QImage& image, const QRectF& target) const {
    drawImage(p, target, image, target.width() < image.width());
}

void ImageStage::paintHeat(QPainter& p, const HeatMap& map, const QRectF& target) const {
    if (map.values.empty() || m_overlay == OverlayMode::Off) return;
    const double span = std::max(1e-9, map.high - map.low);
    if (m_overlay == OverlayMode::Contour) {
        for (auto [share, width] : contourLevels) {
            p.setPen(QPen(theme().token, width));
            for (auto [a, b] : contourLines(map.values, map.width, map.height, map.low + share * span)) {
                auto at = [&](QPointF v) {
                    return QPointF(target.left() + v.x() * target.width(), target.top() + v.y() * target.height());
                };
                p.drawLine(at(a), at(b));
            }
        }
        return;
    }
    QImage heat(map.width, map.height, QImage::Format_ARGB32_Premultiplied);
    for (int y = 0; y < map.height; ++y)
        for (int x = 0; x < map.width; ++x) {
            double v = (map.at(x, y) - map.low) / span;
            QColor c = m_overlay == OverlayMode::Heat ? QColor(colorOf(ColorMap::Viridis, v)) : QColor(12, 13, 16);
            c.setAlphaF(float(m_overlay == OverlayMode::Heat ? 0.04 + 0.56 * v : 0.82 * (1 - v)));
            heat.setPixelColor(x, y, c);
        }
    drawImage(p, target, heat, true);
}

void ImageStage::paintLabel(QPainter& p, const Side& s, const QRectF& target, const QRectF& bounds) const {
    p.setFont(interfaceFont());
    QFontMetricsF fm(p.font());
    p.setPen(s.color);
    // Where room is short the title gives way, not the step.
    const QString text =
        fm.elidedText(s.title, Qt::ElideRight, std::max(0.0, bounds.width() - fm.horizontalAdvance(s.state))) + s.state;
    const double needed = fm.horizontalAdvance(text) + 1,
                 left = std::max(bounds.left(), std::min(target.left(), bounds.right() - needed));
    p.drawText(QRectF(left, std::max(4.0, target.top() - fm.height() - 5), needed, fm.height()),
               Qt::AlignLeft | Qt::AlignVCenter, text);
}

void ImageStage::paintScale(QPainter& p, const Side& s, const QRectF& target) const {
    const QPointF left(std::max(16.0, target.left()), std::min(target.bottom(), stageArea().bottom()) + 13);
    const bool isDifference = isComparing() && m_mode == CompareMode::Difference;
    if (isDifference || (s.changeLimit > 0 && (s.heat.values.empty() || m_overlay == OverlayMode::Off))) {
        const double limit = isDifference ? 1 / amplification() : s.changeLimit;
        const auto colorAt = [](double share) { return QColor(divergingColor(2 * share - 1, 1, theme().dark)); };
        paintColorScale(p, left,
                        {colorAt, QStringLiteral("−") + formatNumber(limit), QStringLiteral("+") + formatNumber(limit),
                         tr("mean of the channels")},
                        theme());
        return;
    }
    if (s.heat.values.empty() || m_overlay == OverlayMode::Off) return;
    if (m_overlay == OverlayMode::Contour) return paintContourKey(p, s.heat, left);
    const bool isHeat = m_overlay == OverlayMode::Heat;
    const auto colorAt = [isHeat](double share) {
        return isHeat ? QColor(colorOf(ColorMap::Viridis, share))
                      : QColor(colorOf(ColorMap::Grey, 0.18 + 0.82 * share));
    };
    paintColorScale(p, left, {colorAt, formatNumber(s.heat.low, 2), formatNumber(s.heat.high, 2), m_heatUnit}, theme());
}

void ImageStage::paintContourKey(QPainter& p, const HeatMap& map, QPointF left) const {
    p.setFont(interfaceFont(8));
    const QFontMetricsF fm(p.font());
    for (auto [share, width] : contourLevels) {
        p.setPen(QPen(theme().token, width));
        p.drawLine(left, left + QPointF(18, 0));
        const QString text = tr("%1 at %2 % of the range")
                                 .arg(formatNumber(map.low + share * (map.high - map.low), 2))
                                 .arg(qRound(100 * share));
        p.setPen(theme().muted);
        p.drawText(left + QPointF(23, (fm.ascent() - fm.descent()) / 2), text);
        left.rx() += 23 + fm.horizontalAdvance(text) + 14;
    }
}

void ImageStage::paintPixel(QPainter& p, const QRectF& target) const {
    if (!m_selection.pixel()) return;
    QPointF at(target.left() + m_selection.pixel()->x() * target.width(),
               target.top() + m_selection.pixel()->y() * target.height());
    p.setBrush(Qt::NoBrush);
    p.setPen(QPen(QColor(0, 0, 0, 150), 3));
    p.drawEllipse(at, 5, 5);
    p.setPen(QPen(Qt::white, 1.6));
    p.drawEllipse(at, 5, 5);
}

const QImage& ImageStage::difference() {
    const Side &a = m_sides[0], &b = m_sides[1];
    const QString key = QStringLiteral("%1/%2/%3/%4")
                            .arg(a.image.cacheKey())
                            .arg(b.image.cacheKey())
                            .arg(amplification())
                            .arg(theme().dark);
    if (std::exchange(m_differenceKey, key) != key)
        m_difference = differenceImage(a.image, b.image, amplification(), theme().dark);
    return m_difference;
}

void ImageStage::paintCompared(QPainter& p) {
    const Side &a = m_sides[0], &b = m_sides[1];
    if (m_mode == CompareMode::SideBySide) {
        for (int i = 0; i < 2; ++i) {
            const Side& s = m_sides[std::size_t(i)];
            QRectF target = imageRect(i);
            if (s.image.isNull()) {
                p.setPen(theme().muted);
                p.setFont(interfaceFont());
                p.drawText(sideArea(i), Qt::AlignCenter | Qt::TextWordWrap,
                           s.run->model.state.kind == StateKind::Points
                               ? tr("This run is one of points and has no image.")
                               : tr("Nothing is recorded at this step."));
            }
            p.save();
            p.setClipRect(sideArea(i));
            paintImage(p, s.image, target);
            paintHeat(p, s.heat, target);
            paintPixel(p, target);
            p.restore();
            paintLabel(p, s, target.isEmpty() ? sideArea(i) : target, sideArea(i));
            paintScale(p, s, target);
        }
        return;
    }
    const QRectF target = imageRect(0);
    if (m_mode == CompareMode::Difference) {
        const QImage& shown = difference();
        if (!shown.isNull()) paintImage(p, shown, target);
        Side label = a;
        label.title = shown.isNull() ? tr("The images differ in size: no difference can be shown.")
                                     : tr("run %1 − run %2, signed").arg(a.run->number).arg(b.run->number);
        label.state = shown.isNull()                         ? QString()
                      : m_metrics && m_metrics->maximum == 0 ? tr(" · the images are the same")
                      : m_amplification > 0                  ? tr(" · ×%1").arg(amplification())
                                                             : tr(" · ×%1, as much as fits").arg(amplification());
        label.color = theme().muted;
        paintLabel(p, label, target, stageArea());
        if (!shown.isNull()) paintScale(p, label, target);
        return;
    }
    if (m_mode == CompareMode::Blink) {
        const Side& s = m_showsSecond ? b : a;
        paintImage(p, s.image, target);
        paintHeat(p, s.heat, target);
        paintLabel(p, s, target, stageArea());
        paintScale(p, s, target);
        return;
    }
    const auto [left, right] = wipeParts(target, m_wipe);
    for (const auto& [part, s] : {std::pair(left, &a), std::pair(right, &b)}) {
        p.save();
        p.setClipRect(part);
        paintImage(p, s->image, target);
        paintHeat(p, s->heat, target);
        p.restore();
    }
    paintPixel(p, target);
    p.setPen(QPen(Qt::white, 1.5));
    p.drawLine(QPointF(left.right(), target.top()), QPointF(left.right(), target.bottom()));
    p.setBrush(theme().accent);
    p.drawEllipse(QPointF(left.right(), target.center().y()), 6, 6);
    // Their titles meet in the middle of the image.
    QRectF near = stageArea(), far = near;
    near.setRight(target.center().x() - 8);
    far.setLeft(target.center().x() + 8);
    paintLabel(p, a, QRectF(near.topRight(), QSizeF()).translated(0, target.top() - near.top()), near);
    paintLabel(p, b, QRectF(QPointF(far.left(), target.top()), QSizeF()), far);
    paintScale(p, a, target);
}

std::vector<QRectF> ImageStage::gridRects() const {
    if (m_sides.empty()) return {};
    const int count = imageCount(*m_sides.front().run);
    auto tiles = tileAreas(stageArea(), count, 8);
    for (QRectF& tile : tiles)
        tile = ImageView{}.target(m_sides.front().image.size(),
                                  tile.adjusted(0, QFontMetricsF(numberFont(7.5)).height() + 2, 0, 0));
    return tiles;
}

void ImageStage::paintGrid(QPainter& p) {
    const Side& s = m_sides.front();
    const auto targets = gridRects();
    p.setFont(numberFont(7.5));
    const double line = QFontMetricsF(p.font()).height();
    for (int i = 0; i < int(targets.size()); ++i) {
        const QRectF& target = targets[std::size_t(i)];
        const bool isChosen = i == m_selection.image();
        p.setPen(isChosen ? theme().text : theme().muted);
        p.drawText(QRectF(target.left(), target.top() - line - 3, 60, line), Qt::AlignLeft | Qt::AlignVCenter,
                   QString::number(i + 1));
        const QImage image = stateImage(*s.run, i, s.at.evaluation, m_quantity, theme().dark);
        if (image.isNull()) continue;
        paintImage(p, image, target);
        if (isChosen) {
            p.setPen(QPen(theme().accent, 2));
            p.setBrush(Qt::NoBrush);
            p.drawRoundedRect(target.adjusted(-3, -3, 3, 3), 4, 4);
        }
    }
    paintLabel(p, s, stageArea(), stageArea());
}

void ImageStage::paintEmpty(QPainter& p) {
    p.setPen(theme().muted);
    p.setFont(interfaceFont());
    const bool hasRun = !m_sides.empty();
    p.drawText(rect().adjusted(24, 24, -24, -24), Qt::AlignCenter | Qt::TextWordWrap,
               !hasRun ? tr("The image of a run appears here, step by step. Press Run to make one.")
               : m_quantity == Quantity::Change  ? tr("There is no step before this one to compare with.")
               : m_sides.front().run->trajectory ? tr("Nothing is recorded at this step.")
                                                 : tr("Loading the record of this run …"));
}

void ImageStage::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.fillRect(rect(), theme().background);
    if (m_sides.empty() || m_sides.front().image.isNull()) {
        paintEmpty(p);
    } else if (isComparing()) {
        paintCompared(p);
    } else if (m_isGrid) {
        paintGrid(p);
    } else {
        QRectF target = imageRect();
        paintImage(p, m_sides.front().image, target);
        paintHeat(p, m_sides.front().heat, target);
        paintPixel(p, target);
        paintLabel(p, m_sides.front(), target, stageArea());
        paintScale(p, m_sides.front(), target);
    }
    if (hasKeyboardFocus(this)) {
        p.setPen(QPen(theme().accent, 1));
        p.setBrush(Qt::NoBrush);
        p.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

}  // namespace meander::gui
