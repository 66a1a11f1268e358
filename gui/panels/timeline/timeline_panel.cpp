#include "gui/panels/timeline/timeline_panel.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include "gui/app/theme.h"
#include "gui/panels/timeline/film_strip.h"
#include "gui/widgets/segmented.h"

namespace meander::gui {
namespace {
QToolButton* flatButton(const QString& text, const QString& tip, QWidget* parent) {
    auto* b = new QToolButton(parent);
    b->setText(text);
    b->setToolTip(tip);
    b->setAccessibleName(tip);
    b->setProperty("flat", true);
    b->setFixedSize(28, 24);
    return b;
}
}  // namespace

TimelinePanel::TimelinePanel(Document& document, SelectionModel& selection, QWidget* parent) : QWidget(parent) {
    setProperty("panel", true);
    setAttribute(Qt::WA_StyledBackground);
    m_strip = new FilmStrip(document, selection, this);
    auto* first = flatButton(QStringLiteral("|◂"), tr("First frame (Home)"), this);
    auto* back = flatButton(QStringLiteral("◂"), tr("One frame back (←)"), this);
    m_play = flatButton(QStringLiteral("▶\uFE0E"), tr("Play the frames (Space)"), this);
    auto* forth = flatButton(QStringLiteral("▸"), tr("One frame on (→)"), this);
    auto* last = flatButton(QStringLiteral("▸|"), tr("Last frame, follows a running run (End)"), this);
    m_loop = flatButton(QStringLiteral("⟲"), tr("Repeat"), this);
    m_loop->setCheckable(true);
    m_rate = new QComboBox(this);
    m_rate->setToolTip(tr("Frames per second"));
    m_rate->setAccessibleName(m_rate->toolTip());
    for (int fps : {2, 4, 8, 16}) m_rate->addItem(tr("%1 fps").arg(fps), fps);
    m_rate->setCurrentIndex(1);
    m_quantity = new Segmented({QStringLiteral("x̂0"), QStringLiteral("xₜ"), QStringLiteral("ε̂"), QStringLiteral("Δ")},
                               {tr("Denoised estimate x̂0"), tr("Noisy state"), tr("Predicted noise"), tr("Change of x̂0 since the step before")}, this);
    m_quantity->setCurrent(0);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(12, 4, 12, 0);
    bar->setSpacing(2);
    for (auto* b : {first, back, m_play, forth, last, m_loop}) bar->addWidget(b);
    bar->addSpacing(8);
    bar->addWidget(m_rate);
    bar->addStretch();
    bar->addWidget(m_quantity);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    box->addLayout(bar);
    box->addWidget(m_strip, 1);
    connect(first, &QToolButton::clicked, this, &TimelinePanel::goToStart);
    connect(last, &QToolButton::clicked, this, &TimelinePanel::goToEnd);
    connect(back, &QToolButton::clicked, this, [this] { step(-1); });
    connect(forth, &QToolButton::clicked, this, [this] { step(1); });
    connect(m_play, &QToolButton::clicked, this, &TimelinePanel::togglePlay);
    connect(m_strip, &FilmStrip::playToggled, this, &TimelinePanel::togglePlay);
    connect(m_quantity, &Segmented::chosen, this, [this](int i) { m_strip->setQuantity(Quantity(i)); });
    connect(&m_clock, &QTimer::timeout, this, &TimelinePanel::tick);
    connect(m_rate, &QComboBox::currentIndexChanged, this, [this] { m_clock.setInterval(1000 / m_rate->currentData().toInt()); });
    m_clock.setInterval(250);
}

void TimelinePanel::togglePlay() {
    if (isPlaying()) m_clock.stop();
    else if (m_strip->frameCount() > 1) {
        if (m_strip->currentFrame() >= m_strip->frameCount() - 1) m_strip->moveTo(0);
        m_clock.start();
    }
    showState();
}

void TimelinePanel::tick() {
    if (m_strip->currentFrame() + 1 < m_strip->frameCount()) m_strip->moveBy(1);
    else if (m_loop->isChecked()) m_strip->moveTo(0);
    else {
        m_clock.stop();
        showState();
    }
}

void TimelinePanel::showState() {
    m_play->setText(isPlaying() ? QStringLiteral("❚❚") : QStringLiteral("▶\uFE0E"));
    m_play->setToolTip(isPlaying() ? tr("Stop playing (Space)") : tr("Play the frames (Space)"));
}

void TimelinePanel::step(int frames) { m_strip->moveBy(frames); }
void TimelinePanel::goToStart() { m_strip->moveTo(0); }
void TimelinePanel::goToEnd() { m_strip->moveTo(m_strip->frameCount() - 1); }

}  // namespace meander::gui
