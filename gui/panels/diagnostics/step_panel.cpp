#include "gui/panels/diagnostics/step_panel.h"

#include <QEvent>
#include <QScrollArea>
#include <algorithm>

#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/plots/axis.h"
#include "gui/plots/run_style.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

namespace {
// In the order of the cards; what a run cannot give is left out.
const char* const shown[] = {reuseErrorId, "E2", "E4", "G3", "C1", "D3", "D4", "G7", "C3"};
constexpr std::size_t mostCards = 6;
}  // namespace

StepPanel::StepPanel(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_selection(selection),
      m_work(this, [this](const std::vector<Diagnostic>& all) { show(all); }) {
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(metrics::panelPadding, 2, 0, metrics::panelPadding);
    outer->setSpacing(metrics::rowGap);
    m_empty = new QLabel(this);
    m_empty->setWordWrap(true);
    m_empty->setProperty("dim", true);
    m_empty->setContentsMargins(0, 0, metrics::panelPadding, 0);
    outer->addWidget(m_empty);
    m_offer = new QPushButton(this);
    m_offer->setVisible(false);
    outer->addWidget(m_offer);
    connect(m_offer, &QPushButton::clicked, this, [this] {
        m_offer->setEnabled(false);
        m_document.runWhole(m_selection.currentRun());
    });
    auto* area = new QScrollArea(this);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setAccessibleName(tr("Diagnostics of the step"));
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* inside = new QWidget(area->viewport());
    m_list = new QVBoxLayout(inside);
    m_list->setContentsMargins(0, 0, metrics::panelPadding, 0);
    m_list->setSpacing(metrics::grid * 2);
    m_list->addStretch(1);
    area->setWidget(inside);
    m_area = area;
    outer->addWidget(area, 1);
    outer->addStretch();

    connect(&selection, &SelectionModel::runChanged, this, &StepPanel::refresh);
    connect(&selection, &SelectionModel::imageChanged, this, &StepPanel::refresh);
    connect(&selection, &SelectionModel::cursorChanged, this, &StepPanel::follow);
    connect(&selection, &SelectionModel::liveChanged, this, &StepPanel::follow);
    const auto ifCurrent = [this](const QString& id) {
        const RunPtr whole = m_document.wholeRun(m_selection.currentRun());
        if (id == m_selection.currentRun() || (whole && id == QString::fromStdString(whole->id))) refresh();
    };
    connect(&document, &Document::runsChanged, this, [this] {
        const bool wasMissing = m_offer->isVisibleTo(this);
        offerWholeRun();
        if (wasMissing && !m_offer->isVisibleTo(this)) refresh();
    });
    connect(&document, &Document::trajectoryLoaded, this, ifCurrent);
    connect(&document, &Document::runFinished, this, ifCurrent);
    // A run under way may send a step per frame; four times as long as the diagnostics take leaves the processor to the
    // run.
    m_soon.setSingleShot(true);
    m_soon.setInterval(40);
    connect(&m_soon, &QTimer::timeout, this, &StepPanel::refresh);
    connect(&document, &Document::runChanged, this, [this](const QString& id) {
        if (id == m_selection.currentRun() && !m_soon.isActive()) m_soon.start();
    });
    refresh();
}

RunPtr StepPanel::run() const { return recordOf(m_document, m_selection.currentRun()); }

void StepPanel::refresh() {
    const RunPtr r = run();
    offerWholeRun();
    if (!r || !r->trajectory || r->trajectory->evaluations.empty()) {
        if (r && !r->trajectory) m_document.requestTrajectory(m_selection.currentRun());
        return show({});
    }
    DiagnosticOptions options{.manifold = r->model.process.manifold().kind()};
    if (r->model.state.kind == StateKind::Image) options.image = m_selection.image();
    if (const RunPtr whole = m_document.wholeRun(m_selection.currentRun())) {
        options.whole = whole->trajectory;
        if (!whole->trajectory) m_document.requestTrajectory(QString::fromStdString(whole->id));
    }
    m_asked.restart();
    m_work.request([trajectory = r->trajectory, options] { return diagnose(*trajectory, options); });
}

void StepPanel::offerWholeRun() {
    const QString id = m_selection.currentRun();
    const RunPtr r = m_document.run(id);
    const bool isMissing =
        r && r->status == RunStatus::Finished && withoutReuse(r->recipe) != r->recipe && !m_document.wholeRun(id);
    const auto isUnderWay = [&] {
        for (const QString& other : m_document.queue())
            if (const RunPtr waiting = m_document.run(other); waiting && waiting->recipe == withoutReuse(r->recipe))
                return true;
        return false;
    };
    m_offer->setVisible(isMissing);
    if (!isMissing) return;
    m_offer->setEnabled(!isUnderWay());
    m_offer->setText(tr("Show the error of the reuse: run without it (%n evaluation(s))", nullptr, r->evaluations));
    m_offer->setToolTip(tr("The same recipe and seed, with the whole network in every evaluation."));
}

void StepPanel::show(const std::vector<Diagnostic>& all) {
    if (m_asked.isValid()) m_soon.setInterval(std::clamp(int(4 * m_asked.elapsed()), 40, 500));
    std::vector<const Diagnostic*> wanted;
    for (const char* id : shown)
        if (const Diagnostic* d = findDiagnostic(all, id); d && wanted.size() < mostCards) wanted.push_back(d);
    // What the rules of the recipe measured was asked for: all of it, first.
    std::size_t measured = 0;
    for (const Diagnostic& d : all)
        if (isMeasuredByRule(d)) wanted.insert(wanted.begin() + std::ptrdiff_t(measured++), &d);
    while (m_cards.size() > wanted.size()) {
        delete m_cards.back();
        m_cards.pop_back();
    }
    while (m_cards.size() < wanted.size()) {
        auto* card = new DiagnosticCard(this);
        m_list->insertWidget(int(m_cards.size()), card);
        connect(card, &DiagnosticCard::snapPointHovered, this,
                [this, card](int snapPoint) { select(card->diagnostic(), snapPoint, false); });
        connect(card, &DiagnosticCard::snapPointClicked, this,
                [this, card](int snapPoint) { select(card->diagnostic(), snapPoint, true); });
        connect(card, &DiagnosticCard::hoverLeft, &m_selection, &SelectionModel::clearHover);
        m_cards.push_back(card);
    }
    for (std::size_t i = 0; i < wanted.size(); ++i)
        m_cards[i]->setDiagnostic(*wanted[i], runStyle(int(i), theme()).color);
    m_empty->setText(emptyReason(m_document, m_selection.currentRun(),
                                 tr("Run once to see what every step did: how far the estimate moved, how the path "
                                    "turned, what guidance added.")));
    m_empty->setVisible(wanted.empty());
    m_area->setVisible(!wanted.empty());
    follow();
}

int StepPanel::stepAtCursor() const {
    const RunPtr r = run();
    if (!r || !r->trajectory) return -1;
    const int e = linkedStep(*r, shownCursor(m_document, m_selection)).evaluation;
    const auto& list = r->trajectory->evaluations;
    return e >= 0 && e < int(list.size()) ? list[std::size_t(e)]->step : -1;
}

void StepPanel::follow() {
    const int step = stepAtCursor();
    for (auto* card : m_cards) card->setSnapPoint(step >= 0 ? std::optional(step) : std::nullopt);
}

void StepPanel::select(const Diagnostic& d, int snapPoint, bool lock) {
    const RunPtr r = run();
    if (!r || !r->trajectory) return;
    StepCursor cursor{m_selection.currentRun(), -1, 0};
    for (const auto& e : r->trajectory->evaluations)
        if (e->step == snapPoint) {
            cursor.evaluation = e->index;
            cursor.logSnr = e->logSnr;
            break;
        }
    if (cursor.evaluation < 0 && d.axis == DiagnosticAxis::Step) return;
    if (lock) m_selection.lockStep(cursor);
    else m_selection.hoverStep(cursor);
}

void StepPanel::changeEvent(QEvent* e) {
    if (e->type() == QEvent::PaletteChange)
        for (std::size_t i = 0; i < m_cards.size(); ++i)
            m_cards[i]->setDiagnostic(Diagnostic(m_cards[i]->diagnostic()), runStyle(int(i), theme()).color);
    QWidget::changeEvent(e);
}

}  // namespace meander::gui
