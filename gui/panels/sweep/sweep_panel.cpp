#include "gui/panels/sweep/sweep_panel.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QScrollArea>
#include <QVBoxLayout>

#include "engine/run/recipe_settings.h"
#include "gui/document/run_text.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"

namespace meander::gui {
namespace {

constexpr int leastField = 56;  // pixels of a field in the head: on small screens it is cut

QLabel* caption(const QString& text, QWidget* parent) {
    auto* l = new QLabel(text, parent);
    l->setProperty("muted", true);
    return l;
}

}  // namespace

SweepPanel::SweepPanel(Document& document, SelectionModel& selection, QWidget* parent)
    : FrontPanel(parent),
      m_document(document),
      m_selection(selection),
      m_views(new QStackedWidget(body())),
      m_grid(new SweepGrid(document, m_views)),
      m_plot(new SweepPlot(document, m_views)) {
    setObjectName("sweepPanel");
    setProperty("panel", true);
    setProperty("helpPage", "sweeps.md");
    setAttribute(Qt::WA_StyledBackground);
    m_views->addWidget(m_grid);
    m_views->addWidget(m_plot);
    auto* right = new QVBoxLayout;
    right->setContentsMargins(0, 0, 0, 0);
    right->setSpacing(0);
    auto* form = makeForm();
    right->addWidget(makeHead());
    right->addWidget(m_views, 1);
    auto* box = new QHBoxLayout(body());
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    box->addWidget(form);
    box->addLayout(right, 1);
    m_planning = std::make_unique<Latest<Answer>>(this, [this](const Answer& a) {
        m_planned = a;
        tellPlan();
    });
    for (QTimer* t : {&m_planSoon, &m_refreshSoon}) t->setSingleShot(true), t->setInterval(150);
    connect(&m_planSoon, &QTimer::timeout, this, &SweepPanel::planAxes);
    connect(&m_refreshSoon, &QTimer::timeout, this, &SweepPanel::refreshState);
    connect(&m_document, &Document::draftChanged, this, [this] {
        if (isInFront()) m_planSoon.start();
    });
    connect(&m_document, &Document::sweepsChanged, this, &SweepPanel::fillSweeps);
    connect(&m_document, &Document::runChanged, this, &SweepPanel::refreshRun);
    connect(&m_document, &Document::trajectoryLoaded, this, &SweepPanel::refreshRun);
    connect(m_grid, &SweepGrid::shown, this, &SweepPanel::showCell);
    connect(m_grid, &SweepGrid::compared, this, &SweepPanel::compareCell);
    connect(m_grid, &SweepGrid::cancelled, this,
            [this](std::size_t cell) { m_document.cancel(qstr(m_grid->sweep().cells[cell].run)); });
    connect(m_grid, &SweepGrid::retried, this, [this](std::size_t cell) { m_document.retryCell(m_id, cell); });
    connect(m_grid, &SweepGrid::currentChanged, this, [this] { m_plot->setCurrent(m_grid->current()); });
    connect(m_plot, &SweepPlot::chosen, this, [this](std::size_t cell) {
        m_grid->setCurrent(cell);
        showCell(cell);
    });
    fillSweeps();
    tellPlan();
}

QWidget* SweepPanel::makeForm() {
    auto* form = new QWidget(body());
    form->setMinimumWidth(240);
    form->setMaximumWidth(372);
    auto* box = new QVBoxLayout(form);
    box->setContentsMargins(metrics::panelPadding, metrics::grid * 2, metrics::grid, metrics::grid * 2);
    box->setSpacing(metrics::rowGap);
    auto* scroll = new QScrollArea(form);
    auto* content = new QWidget(scroll->viewport());
    content->setProperty("panel", true);
    auto* rows = new QVBoxLayout(content);
    rows->setContentsMargins(0, 0, metrics::grid, 0);
    rows->setSpacing(metrics::rowGap);
    for (int i = 0; i < int(mostSweepAxes); ++i) {
        m_rows.push_back(new AxisRow(m_document.draft(), i + 1, content));
        rows->addWidget(m_rows.back());
        connect(m_rows.back(), &AxisRow::changed, this, [this] { m_planSoon.start(); });
    }
    m_cost = new QLabel(content);
    m_cost->setObjectName("sweepCost");
    m_cost->setWordWrap(true);
    m_cost->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    rows->addWidget(m_cost, 1);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setAccessibleName(tr("Axes of the sweep and what it costs"));
    scroll->setWidget(content);
    box->addWidget(scroll, 1);
    m_run = new QPushButton(tr("Run the sweep"), form);
    m_run->setObjectName("sweepRun");
    m_run->setProperty("primary", true);
    m_stop = new QPushButton(tr("Cancel what is left"), form);
    m_stop->setObjectName("sweepStop");
    connect(m_run, &QPushButton::clicked, this, &SweepPanel::run);
    connect(m_stop, &QPushButton::clicked, this, [this] { m_document.cancelSweep(m_id); });
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_run, 1);
    buttons->addWidget(m_stop);
    box->addLayout(buttons);
    return form;
}

QWidget* SweepPanel::makeHead() {
    auto* head = new QWidget(body());
    auto* box = new QHBoxLayout(head);
    box->setContentsMargins(metrics::grid * 2, metrics::grid, metrics::panelPadding, metrics::grid);
    box->setSpacing(metrics::rowGap);
    m_which = new Segmented(
        {tr("Grid"), tr("Quality")},
        {tr("The images of all cells"), tr("Quality against evaluations, with the best line and its knee")}, head);
    connect(m_which, &Segmented::chosen, m_views, &QStackedWidget::setCurrentIndex);
    m_which->setCurrent(0);
    m_sweeps = new ChoiceField(head);
    m_sweeps->setObjectName("sweepChoice");
    m_sweeps->setAccessibleName(tr("Sweep that is shown"));
    connect(m_sweeps, &ChoiceField::chosen, this, &SweepPanel::showSweep);
    m_acrossField = new ChoiceField(head);
    m_acrossField->setAccessibleName(tr("Axis across"));
    m_downField = new ChoiceField(head);
    m_downField->setAccessibleName(tr("Axis down"));
    const auto arrange = [this] {
        const int across = m_acrossField->choice().toInt();
        int down = m_downField->choice().toInt();
        if (down == across) down = m_grid->across() == across ? -1 : m_grid->across();
        m_grid->setAxes(across, down);
        fillAxes();
    };
    connect(m_acrossField, &ChoiceField::chosen, this, arrange);
    connect(m_downField, &ChoiceField::chosen, this, arrange);
    m_swap = new QToolButton(head);
    m_swap->setObjectName("sweepSwap");
    m_swap->setText(QStringLiteral("⇄"));
    m_swap->setToolTip(tr("Swap the axes"));
    m_swap->setAccessibleName(m_swap->toolTip());
    connect(m_swap, &QToolButton::clicked, this, &SweepPanel::swapAxes);
    for (ChoiceField* f : {m_sweeps, m_acrossField, m_downField}) f->setMinimumWidth(leastField);
    m_places = new QHBoxLayout;
    m_state = caption({}, head);
    m_state->setObjectName("sweepState");
    m_scrub = new QSlider(Qt::Horizontal, head);
    m_scrub->setObjectName("sweepScrub");
    m_scrub->setRange(0, 100);
    m_scrub->setValue(100);
    m_scrub->setMinimumWidth(24);
    m_scrub->setMaximumWidth(110);
    m_scrub->setToolTip(tr("Share of the steps, in all cells; at the right end the finished images"));
    m_scrub->setAccessibleName(tr("Share of the steps"));
    connect(m_scrub, &QSlider::valueChanged, this,
            [this](int v) { m_grid->setScrub(v == 100 ? std::nullopt : std::optional(v / 100.0)); });
    m_size = new QSlider(Qt::Horizontal, head);
    m_size->setRange(40, 256);
    m_size->setValue(m_grid->cellSize());
    m_size->setMinimumWidth(24);
    m_size->setMaximumWidth(80);
    m_size->setToolTip(tr("Size of the cells. Ctrl+wheel over the grid magnifies all images at the same place."));
    m_size->setAccessibleName(tr("Size of the cells"));
    connect(m_size, &QSlider::valueChanged, m_grid, &SweepGrid::setCellSize);
    m_export = new QToolButton(head);
    m_export->setIcon(icon("export", IconTone::Muted));
    m_export->setToolTip(tr("Write the grid or its table into a file"));
    m_export->setAccessibleName(m_export->toolTip());
    m_export->setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu(m_export);
    for (const char* ending : {"png", "pdf", "csv"})
        menu->addAction(tr("As %1 …").arg(QString(ending).toUpper()), this, [this, ending] { exportAs(ending); });
    m_export->setMenu(menu);
    box->addWidget(m_which);
    box->addWidget(m_sweeps);
    box->addWidget(m_acrossField);
    box->addWidget(m_swap);
    box->addWidget(m_downField);
    box->addLayout(m_places);
    box->addWidget(m_state, 1);
    box->addWidget(m_scrub);
    box->addWidget(m_size);
    box->addWidget(m_export);
    return head;
}

void SweepPanel::frontChanged() {
    if (!isInFront()) return;
    for (AxisRow* row : m_rows) row->setRecipe(m_document.draft());
    m_planSoon.start();
    refreshState();
}

void SweepPanel::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) m_refreshSoon.start();
    FrontPanel::changeEvent(event);
}

// --- the plan ---

void SweepPanel::planAxes() {
    Sweep sweep;
    sweep.base = m_document.draft();
    sweep.base.branch.reset();
    QString problem;
    for (AxisRow* row : m_rows) {
        row->setRecipe(m_document.draft());
        row->setInvalid(false);
        try {
            if (auto axis = row->axis()) sweep.axes.push_back(std::move(*axis));
        } catch (const Failure& e) {
            row->setInvalid(true);
            problem = e.what();
        }
    }
    m_planned = {};
    if (!problem.isEmpty() || sweep.axes.empty()) {
        tellPlan();
        if (!problem.isEmpty()) m_cost->setText(problem);
        return;
    }
    sweep.cells.resize(1);
    m_planning->request([sweep]() mutable {
        auto plan = std::make_shared<const Result<SweepPlan>>(planSweep(sweep));
        sweep.cells.assign(plan->ok() ? sweep.size() : 0, {});
        return Answer{sweep, plan};
    });
}

void SweepPanel::tellPlan() {
    m_run->setEnabled(m_planned.plan && m_planned.plan->ok() && !(**m_planned.plan).order.empty());
    if (!m_planned.plan)
        return m_cost->setText(
            tr("Each axis is a setting of the draft and the values it takes. Every combination is one run; "
               "what they have in common is computed once."));
    const Result<SweepPlan>& result = *m_planned.plan;
    if (!result) return m_cost->setText(qstr(result.error().text));
    const SweepPlan& p = *result;
    QStringList lines{
        tr("%1 cells · %2 runs · %3").arg(p.cells.size()).arg(p.order.size()).arg(evaluationsText(int(p.evaluations)))};
    if (p.repeated > 0) lines << tr("%1 cells are equal to others").arg(p.repeated);
    lines << tr("%1 · %2 of record · %3 of memory")
                 .arg(p.seconds > 0 ? tr("at most %1").arg(secondsText(p.seconds)) : tr("time not measured yet"),
                      bytesText(p.recordBytes), bytesText(p.bytes));
    QStringList refused;
    for (std::size_t i = 0; i < p.cells.size() && refused.size() < 3; ++i)
        if (!p.cells[i].plan)
            refused << tr("%1: %2").arg(qstr(m_planned.sweep->label(i)), qstr(p.cells[i].plan.error().text));
    if (p.refused > 0) lines << tr("%1 cells are refused:").arg(p.refused) << refused;
    m_cost->setText(lines.join('\n'));
}

void SweepPanel::run() {
    if (!m_planned.plan || !m_planned.plan->ok()) return;
    showSweep(m_document.startSweep(*m_planned.sweep, **m_planned.plan));
}

// --- what is shown ---

void SweepPanel::fillSweeps() {
    const auto& all = m_document.sweeps();
    m_sweeps->clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
        QStringList axes;
        for (const SweepAxis& a : all[i].axes) axes << qstr(a.label());
        m_sweeps->addChoice(
            qstr(all[i].id),
            tr("%1 · %2").arg(i + 1).arg(all[i].name.empty() ? axes.join(QStringLiteral(" × ")) : qstr(all[i].name)));
    }
    m_sweeps->setEnabled(!all.empty());
    if (!m_document.sweep(m_id)) m_id = all.empty() ? QString() : qstr(all.back().id);
    showSweep(m_id);
    m_sweeps->setVisible(m_document.sweeps().size() > 1);
}

void SweepPanel::showSweep(const QString& id) {
    m_id = id;
    m_sweeps->setChoice(id);
    m_grid->setSweep(m_document.sweep(id), id);
    fillAxes();
    refreshState();
}

void SweepPanel::fillAxes() {
    const Sweep& s = m_grid->sweep();
    const int n = int(s.axes.size());
    for (ChoiceField* f : {m_acrossField, m_downField}) {
        const QSignalBlocker quiet(f);
        f->clear();
        for (int i = 0; i < n; ++i) f->addChoice(QString::number(i), qstr(s.axes[std::size_t(i)].label()));
        if (f == m_downField) f->addChoice("-1", tr("none"));
        f->setVisible(n > 1);
    }
    m_swap->setVisible(n > 1);
    m_acrossField->setChoice(QString::number(m_grid->across()));
    m_downField->setChoice(QString::number(m_grid->down()));
    while (QLayoutItem* item = m_places->takeAt(0)) {
        item->widget()->hide();
        item->widget()->deleteLater();
        delete item;
    }
    for (int i = 0; i < n; ++i) {
        if (i == m_grid->across() || i == m_grid->down()) continue;
        const SweepAxis& axis = s.axes[std::size_t(i)];
        auto* f = new ChoiceField(this);
        f->setMinimumWidth(leastField);
        f->setAccessibleName(qstr(axis.label()));
        f->setToolTip(f->accessibleName());
        for (int k = 0; k < axis.size(); ++k) f->addChoice(QString::number(k), qstr(axis.label(k)));
        f->setChoice(QString::number(m_grid->placeOf(i)));
        connect(f, &ChoiceField::chosen, this, [this, i](const QString& place) { m_grid->setPlace(i, place.toInt()); });
        m_places->addWidget(f);
    }
}

void SweepPanel::swapAxes() {
    if (m_grid->down() >= 0) m_grid->setAxes(m_grid->down(), m_grid->across());
    fillAxes();
}

void SweepPanel::showCell(std::size_t cell) {
    const QString id = qstr(m_grid->sweep().cells[cell].run);
    if (m_document.run(id)) m_selection.setCurrentRun(id);
}

void SweepPanel::compareCell(std::size_t cell) {
    const QString id = qstr(m_grid->sweep().cells[cell].run);
    if (m_document.run(id) && id != m_selection.currentRun()) m_selection.setComparedRun(id);
}

bool SweepPanel::isIn(const Sweep& sweep, const QString& run) {
    const std::string id = run.toStdString();
    return std::any_of(sweep.cells.begin(), sweep.cells.end(), [&](const SweepCell& c) { return c.run == id; });
}

void SweepPanel::refreshRun(const QString& id) {
    if (!m_grid->hasSweep() || !isIn(m_grid->sweep(), id)) return;
    m_grid->refresh(id);
    if (!m_refreshSoon.isActive()) m_refreshSoon.start();
}

void SweepPanel::refreshState() {
    const Sweep* s = m_document.sweep(m_id);
    int finished = 0, left = 0, failed = 0;
    if (s)
        for (const SweepCell& c : s->cells) {
            const RunPtr run = m_document.run(qstr(c.run));
            if (!run) continue;
            finished += run->status == RunStatus::Finished;
            failed += run->status == RunStatus::Failed;
            left += m_document.live(qstr(c.run)) != nullptr;
        }
    m_stop->setVisible(left > 0);
    m_export->setEnabled(s != nullptr);
    m_scrub->setEnabled(s != nullptr);
    m_state->setText(!s ? QString()
                        : tr("%1 of %2").arg(finished).arg(s->cells.size())
                              + (failed > 0 ? tr(" · %1 failed").arg(failed) : QString()));
    if (isInFront()) m_plot->showResults(s);
}

}  // namespace meander::gui
