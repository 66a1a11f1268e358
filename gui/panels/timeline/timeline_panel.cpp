#include "gui/panels/timeline/timeline_panel.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/panels/timeline/film_strip.h"
#include "gui/selection/step_link.h"
#include "gui/widgets/segmented.h"

namespace meander::gui {
namespace {
QToolButton* flatButton(const QString& iconName, const QString& tip, QWidget* parent) {
    auto* b = new QToolButton(parent);
    b->setIcon(icon(iconName));
    b->setIconSize({16, 16});
    b->setToolTip(tip);
    b->setAccessibleName(tip);
    b->setProperty("flat", true);
    b->setFixedSize(28, 26);
    b->setFocusPolicy(Qt::TabFocus);
    return b;
}

// Gives up the rate of playing where the quantities would be cut.
class Controls : public QWidget {
public:
    using QWidget::QWidget;
    QWidget *rate = nullptr, *quantity = nullptr;

protected:
    void resizeEvent(QResizeEvent* e) override {
        QWidget::resizeEvent(e);
        if (!rate || !quantity) return;
        int needed = quantity->minimumSizeHint().width() + rate->minimumSizeHint().width() + 2 * 8;
        for (const QToolButton* b : findChildren<QToolButton*>(QString(), Qt::FindDirectChildrenOnly))
            needed += b->width() + layout()->spacing();
        rate->setVisible(width() >= needed);
    }
};
}  // namespace

TimelinePanel::TimelinePanel(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_selection(selection) {
    setProperty("panel", true);
    setAttribute(Qt::WA_StyledBackground);
    m_strip = new FilmStrip(document, selection, this);
    auto* controls = new Controls(this);
    m_controls = controls;
    auto* first = flatButton("first", tr("First frame (Home)"), m_controls);
    auto* back = flatButton("previous", tr("One frame back (←)"), m_controls);
    m_play = flatButton("play", {}, m_controls);
    auto* forth = flatButton("next", tr("One frame on (→)"), m_controls);
    auto* last = flatButton("last", tr("Last frame, follows a running run (End)"), m_controls);
    m_loop = flatButton("loop", tr("Repeat"), m_controls);
    m_loop->setCheckable(true);
    m_rate = new ChoiceField(m_controls);
    m_rate->setToolTip(tr("Frames per second"));
    m_rate->setAccessibleName(m_rate->toolTip());
    for (int fps : {2, 4, 8, 16}) m_rate->addItem(tr("%1 fps").arg(fps), fps);
    m_rate->setCurrentIndex(1);
    m_quantity = new Segmented({QStringLiteral("x̂0"), QStringLiteral("xₜ"), QStringLiteral("ε̂"), QStringLiteral("Δ")},
                               {tr("Denoised estimate x̂0"), tr("Noisy state"), tr("Predicted noise"),
                                tr("Change of x̂0 since the step before")},
                               m_controls);
    m_quantity->setCurrent(0);
    m_range = new QLabel(m_controls);
    m_range->setProperty("accent", true);
    m_range->setFont(interfaceFont(8.9));
    m_range->setToolTip(tr("Attention is the mean over these steps, and playing stays within them. Esc clears."));
    auto* bar = new QHBoxLayout(m_controls);
    bar->setContentsMargins(0, 0, 0, 0);
    bar->setSpacing(2);
    for (auto* b : {first, back, m_play, forth, last, m_loop}) bar->addWidget(b);
    bar->addSpacing(8);
    bar->addWidget(m_rate);
    bar->addSpacing(8);
    bar->addWidget(m_range);
    bar->addStretch();
    bar->addWidget(m_quantity);
    controls->rate = m_rate;
    controls->quantity = m_quantity;
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    m_head = new QHBoxLayout;
    m_head->setContentsMargins(12, 4, 12, 0);
    m_head->addWidget(m_controls);
    box->addLayout(m_head);
    box->addWidget(m_strip, 1);
    connect(first, &QToolButton::clicked, this, &TimelinePanel::goToStart);
    connect(last, &QToolButton::clicked, this, &TimelinePanel::goToEnd);
    connect(back, &QToolButton::clicked, this, [this] { step(-1); });
    connect(forth, &QToolButton::clicked, this, [this] { step(1); });
    connect(m_play, &QToolButton::clicked, this, &TimelinePanel::togglePlay);
    connect(m_strip, &FilmStrip::playToggled, this, &TimelinePanel::togglePlay);
    connect(&m_selection, &SelectionModel::rangeChanged, this, &TimelinePanel::showState);
    connect(m_quantity, &Segmented::chosen, this, [this](int i) { m_strip->setQuantity(Quantity(i)); });
    connect(&m_clock, &QTimer::timeout, this, &TimelinePanel::tick);
    connect(m_rate, &QComboBox::currentIndexChanged, this,
            [this] { m_clock.setInterval(1000 / m_rate->currentData().toInt()); });
    m_clock.setInterval(250);
    showState();
}

void TimelinePanel::togglePlay() {
    if (isPlaying()) m_clock.stop();
    else if (m_strip->frameCount() > 1) {
        const auto [from, to] = m_strip->playedFrames();
        if (m_strip->currentFrame() >= to || m_strip->currentFrame() < from) m_strip->moveTo(from);
        m_clock.start();
    }
    showState();
}

void TimelinePanel::tick() {
    const auto [from, to] = m_strip->playedFrames();
    if (m_strip->currentFrame() < to) m_strip->moveBy(1);
    else if (m_loop->isChecked()) m_strip->moveTo(from);
    else {
        m_clock.stop();
        showState();
    }
}

void TimelinePanel::showState() {
    m_play->setIcon(icon(isPlaying() ? "pause" : "play"));
    m_play->setToolTip(isPlaying() ? tr("Stop playing (Space)") : tr("Play the frames (Space)"));
    m_play->setAccessibleName(m_play->toolTip());
    const auto range = m_selection.stepRange();
    m_range->setText(range ? rangeText(range->first, range->last) : QString());
    m_range->setVisible(range.has_value());
}

QWidget* TimelinePanel::takeControls() {
    m_head->removeWidget(m_controls);
    m_head->setContentsMargins(0, 0, 0, 0);
    return m_controls;
}

void TimelinePanel::step(int frames) { m_strip->moveBy(frames); }
void TimelinePanel::rangeFromHere() { m_strip->moveRangeEnd(true); }
void TimelinePanel::rangeToHere() { m_strip->moveRangeEnd(false); }
void TimelinePanel::goToStart() { m_strip->moveTo(0); }
void TimelinePanel::goToEnd() { m_strip->moveTo(m_strip->frameCount() - 1); }

}  // namespace meander::gui
