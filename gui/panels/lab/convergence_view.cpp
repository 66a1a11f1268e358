#include "gui/panels/lab/convergence_view.h"

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHeaderView>
#include <QScrollArea>
#include <QStyle>
#include <QVBoxLayout>
#include <cmath>

#include "gui/document/run_text.h"
#include "gui/forms/choice_section.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/panels/lab/lab_form.h"

namespace meander::gui {

ConvergenceView::ConvergenceView(Document& document, QWidget* parent)
    : QWidget(parent), m_document(document), m_plot(new PlotView(this)), m_orders(new QTableWidget(0, 4, this)) {
    m_orders->setObjectName("labOrders");
    m_orders->setAccessibleName(tr("Fitted orders"));
    m_orders->setHorizontalHeaderLabels({tr("Sampler"), tr("Order ± 95 %"), tr("RMS"), tr("at NFE")});
    m_orders->verticalHeader()->hide();
    m_orders->setShowGrid(false);
    m_orders->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_orders->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_orders->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_orders->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_orders->setMinimumWidth(190);
    m_orders->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_orders->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    auto* table = labButton(tr("Show as table"), this);
    auto* copy = labButton(tr("Copy as CSV"), this);
    connect(table, &QPushButton::clicked, this, [this] {
        showTableDialog(this, tr("Convergence on %1").arg(m_model->currentText()), tableOf(m_curves, m_asked.schedule));
    });
    connect(copy, &QPushButton::clicked, this, &ConvergenceView::copyCsv);
    auto* foot = new QHBoxLayout;
    foot->addWidget(table);
    foot->addWidget(copy);
    foot->addStretch();
    auto* side = new QVBoxLayout;
    side->addWidget(m_orders, 1);
    side->addLayout(foot);
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(0, 0, metrics::panelPadding, metrics::grid);
    box->setSpacing(metrics::panelPadding);
    box->addWidget(makeForm());
    box->addWidget(m_plot, 5);
    box->addLayout(side, 4);
    for (QWidget* w : {static_cast<QWidget*>(table), static_cast<QWidget*>(copy)}) w->setEnabled(false);
    connect(&m_job, &BackgroundJob::busyChanged, this, [this, table, copy](bool busy) {
        m_run->setText(busy ? tr("Cancel") : tr("Measure"));
        m_progress->setVisible(busy);
        table->setEnabled(!busy && !m_curves.empty());
        copy->setEnabled(table->isEnabled());
    });
    setSamplers({{"euler", {}}, {"heun", {}}, {"dpmpp_2m", {}}, {"rk4", {}}});
    showResult();
}

QWidget* ConvergenceView::makeForm() {
    auto* form = m_form = new LabForm(this);
    m_model = new ChoiceField;
    m_model->setObjectName("labModel");
    for (const CatalogEntry& e : builtInModels()) {
        if (!e.id.starts_with("analytic:")) continue;
        if (const auto info = inspectModel(e.id); info && info->process.manifold().isFlat())
            m_model->addChoice(qstr(e.id), qstr(e.name), qstr(e.summary));
    }
    m_model->setChoice("analytic:gaussian2");
    form->add(tr("Model"), m_model, tr("Exact models: the denoised estimate of every state is known in closed form."));
    m_process = new ChoiceField;
    for (const auto& [id, name] :
         {std::pair("edm", tr("variance exploding")), std::pair("vp-linear", tr("variance preserving")),
          std::pair("flow", tr("rectified flow"))})
        m_process->addChoice(id, name);
    form->add(tr("Process"), m_process,
              tr("How data become noise: EDM's σ from 0.002 to 80, DDPM's linear β, or straight lines in t."));
    m_schedule = new ChoiceField;
    m_schedule->setObjectName("labSchedule");
    for (const ChoiceEntry& e : choiceEntries("schedule")) m_schedule->addChoice(e.id, e.label, e.help);
    m_schedule->setChoice("karras");
    form->add(tr("Schedule"), m_schedule, tr("With its default settings; as many steps as the evaluations allow."));
    m_budgets = new QLineEdit("8, 16, 32, 64, 128");
    m_budgets->setObjectName("labBudgets");
    m_budgets->setFont(numberFont());
    form->add(tr("NFE"), m_budgets, tr("Evaluations that each sampler may use, separated by commas; 1 to 4096."));
    m_particles = new IntegerField;
    m_particles->setRange(1, 4096);
    m_particles->setValue(64);
    form->add(tr("Particles"), m_particles,
              tr("Paths from the same noise; the error is the root mean square over all of them."));
    auto* list = new QWidget;
    m_samplerBox = new QVBoxLayout(list);
    m_samplerBox->setContentsMargins(0, 0, 0, 0);
    m_samplerBox->setSpacing(2);
    form->addWide(list);
    m_add = new ChoiceField;
    m_add->setObjectName("labAddSampler");
    m_add->setProperty("add", true);
    m_add->setPlaceholderText(tr("Add a sampler"));
    m_add->setAccessibleName(tr("Add a sampler"));
    m_add->setDescribed(true);
    const auto entries = choiceEntries("sampler");
    for (const ChoiceEntry& e : entries)
        if (const SamplerInfo* s = findSampler(e.id.toStdString()); !s->inverts && !s->needsData)
            m_add->addChoice(e.id, e.label, e.help);
    m_add->setGrouping([entries](const QString& id) {
        for (const ChoiceEntry& e : entries)
            if (e.id == id) return e.group;
        return QString();
    });
    m_add->setPicksOnly(true);
    m_add->setCurrentIndex(-1);
    connect(m_add, &ChoiceField::chosen, this, [this](const QString& id) {
        m_add->setCurrentIndex(-1);
        auto next = m_samplers;
        next.push_back({id.toStdString(), {}});
        setSamplers(next);
    });
    form->addWide(m_add);
    m_draft = new QPushButton(tr("Add the draft's sampler, with its settings"));
    m_draft->setProperty("link", true);
    connect(m_draft, &QPushButton::clicked, this, [this] {
        auto next = m_samplers;
        next.push_back(m_document.draft().sampler);
        setSamplers(next);
    });
    form->addWide(m_draft);
    m_run = new QPushButton(tr("Measure"));
    m_run->setObjectName("labMeasure");
    m_run->setProperty("primary", true);
    connect(m_run, &QPushButton::clicked, this, [this] {
        if (!m_job.isBusy()) return measure();
        m_job.cancel();
        tell(tr("Cancelled; what was measured stays."));
    });
    m_progress = new QProgressBar;
    m_progress->setTextVisible(false);
    m_progress->hide();
    m_state = new QLabel;
    m_state->setObjectName("labState");
    m_state->setWordWrap(true);
    form->setFoot({m_state, m_progress, m_run});
    return form;
}

void ConvergenceView::setSamplers(const std::vector<Choice>& samplers) {
    m_samplers.clear();
    for (const Choice& c : samplers)
        if (std::find(m_samplers.begin(), m_samplers.end(), c) == m_samplers.end() && m_samplers.size() < 12)
            m_samplers.push_back(c);
    fillSamplers();
}

void ConvergenceView::fillSamplers() {
    while (QLayoutItem* item = m_samplerBox->takeAt(0)) {
        item->widget()->hide();
        item->widget()->deleteLater();
        delete item;
    }
    for (std::size_t i = 0; i < m_samplers.size(); ++i) {
        const QString name = choiceText(m_samplers[i]);
        auto* row = new LabChip(runStyle(int(i), theme()), name);
        connect(row, &LabChip::removed, this, [this, i] {
            auto next = m_samplers;
            next.erase(next.begin() + std::ptrdiff_t(i));
            setSamplers(next);
        });
        m_samplerBox->addWidget(row);
    }
}

LabRequest ConvergenceView::request() const {
    LabRequest r;
    r.model = (m_model->choice() + "?process=" + m_process->choice()).toStdString();
    r.samplers = m_samplers;
    r.schedule = {m_schedule->choice().toStdString(), {}};
    r.particles = m_particles->value();
    for (const QString& part : m_budgets->text().split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        bool isNumber = false;
        const int n = part.trimmed().toInt(&isNumber);
        if (!isNumber || n < 1 || n > 4096) return {};
        r.budgets.push_back(n);
    }
    std::sort(r.budgets.begin(), r.budgets.end());
    r.budgets.erase(std::unique(r.budgets.begin(), r.budgets.end()), r.budgets.end());
    return r;
}

void ConvergenceView::measure() {
    const LabRequest r = request();
    m_budgets->setProperty("invalid", r.budgets.empty());
    m_budgets->style()->unpolish(m_budgets);
    m_budgets->style()->polish(m_budgets);
    if (r.budgets.empty())
        return tell(tr("The evaluations are whole numbers from 1 to 4096, separated by commas: 8, 16, 32."), true);
    if (r.samplers.empty()) return tell(tr("Add a sampler to measure."), true);
    m_asked = r;
    m_curves.clear();
    for (const Choice& c : r.samplers) m_curves.push_back({c, {}, {}});
    m_progress->setRange(0, int(r.samplers.size() * r.budgets.size()));
    m_progress->setValue(0);
    tell(tr("Computing the true ends of the paths …"));
    showResult();
    m_job.start(
        [this, r](const BackgroundJob::Ticket& ticket) {
            const LabProblem problem = labProblem(r.model, r.particles, 1, [ticket] { ticket.check(); });
            ticket.post([this, text = qstr(problem.reference)] {
                m_reference = text;
                tell(tr("Measuring against the %1 …").arg(text));
            });
            // Few evaluations first, so that every curve begins soon.
            for (const int budget : r.budgets)
                for (std::size_t i = 0; i < r.samplers.size(); ++i) {
                    const LabCell cell = meander::measure(problem, r.samplers[i], r.schedule, budget);
                    ticket.check();
                    ticket.post([this, i, cell] { take(i, cell); });
                }
        },
        [this](const QString& problem) {
            showResult();
            if (!problem.isEmpty()) return tell(problem, true);
            QStringList left;
            for (const LabCurve& c : m_curves)
                if (const QString why = c.problem(); !why.isEmpty())
                    left << tr("%1: %2").arg(choiceText(c.sampler), why);
            tell(left.isEmpty() ? tr("Error against the %1, %2 particles.").arg(m_reference).arg(m_asked.particles)
                                : left.join('\n'),
                 !left.isEmpty());
        });
}

void ConvergenceView::take(std::size_t curve, const LabCell& cell) {
    m_curves[curve].cells.push_back(cell);
    m_curves[curve].fit = orderOf(m_curves[curve].cells);
    m_progress->setValue(m_progress->value() + 1);
    showResult();
}

void ConvergenceView::tell(const QString& text, bool isProblem) {
    m_state->setText(text);
    m_state->setProperty("danger", isProblem);
    m_state->setProperty("muted", !isProblem);
    m_state->style()->unpolish(m_state);
    m_state->style()->polish(m_state);
}

void ConvergenceView::showResult() {
    Plot plot;
    plot.empty = tr("Choose samplers and press Measure: their error on %1, against the evaluations they take.")
                     .arg(m_model->currentText());
    plot.x.scale = plot.y.scale = Axis::Scale::Log;
    m_orders->setRowCount(0);
    bool hasAny = false;
    for (std::size_t i = 0; i < m_curves.size(); ++i) {
        const LabCurve& c = m_curves[i];
        LineLayer line;
        line.name = choiceText(c.sampler);
        line.style = runStyle(int(i), theme());
        LineLayer fitted;
        fitted.style = {line.style.color, {1, 3}, Marker::None};
        fitted.markerRadius = 0;
        fitted.width = 1.2;
        const LabCell* last = nullptr;
        for (const LabCell& cell : c.cells) {
            if (!cell.problem.empty() || !(cell.error > 0)) continue;
            line.points.emplace_back(cell.evaluations, cell.error);
            if (c.fit.points > 2)
                fitted.points.emplace_back(cell.evaluations, c.fit.factor * std::pow(cell.evaluations, -c.fit.order));
            last = &cell;
        }
        hasAny |= !line.points.empty();
        plot.add(std::move(fitted));
        plot.add(std::move(line));
        const QString order = orderText(c.fit);
        const int row = m_orders->rowCount();
        m_orders->insertRow(row);
        const QString cells[] = {choiceText(c.sampler), order.isEmpty() ? QStringLiteral("–") : order,
                                 last ? formatNumber(last->error, 3) : QStringLiteral("–"),
                                 last ? QString::number(last->evaluations) : QString()};
        for (int k = 0; k < 4; ++k) {
            auto* item = new QTableWidgetItem(cells[k]);
            if (k) item->setFont(numberFont(8.8));
            item->setToolTip(k == 0 && !c.problem().isEmpty() ? cells[k] + '\n' + c.problem() : cells[k]);
            if (k == 0) item->setForeground(runStyle(int(i), theme()).color);
            m_orders->setItem(row, k, item);
        }
    }
    if (hasAny) {
        plot.title = tr("Error on %1 · RMS over particles").arg(m_model->currentText());
        plot.note = tr("dotted: fitted order");
        plot.x.label = tr("evaluations (NFE)");
    }
    plot.hasEndLabels = hasAny && m_hasEndLabels;
    plot.fitX(0.04);
    plot.fitY(0.06);
    m_plot->setPlot(std::move(plot));
}

// In a narrow window the sampler and its order stay.
void ConvergenceView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    for (int column : {2, 3}) m_orders->setColumnHidden(column, m_orders->width() < 340);
    if (const bool fits = m_plot->width() > 280; fits != m_hasEndLabels) {
        m_hasEndLabels = fits;
        showResult();
    }
}

void ConvergenceView::copyCsv() const { QApplication::clipboard()->setText(tableOf(m_curves, m_asked.schedule).csv()); }

void ConvergenceView::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) {
        fillSamplers();
        showResult();
    }
    QWidget::changeEvent(event);
}

}  // namespace meander::gui
