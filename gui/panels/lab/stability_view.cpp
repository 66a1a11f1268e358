#include "gui/panels/lab/stability_view.h"

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHBoxLayout>
#include <QStyle>
#include <cmath>

#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/panels/lab/lab_form.h"

namespace meander::gui {
namespace {

constexpr int columns = 161, band = 8;  // rows of the grid computed between two looks at the cancel button
constexpr double furthest = 100;        // of the negative axis

}  // namespace

StabilityView::StabilityView(Document& document, QWidget* parent) : QWidget(parent), m_plot(new PlotView(this)) {
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(0, 0, metrics::panelPadding, metrics::grid);
    box->setSpacing(metrics::panelPadding);
    box->addWidget(makeForm());
    box->addWidget(m_plot, 1);
    auto* draft = labButton(tr("Take the draft's sampler, with its settings"), this);
    connect(draft, &QPushButton::clicked, this, [this, &document] {
        m_choice = document.draft().sampler;
        m_sampler->setChoice(m_choice);
        examine();
    });
    m_form->addWide(draft);
    connect(&m_job, &BackgroundJob::busyChanged, this, [this](bool busy) {
        m_cancel->setVisible(busy);
        m_table->setEnabled(!busy && !m_region.growth.empty());
        m_copy->setEnabled(m_table->isEnabled());
    });
    m_sampler->setChoice(m_choice);
    showResult();
}

QWidget* StabilityView::makeForm() {
    auto* form = m_form = new LabForm(this);
    m_sampler = new ChoiceSection(tr("Sampler"), choiceEntries("sampler"));
    m_sampler->field()->setObjectName("labStabilitySampler");
    connect(m_sampler, &ChoiceSection::edited, this, [this](const Choice& c) {
        m_choice = c;
        m_sampler->setChoice(c);
        examine();
    });
    form->addWide(m_sampler);
    m_clock = new ChoiceField;
    m_clock->setObjectName("labClock");
    m_clock->addChoice("noise", tr("in τ"), tr("Steps of τ, far from 0: every rule in its classical form."));
    m_clock->addChoice("log", tr("in log τ"),
                       tr("Steps of −log τ: exponential integrators treat the decay towards the estimate exactly."));
    form->add(tr("Steps"), m_clock, tr("The clock in which the test equation dy/dt = λ y is solved with equal steps."));
    connect(m_clock, &ChoiceField::chosen, this, [this] {
        m_stepRow->setVisible(m_clock->choice() == "log");
        examine();
    });
    m_step = new RealField;
    m_step->setRange(0.01, 3);
    m_step->setSingleStep(0.1);
    m_step->setValue(0.5);
    m_stepRow = new FormRow(tr("Step"), m_step);
    m_stepRow->setHelp(tr("h = log(τ/τ′), from 0.01 to 3."));
    m_stepRow->hide();
    form->addWide(m_stepRow);
    m_reach = new RealField;
    m_reach->setObjectName("labReach");
    m_reach->setRange(1, furthest);
    m_reach->setSingleStep(1);
    m_reach->setValue(5);
    form->add(tr("Reach"), m_reach, tr("How far along the negative real axis of z the image goes, from 1 to 100."));
    for (RealField* f : {m_step, m_reach}) connect(f, &QDoubleSpinBox::valueChanged, this, &StabilityView::examine);
    m_state = new QLabel;
    m_state->setWordWrap(true);
    m_table = labButton(tr("Show as table"), nullptr);
    m_copy = labButton(tr("Copy as CSV"), nullptr);
    m_cancel = new QPushButton(tr("Cancel"));
    m_cancel->hide();
    connect(m_table, &QPushButton::clicked, this,
            [this] { showTableDialog(this, m_plot->plot().title, tableOf(m_region)); });
    connect(m_copy, &QPushButton::clicked, this, &StabilityView::copyCsv);
    connect(m_cancel, &QPushButton::clicked, this, [this] {
        m_job.cancel();
        tell(tr("Cancelled."));
    });
    auto* buttons = new QWidget;
    auto* line = new QHBoxLayout(buttons);
    line->setContentsMargins(0, 0, 0, 0);
    line->addWidget(m_table);
    line->addWidget(m_copy);
    line->addStretch();
    form->setFoot({m_state, m_cancel, buttons});
    return form;
}

void StabilityView::examine() {
    const double reach = m_reach->value(), high = reach * 0.65;
    StabilityRegion frame{-reach, reach * 0.3, -high, high, columns, 0, {}};
    frame.rows = int(std::lround(columns * (frame.top - frame.bottom) / (frame.right - frame.left)));
    const StabilityOptions options{m_clock->choice() == "log" ? StabilityClock::LogNoise : StabilityClock::Noise,
                                   m_step->value()};
    m_hasAsked = true;
    tell(tr("Computing …"));
    m_job.start(
        [this, frame, options, choice = m_choice](const BackgroundJob::Ticket& ticket) {
            const SamplerInfo* info = findSampler(choice.id);
            if (!info) throw Failure("There is no sampler named \"" + choice.id + "\".");
            StabilityRegion whole = frame;
            const double cell = (frame.top - frame.bottom) / frame.rows;
            for (int first = 0; first < frame.rows; first += band) {
                ticket.check();
                StabilityRegion part = frame;
                part.rows = std::min(band, frame.rows - first);
                part.bottom = frame.bottom + first * cell;
                part.top = part.bottom + part.rows * cell;
                const auto values = stabilityRegion(*info, choice.params, part, options).growth;
                whole.growth.insert(whole.growth.end(), values.begin(), values.end());
            }
            ticket.check();
            const double interval = stabilityInterval(*info, choice.params, furthest, options);
            ticket.post([this, whole, interval] {
                m_region = whole;
                m_interval = interval;
            });
        },
        [this](const QString& problem) {
            if (!problem.isEmpty()) m_region = {};
            showResult();
            if (!problem.isEmpty()) return tell(problem, true);
            const bool isKnown =
                std::any_of(m_region.growth.begin(), m_region.growth.end(), [](double g) { return std::isfinite(g); });
            if (!isKnown)
                return tell(tr("This sampler has no region: it chooses its own steps, starts from data, or its steps "
                               "follow no short recurrence."),
                            true);
            tell(m_interval >= furthest
                     ? tr("Stable along the whole negative real axis, as far as it was looked at (−z up to %1).")
                           .arg(furthest)
                     : tr("Stable for real z from −%1 to 0.").arg(numberText(m_interval, 5)));
        });
}

void StabilityView::showResult() {
    Plot plot;
    plot.empty = m_hasAsked ? tr("There is nothing to draw at these settings.")
                            : tr("Where a sampler damps what it should damp appears here.");
    plot.equalAspect = true;
    const auto& g = m_region.growth;
    if (std::any_of(g.begin(), g.end(), [](double v) { return std::isfinite(v); })) {
        HeatmapLayer map;
        map.name = tr("largest factor");
        map.rows = m_region.rows;
        map.columns = m_region.columns;
        map.x0 = m_region.left, map.x1 = m_region.right, map.y0 = m_region.bottom, map.y1 = m_region.top;
        map.smooth = true;
        map.lo = 0, map.hi = 1;
        map.opacity = 0.85;
        for (const double v : g) map.values.push_back(v <= 1 ? float(v) : NAN);
        plot.add(std::move(map));
        for (const auto& [a, b] : {std::pair(QPointF(m_region.left, 0), QPointF(m_region.right, 0)),
                                   std::pair(QPointF(0, m_region.bottom), QPointF(0, m_region.top))}) {
            LineLayer axis;
            axis.points = {a, b};
            axis.style = {theme().muted, {2, 3}, Marker::None};
            axis.markerRadius = 0;
            axis.width = 1;
            plot.add(std::move(axis));
        }
        LineLayer border;
        border.name = tr("factor 1");
        border.style = {theme().accent, {}, Marker::None};
        border.markerRadius = 0;
        const auto segments = contour(m_region, 1 + 1e-6);
        for (std::size_t i = 0; i + 1 < segments.size(); i += 2)
            border.points.insert(border.points.end(), {segments[i], segments[i + 1], {NAN, NAN}});
        plot.add(std::move(border));
        plot.title = tr("%1 · factor of a step at z = λ Δ, 0 dark to 1 bright; it grows outside the line")
                         .arg(choiceText(m_choice));
        plot.x.label = tr("Re z (upwards: Im z)");
        plot.y.label = QStringLiteral("Im z");
        plot.x.lo = m_region.left, plot.x.hi = m_region.right, plot.y.lo = m_region.bottom, plot.y.hi = m_region.top;
    }
    m_plot->setPlot(std::move(plot));
    m_table->setEnabled(!g.empty() && !m_job.isBusy());
    m_copy->setEnabled(m_table->isEnabled());
}

void StabilityView::tell(const QString& text, bool isProblem) {
    m_state->setText(text);
    m_state->setProperty("danger", isProblem);
    m_state->setProperty("muted", !isProblem);
    m_state->style()->unpolish(m_state);
    m_state->style()->polish(m_state);
}

void StabilityView::copyCsv() const { QApplication::clipboard()->setText(tableOf(m_region).csv()); }

void StabilityView::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (!m_hasAsked) examine();
}

void StabilityView::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) showResult();
    QWidget::changeEvent(event);
}

}  // namespace meander::gui
