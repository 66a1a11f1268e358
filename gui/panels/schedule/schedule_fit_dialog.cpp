#include "gui/panels/schedule/schedule_fit_dialog.h"

#include <QDialogButtonBox>
#include <QStyle>
#include <QVBoxLayout>
#include <cmath>
#include <thread>

#include "engine/core/param_specs.h"
#include "engine/optimise/carry_out.h"
#include "gui/look/text.h"

namespace meander::gui {

namespace {
const char* const ownRecord = "own_record";
constexpr int fewestUseful = 4;  // steps that a record should be fine enough for to be offered
}  // namespace

ScheduleFitDialog::ScheduleFitDialog(RunPtr run, int steps, BackgroundJob& job, QWidget* parent)
    : QDialog(parent),
      m_run(std::move(run)),
      m_job(job),
      m_costs(this, [this](const Answer& answer) { showCost(answer); }),
      m_form(new ParamForm(this)),
      m_cost(new QLabel(this)),
      m_state(new QLabel(this)),
      m_findings(new QLabel(this)),
      m_progress(new QProgressBar(this)) {
    setObjectName("scheduleFit");
    setAttribute(Qt::WA_DeleteOnClose);
    setProperty("helpPage", "optimise.md");
    setWindowTitle(tr("Fit a schedule to run %1").arg(m_run->number));
    auto* about =
        new QLabel(tr("Chooses the noise levels at which few steps come nearest to a fine run of the recipe of "
                      "run %1. What that saves is predicted, then measured on other seeds.")
                       .arg(m_run->number),
                   this);
    about->setProperty("muted", true);
    for (QLabel* label : {about, m_cost, m_state, m_findings}) label->setWordWrap(true);
    m_findings->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_findings->setObjectName("fitFindings");
    m_findings->hide();
    m_progress->setRange(0, 1000);
    m_progress->setTextVisible(false);
    m_progress->hide();
    m_state->hide();
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_fit = buttons->addButton(tr("Fit"), QDialogButtonBox::ActionRole);
    m_apply = buttons->addButton(tr("Apply"), QDialogButtonBox::AcceptRole);
    m_apply->setProperty("primary", true);
    m_fit->setEnabled(false);
    m_apply->setEnabled(false);
    m_fit->setDefault(true);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_fit, &QPushButton::clicked, this, [this] { m_isFitting ? stop() : fit(); });
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(16, 14, 16, 14);
    box->setSpacing(10);
    for (QWidget* w : std::initializer_list<QWidget*>{about, m_form, m_cost, m_state, m_progress, m_findings})
        box->addWidget(w);
    box->addStretch();
    box->addWidget(buttons);
    setMinimumWidth(520);
    m_soon.setSingleShot(true);
    m_soon.setInterval(120);
    connect(&m_soon, &QTimer::timeout, this, [this] {
        Params settings = m_values;
        settings.erase(ownRecord);
        m_costs.request([run = m_run, settings, isRecorded = usesRecord()]() -> Answer {
            try {
                return {planFit(run->recipe, settings, isRecorded), {}};
            } catch (const std::exception& e) {
                return {{}, QString::fromUtf8(e.what())};
            }
        });
    });
    buildForm(steps);
    edited();
}

// With the run's own record as a choice, where it can be one.
void ScheduleFitDialog::buildForm(int steps) {
    std::vector<ParamSpec> specs = fitParams();
    for (ParamSpec& s : specs) {
        m_values[s.key] = s.defaultValue;
        s.advanced = s.key != "steps" && s.key != "method";
    }
    m_values["steps"] = std::int64_t(std::max(1, steps));
    m_values["reference_steps"] = std::int64_t(std::max(60, 3 * steps));
    if (referenceProblem(*m_run).empty() && tooCoarse(*m_run, fewestUseful).empty())
        specs.insert(
            specs.begin() + 1,
            toggleParam(
                ownRecord, tr("Own record").toStdString(), tooCoarse(*m_run, steps).empty(),
                tr("The run was fine enough to choose among its own levels, without evaluations.").toStdString()));
    m_values[ownRecord] = specs.size() > fitParams().size() && tooCoarse(*m_run, steps).empty();
    m_form->setSpecs("scheduleFit", specs);
    m_form->setValues(m_values);
    connect(m_form, &ParamForm::edited, this, [this](const std::string& key, const ParamValue& value) {
        m_values[key] = value;
        edited();
    });
}

bool ScheduleFitDialog::usesRecord() const { return std::get<bool>(m_values.at(ownRecord)); }

void ScheduleFitDialog::edited() {
    if (m_isFitting) stop();
    m_form->setValues(m_values);
    m_plan.reset();
    m_fit->setEnabled(false);
    m_apply->setEnabled(false);
    m_findings->hide();
    m_levels.clear();
    m_isMeasured = false;
    emit levelsChanged();
    m_soon.start();
}

void ScheduleFitDialog::tell(QLabel* label, const QString& text, const char* property) {
    label->setText(text);
    for (const char* p : {"danger", "muted"}) label->setProperty(p, property == std::string_view(p));
    label->style()->unpolish(label);
    label->style()->polish(label);
    label->setVisible(!text.isEmpty());
    layout()->activate();
    if (const int wanted = layout()->totalHeightForWidth(width()); wanted > height()) resize(width(), wanted);
}

void ScheduleFitDialog::showCost(const Answer& answer) {
    if (m_soon.isActive()) return;  // of values that are no longer the form's
    m_plan = answer.plan;
    m_fit->setEnabled(m_plan.has_value());
    if (!m_plan) return tell(m_cost, answer.problem, "danger");
    const QString time =
        m_plan->seconds > 0 ? tr("about %1").arg(secondsText(m_plan->seconds)) : tr("time not known yet");
    tell(m_cost,
         tr("Cost: %1, %2, %3 of records. The model is loaded once more for it.")
             .arg(evaluationsText(int(m_plan->evaluations)), time, bytesText(m_plan->recordBytes)),
         "");
}

void ScheduleFitDialog::fit() {
    if (!m_plan) return;
    m_isFitting = true;
    m_fit->setText(tr("Stop"));
    m_findings->hide();
    m_progress->setVisible(true);
    progressed(tr("Recording fine runs …"), 0);
    m_job.start(
        [this, plan = *m_plan, run = m_run, isRecorded = usesRecord()](const BackgroundJob::Ticket& ticket) {
            const auto carried = [&](const std::vector<Plan>& plans, const QString& what) {
                int told = 0;
                // Half of the processors: the window and its runs have the others.
                CarryOutOptions options{run->recipe.device, int(std::max(1u, std::thread::hardware_concurrency() / 2))};
                options.isCancelled = [&ticket] { return ticket.isCancelled(); };
                options.progress = [&](double share) {
                    if (int(share * 100) == told) return;
                    told = int(share * 100);
                    ticket.post([this, what, share] { progressed(what, share); });
                };
                auto runs = carryOut(plans, options);
                ticket.check();
                return runs;
            };
            const auto reference = isRecorded ? std::vector{run} : carried(plan.reference, tr("Recording fine runs …"));
            ScheduleFit fit = fitSchedule(plan, reference);
            ticket.check();
            ticket.post([this, fit] { show(fit); });
            takeEffect(fit, carried(effectPlans(fit), tr("Measuring on other seeds …")));
            ticket.post([this, fit] { show(fit); });
        },
        [this](const QString& problem) { ended(problem); });
}

void ScheduleFitDialog::progressed(const QString& what, double share) {
    tell(m_state, what, "muted");
    m_progress->setValue(int(share * 1000));
}

void ScheduleFitDialog::show(const ScheduleFit& fit) {
    m_levels = fit.fitted().levels;
    m_isMeasured = fit.fitted().measured.has_value();
    QStringList sentences;
    for (const std::string& s : findings(fit)) sentences << qstr(s);
    // A number stays with its sign.
    tell(m_findings, sentences.join(' ').replace(" %", QChar(QChar::Nbsp) + QStringLiteral("%")),
         m_isMeasured && !wins(fit) ? "danger" : "");
    m_apply->setEnabled(true);
    emit levelsChanged();
}

void ScheduleFitDialog::ended(const QString& problem) {
    m_isFitting = false;
    m_fit->setText(tr("Fit"));
    m_progress->hide();
    tell(m_state, problem, "danger");
}

// What was fitted so far stays.
void ScheduleFitDialog::stop() {
    m_job.cancel();
    ended({});
    tell(m_state, tr("Stopped."), "muted");
}

void ScheduleFitDialog::done(int result) {
    if (m_isFitting) m_job.cancel();
    m_isFitting = false;
    QDialog::done(result);
}

}  // namespace meander::gui
