#include "gui/panels/attention/attention_panel.h"

#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "gui/document/run_text.h"
#include "gui/selection/attention_query.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

AttentionPanel::AttentionPanel(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_selection(selection),
      m_work(this, [this](const Answer& a) { show(a); }) {
    m_empty = new QLabel(this);
    m_empty->setWordWrap(true);
    m_empty->setProperty("dim", true);
    m_empty->setContentsMargins(metrics::panelPadding, metrics::panelPadding, metrics::panelPadding, 0);
    m_area = new QScrollArea(this);
    m_area->setWidgetResizable(true);
    m_area->setFrameShape(QFrame::NoFrame);
    m_area->setAccessibleName(tr("Attention: heads and words"));
    m_area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_inside = new QWidget(m_area->viewport());
    m_headsTitle = new QLabel(m_inside);
    m_headsTitle->setToolTip(tr("Entropy of the attention of each head, divided by the logarithm of the number of "
                                "tokens: 0 looks at one token, 1 at all alike."));
    m_headsTitle->setProperty("muted", true);
    m_headsTitle->setFont(interfaceFont(8.5));
    m_headsTitle->setWordWrap(true);
    m_heads = new HeadGrid(selection, m_inside);
    m_chosen = new QLabel(m_inside);
    m_chosen->setWordWrap(true);
    m_edit = new HeadEdit(document, selection, m_inside);
    m_heads->setScales([this](int site, int head) { return m_edit->scaleAt(site, head); });
    connect(m_heads, &HeadGrid::muteRequested, m_edit, &HeadEdit::toggleMute);
    connect(m_heads, &HeadGrid::soloRequested, m_edit, &HeadEdit::toggleSolo);
    connect(m_edit, &HeadEdit::changed, m_heads, qOverload<>(&QWidget::update));
    m_mass = new PlotView(m_inside);
    m_entropy = new PlotView(m_inside);
    m_entropy->setFixedHeight(150);
    auto* box = new QVBoxLayout(m_inside);
    box->setContentsMargins(metrics::panelPadding, metrics::rowGap, metrics::panelPadding, metrics::panelPadding);
    box->setSpacing(8);
    for (QWidget* w :
         {static_cast<QWidget*>(m_headsTitle), static_cast<QWidget*>(m_heads), static_cast<QWidget*>(m_chosen),
          static_cast<QWidget*>(m_edit), static_cast<QWidget*>(m_mass), static_cast<QWidget*>(m_entropy)})
        box->addWidget(w);
    box->addStretch();
    m_area->setWidget(m_inside);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->addWidget(m_empty);
    outer->addWidget(m_area, 1);
    outer->addStretch();
    const auto ifCurrent = [this](const QString& id) {
        if (id == m_selection.currentRun()) refresh();
    };
    connect(&document, &Document::trajectoryLoaded, this, ifCurrent);
    connect(&document, &Document::runFinished, this, ifCurrent);
    // A run under way: at once, then twice a second.
    m_soon.setSingleShot(true);
    connect(&m_soon, &QTimer::timeout, this, &AttentionPanel::refresh);
    connect(&document, &Document::runChanged, this, [this](const QString& id) {
        if (id == m_selection.currentRun() && !m_soon.isActive())
            m_soon.start(m_answer.entropy.rows.empty() ? 30 : 500);
    });
    connect(&selection, &SelectionModel::runChanged, this, &AttentionPanel::refresh);
    connect(&selection, &SelectionModel::imageChanged, this, &AttentionPanel::refresh);
    connect(&selection, &SelectionModel::wordsChanged, this, &AttentionPanel::showPlots);
    connect(&selection, &SelectionModel::cursorChanged, this, &AttentionPanel::follow);
    connect(&selection, &SelectionModel::rangeChanged, this, &AttentionPanel::follow);
    connect(&selection, &SelectionModel::attentionChanged, this, &AttentionPanel::follow);
    connect(&selection, &SelectionModel::attentionChanged, this, &AttentionPanel::refresh);
    connect(&selection, &SelectionModel::axisChanged, this, &AttentionPanel::refresh);
    for (PlotView* plot : {m_mass, m_entropy}) {
        const auto cursorAt = [this](int snapPoint) -> std::optional<StepCursor> {
            const RunPtr run = recordOf(m_document, m_selection.currentRun());
            if (!run || snapPoint < 0 || snapPoint >= int(m_answer.entropy.evaluations.size())) return {};
            return cursorFor(*run, m_answer.entropy.evaluations[std::size_t(snapPoint)]);
        };
        connect(plot, &PlotView::snapPointHovered, this, [this, cursorAt](int snapPoint) {
            if (auto c = cursorAt(snapPoint)) m_selection.hoverStep(*c);
        });
        connect(plot, &PlotView::snapPointClicked, this, [this, cursorAt](int snapPoint) {
            if (auto c = cursorAt(snapPoint)) m_selection.lockStep(*c);
        });
        connect(plot, &PlotView::hoverLeft, &m_selection, &SelectionModel::clearHover);
        connect(plot, &PlotView::announced, &m_document, &Document::message);
    }
    refresh();
}

void AttentionPanel::refresh() {
    const RunPtr run = recordOf(m_document, m_selection.currentRun());
    if (!run || !run->trajectory || !hasAttention(*run->trajectory, -1, m_selection.image())) {
        const bool isRecording = run && m_document.live(m_selection.currentRun())
                                 && run->recipe.attention != AttentionLevel::Off && !run->model.attention.empty();
        const bool isRecorded = run && run->trajectory && !run->trajectory->evaluations.empty();
        const QString otherwise = tr("Run a model that reads words with attention recorded: its layers and heads, and "
                                     "what each word did, appear here.");
        m_empty->setText(
            isRecording  ? tr("Attention is being recorded: layers, heads and words appear here with the first steps.")
            : isRecorded ? otherwise
                         : emptyReason(m_document, m_selection.currentRun(), otherwise));
        return show({});
    }
    const int site = m_selection.attentionSite(), head = m_selection.attentionHead();
    std::vector<StepStop> evaluations;
    for (std::size_t i = 0; i < run->trajectory->evaluations.size(); ++i)
        evaluations.push_back({run->trajectory->evaluations[i]->step, int(i)});
    m_work.request([record = run->trajectory, image = m_selection.image(), site, head,
                    axis = axisValues(*run, evaluations, m_selection.axis())] {
        const std::vector<int> sites = site < 0 ? std::vector<int>() : std::vector{site},
                               heads = head < 0 ? std::vector<int>() : std::vector{head};
        Answer a;
        a.site = site;
        a.head = head;
        a.axis = axis;
        a.entropy = entropyMatrix(*record, image);
        const auto names = wordNames(record->tokens);
        for (const Word& w : wordsOf(record->tokens)) {
            a.words.push_back(record->tokens[std::size_t(w.tokens.front())].word);
            a.masses.emplace_back(names.value(a.words.back()), massOverTime(*record, image, w, sites, heads));
        }
        return a;
    });
}

void AttentionPanel::show(const Answer& answer) {
    m_answer = answer;
    const bool isEmpty = m_answer.entropy.rows.empty();
    m_empty->setVisible(isEmpty);
    m_area->setVisible(!isEmpty);
    m_heads->setMatrix(m_answer.entropy);
    showPlots();
}

void AttentionPanel::showPlots() {
    const Theme& t = theme();
    const auto& evaluations = m_answer.entropy.evaluations;
    Plot mass;
    const QString part = m_answer.site < 0   ? tr("mean of all layers")
                         : m_answer.head < 0 ? tr("layer %1").arg(m_answer.site)
                                             : tr("layer %1, head %2").arg(m_answer.site).arg(m_answer.head);
    mass.title = tr("Word mass · mean probability · %1").arg(part);
    mass.x.label = axisName(m_selection.axis());
    mass.x.wholeNumbers = m_selection.axis() == StepAxis::Step || m_selection.axis() == StepAxis::Evaluations;
    if (isLogAxis(m_selection.axis())) {
        mass.x.scale = Axis::Scale::Log;
        mass.x.reversed = true;
    }
    const auto xOf = [this](int evaluation) {
        const double x = std::size_t(evaluation) < m_answer.axis.size() ? m_answer.axis[std::size_t(evaluation)] : NAN;
        return isLogAxis(m_selection.axis()) && !(x > 0) ? double(NAN) : x;
    };
    mass.hasEndLabels = true;
    std::vector<QPointF> snapPoints;
    QStringList texts;
    // Colours would fight with what the words say; the end labels tell the lines apart, and the chosen ones stand out.
    for (std::size_t w = 0; w < m_answer.masses.size(); ++w) {
        const auto& [name, m] = m_answer.masses[w];
        LineLayer line;
        line.name = name;
        const bool isChosen = m_selection.words().contains(m_answer.words[w]);
        line.style = {isChosen ? t.token : t.muted, {}, Marker::None};
        line.width = isChosen ? 2.2 : 1.1;
        line.markerRadius = 0;
        for (std::size_t i = 0; i < m.evaluations.size(); ++i)
            line.points.emplace_back(xOf(m.evaluations[i]), m.mean[i]);
        mass.add(std::move(line));
    }
    m_mass->setFixedHeight(
        std::clamp(76 + int(m_answer.masses.size()) * (QFontMetrics(numberFont(7.5)).height() - 2), 150, 340));
    mass.fitX();
    mass.fitY();
    Plot entropy;
    entropy.title = tr("Head entropy ÷ log N");
    entropy.x.label = tr("evaluation");
    entropy.x.wholeNumbers = true;
    entropy.hasGrid = false;
    entropy.hasScale = true;
    HeatmapLayer map;
    map.rows = int(m_answer.entropy.rows.size());
    map.columns = int(evaluations.size());
    for (double v : m_answer.entropy.values) map.values.push_back(float(v));
    map.x0 = -0.5;
    map.x1 = double(evaluations.size()) - 0.5;
    map.y1 = std::max(1, map.rows);  // row 0 at y = 0, which the axis has at the top
    int lastSite = -1;
    for (int r = 0; r < map.rows; ++r)
        if (int s = m_answer.entropy.rows[std::size_t(r)].site; s != lastSite) {
            entropy.y.fixedTicks.push_back({r + 0.5, QStringLiteral("L%1").arg(s)});
            lastSite = s;
        }
    entropy.y.lo = 0;
    entropy.y.hi = std::max(1, map.rows);
    entropy.y.reversed = true;
    entropy.x.lo = -0.5;
    entropy.x.hi = std::max(0.5, double(evaluations.size()) - 0.5);
    entropy.add(std::move(map));
    std::vector<QPointF> massSnapPoints;
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
        snapPoints.emplace_back(double(i), 0);
        massSnapPoints.emplace_back(xOf(evaluations[i]), 0);
        texts << tr("evaluation %1").arg(evaluations[i]);
    }
    m_mass->setPlot(std::move(mass));
    m_mass->setSnapPoints(massSnapPoints, texts);
    m_entropy->setPlot(std::move(entropy));
    m_entropy->setSnapPoints(snapPoints, texts);
    follow();
}

void AttentionPanel::follow() {
    const RunPtr run = recordOf(m_document, m_selection.currentRun());
    if (!run || !run->trajectory || m_answer.entropy.evaluations.empty()) return;
    const int evaluation = linkedStep(*run, shownCursor(m_document, m_selection)).evaluation;
    const auto range = m_selection.stepRange();
    const auto steps = range ? stepsIn(*run, *range) : std::nullopt;
    if (steps) {
        int first = -1, last = -1;
        const auto& all = run->trajectory->evaluations;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (all[i]->step >= steps->first && all[i]->step <= steps->second) {
                if (first < 0) first = int(i);
                last = int(i);
            }
        m_heads->setEvaluations(first, last);
        if (std::size_t(std::max(first, last)) < m_answer.axis.size() && first >= 0)
            m_mass->setRange(std::pair(m_answer.axis[std::size_t(first)], m_answer.axis[std::size_t(last)]));
        // Its columns are the recorded evaluations, counted from 0.
        const auto& columns = m_answer.entropy.evaluations;
        const auto columnOf = [&](int e) {
            return double(std::lower_bound(columns.begin(), columns.end(), e) - columns.begin());
        };
        m_entropy->setRange(std::pair(columnOf(first) - 0.5, columnOf(last + 1) - 0.5));
    } else {
        m_heads->setEvaluation(evaluation);
        m_mass->setRange(std::nullopt);
        m_entropy->setRange(std::nullopt);
    }
    m_headsTitle->setText(steps ? tr("Heads · entropy ÷ log N · mean of %1").arg(rangeText(steps->first, steps->second))
                                : tr("Heads · entropy ÷ log N at this step"));
    std::optional<int> snapPoint;
    for (std::size_t i = 0; i < m_answer.entropy.evaluations.size(); ++i)
        if (evaluation >= 0 && m_answer.entropy.evaluations[i] <= evaluation) snapPoint = int(i);
    m_mass->setCursor(snapPoint);
    m_entropy->setCursor(snapPoint);
    const int s = m_selection.attentionSite(), h = m_selection.attentionHead();
    m_chosen->setText(
        s < 0   ? tr("Shown: mean of all layers and heads. Click a cell to look through one head.")
        : h < 0 ? tr("L%1 · mean of its heads").arg(s)
                : tr("L%1 · H%2 · entropy %3 · Esc: all").arg(s).arg(h).arg(formatNumber(m_heads->entropyAt(s, h))));
}

void AttentionPanel::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) showPlots();
    QWidget::changeEvent(event);
}

}  // namespace meander::gui
