#include "gui/panels/recipe/recipe_panel.h"

#include <QScrollBar>

#include "gui/document/run_text.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/widgets/small_button.h"

namespace meander::gui {

namespace {

const QString openModelId = QStringLiteral("\x01open");

QString modelGroup(const QString& id) {
    if (id == openModelId) return {};
    if (id.startsWith(QLatin1String("analytic:"))) return RecipePanel::tr("Exact, in closed form");
    if (!id.startsWith(QLatin1String("builtin:"))) return RecipePanel::tr("Opened files");
    return id.startsWith(QLatin1String("builtin:flow2d")) ? RecipePanel::tr("Points in the plane")
                                                          : RecipePanel::tr("Images");
}

}  // namespace

RecipePanel::RecipePanel(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection) {
    setObjectName("recipePanel");
    setProperty("panel", true);
    auto* content = new QWidget;
    content->setProperty("panel", true);
    m_rows = new QVBoxLayout(content);
    m_rows->setContentsMargins(metrics::panelPadding, 4, metrics::panelPadding, metrics::panelPadding);
    m_rows->setSpacing(metrics::rowGap);
    buildModel();
    buildPrompt();
    buildSampling();
    buildSchedule();
    buildGuidance();
    buildNoise();
    buildRest();
    m_rows->addStretch();
    auto* scroll = new QScrollArea(this);
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    m_card = new PlanCard(this);
    auto* cardBox = new QVBoxLayout;
    cardBox->setContentsMargins(metrics::panelPadding, 8, metrics::panelPadding, metrics::panelPadding);
    cardBox->addWidget(m_card);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    box->addWidget(scroll, 1);
    box->addLayout(cardBox);
    connect(&m_document, &Document::draftChanged, this, [this] {
        show();
        showDifferences();
        m_card->show(m_document.draftPlan(), true, m_document.draftModel() != nullptr);
    });
    connect(&m_document, &Document::planChanged, this, [this] {
        showModel();
        showDifferences();
        showPlan();
        m_card->show(m_document.draftPlan(), m_document.isPlanning(), m_document.draftModel() != nullptr);
    });
    connect(&m_document, &Document::runsChanged, this, &RecipePanel::showRuns);
    connect(&m_document, &Document::runFinished, this, &RecipePanel::showRuns);
    connect(&m_selection, &SelectionModel::runChanged, this, [this] {
        showDifferences();
        showPlan();
    });
    showRuns();
    show();
    showModel();
    m_card->show(m_document.draftPlan(), true, false);
}

FormRow* RecipePanel::addRow(const QString& label, QWidget* field, const QString& key, const QString& help,
                             FormRow::Layout layout) {
    auto* row = new FormRow(label, field, nullptr, layout);
    if (!help.isEmpty()) row->setHelp(help);
    m_rows->addWidget(row);
    m_row[key] = row;
    connect(row, &FormRow::resetRequested, this, [this, key] { resetRow(key); });
    return row;
}

void RecipePanel::edit(const QString& label, const QString& mergeKey, const std::function<void(Recipe&)>& change) {
    if (m_showing) return;
    Recipe next = m_document.draft();
    change(next);
    m_document.editDraft(next, label, mergeKey);
}

void RecipePanel::buildModel() {
    m_model = new ChoiceField;
    m_model->setObjectName("model");
    m_model->setGrouping(modelGroup);
    for (const CatalogEntry& e : builtInModels()) m_model->addChoice(qstr(e.id), qstr(e.name), qstr(e.summary));
    m_model->insertSeparator(m_model->count());
    m_model->addChoice(openModelId, tr("Open a file …"));
    connect(m_model, &ChoiceField::chosen, this, &RecipePanel::chooseModel);
    auto* about = smallButton("info", tr("What this model is"));
    connect(about, &QToolButton::clicked, this, &RecipePanel::modelCardRequested);
    addRow(tr("Model"), fieldWithButton(m_model, about), "model",
           tr("The network that is sampled. The card beside it tells what it predicts and which rules fit it."),
           FormRow::Layout::Above);
    m_branch = new QFrame;
    m_branch->setProperty("card", "true");
    auto* line = new QHBoxLayout(m_branch);
    line->setContentsMargins(8, 3, 3, 3);
    m_branchText = new QLabel;
    m_branchText->setWordWrap(true);
    auto* clear = smallButton("close", tr("Start from noise again"));
    line->addWidget(m_branchText, 1);
    line->addWidget(clear);
    connect(clear, &QToolButton::clicked, this,
            [this] { edit(tr("start from noise"), {}, [](Recipe& r) { r.branch.reset(); }); });
    m_rows->addWidget(m_branch);
}

void RecipePanel::buildPrompt() {
    m_prompt = new PromptField(2, 6);
    m_prompt->setObjectName("prompt");
    m_prompt->setPlaceholderText(tr("What to draw"));
    addRow(tr("Prompt"), m_prompt, "prompt", {}, FormRow::Layout::Above);
    m_negative = new PromptField(1, 4);
    m_negative->setObjectName("negativePrompt");
    m_negative->setPlaceholderText(tr("none"));
    addRow(tr("Negative prompt"), m_negative, "negative_prompt",
           tr("What the unconditional branch of guidance is told instead of nothing."), FormRow::Layout::Above);
    m_class = new ChoiceField;
    m_class->setObjectName("class");
    addRow(tr("Class"), m_class, "class");
    // One visit to the field is one undo step.
    const auto session = [this](const char* key) {
        return QStringLiteral("%1/%2").arg(QLatin1String(key)).arg(m_promptSession);
    };
    connect(m_prompt, &QPlainTextEdit::textChanged, this, [this, session] {
        edit(tr("prompt"), session("prompt"), [this](Recipe& r) { r.prompt = m_prompt->toPlainText().toStdString(); });
    });
    connect(m_negative, &QPlainTextEdit::textChanged, this, [this, session] {
        edit(tr("negative prompt"), session("negative"),
             [this](Recipe& r) { r.negativePrompt = m_negative->toPlainText().toStdString(); });
    });
    for (PromptField* p : {m_prompt, m_negative}) connect(p, &PromptField::left, this, [this] { ++m_promptSession; });
    connect(m_class, &ChoiceField::chosen, this, [this](const QString& id) {
        edit(tr("class"), {},
             [&](Recipe& r) { r.classIndex = id.isEmpty() ? std::nullopt : std::optional(id.toInt()); });
    });
}

void RecipePanel::buildRest() {
    addHead(tr("Run"));
    m_images = new IntegerField;
    m_images->setObjectName("images");
    m_images->setRange(1, 100000);
    addRow(tr("Images"), m_images, "images", tr("Images (or particles) drawn together."));
    connect(m_images, &QSpinBox::valueChanged, this,
            [this](int n) { edit(tr("images"), "images", [n](Recipe& r) { r.images = n; }); });
    m_precision = new ChoiceField;
    for (const char* p : {"auto", "f32", "bf16"}) m_precision->addChoice(p, p);
    addRow(tr("Precision"), m_precision, "precision",
           tr("Of the network's arithmetic. States and sampler arithmetic are always at least f32."));
    connect(m_precision, &ChoiceField::chosen, this, [this](const QString& id) {
        edit(tr("precision"), {}, [&](Recipe& r) { r.precision = id.toStdString(); });
    });
    m_device = new ChoiceField;
    m_device->addChoice("auto", tr("auto"));
    m_device->addChoice("cpu", tr("CPU"));
    m_device->addChoice("cuda:0", tr("first GPU"));
    addRow(tr("Device"), m_device, "device");
    connect(m_device, &ChoiceField::chosen, this,
            [this](const QString& id) { edit(tr("device"), {}, [&](Recipe& r) { r.device = id.toStdString(); }); });
    m_attention = new ChoiceField;
    m_attention->addChoice("off", tr("off"));
    m_attention->addChoice("summary", tr("summary"), tr("One map per word, and entropy and mass per head."));
    m_attention->addChoice("layers", tr("per layer"), tr("The mean over heads of every layer."));
    m_attention->addChoice("full", tr("every head"));
    addRow(tr("Attention"), m_attention, "attention", tr("What is recorded of cross-attention at every evaluation."));
    connect(m_attention, &ChoiceField::chosen, this, [this](const QString& id) {
        edit(tr("attention record"), {}, [&](Recipe& r) {
            for (auto l : {AttentionLevel::Off, AttentionLevel::Summary, AttentionLevel::Layers, AttentionLevel::Full})
                if (id == nameOf(l)) r.attention = l;
        });
    });
    m_states = new QCheckBox(tr("Record states"));
    m_states->setProperty("muted", true);
    m_states->setToolTip(tr("Keeps every state and prediction, for the film strip, the path and branching."));
    m_rows->addWidget(m_states);
    connect(m_states, &QCheckBox::clicked, this,
            [this](bool on) { edit(tr("record states"), {}, [on](Recipe& r) { r.recordStates = on; }); });
}

void RecipePanel::chooseModel(const QString& id) {
    if (id == openModelId) {
        m_model->setChoice(qstr(m_document.draft().model));
        emit openModelRequested();
        return;
    }
    m_document.useModel(id);
}

void RecipePanel::resetRow(const QString& key) {
    const auto model = m_document.draftModel();
    if (!model) return;
    const Recipe base = recommendedRecipe(*model);
    edit(tr("reset %1").arg(m_row[key]->label()->text()), {}, [&](Recipe& r) {
        if (key == "prompt") r.prompt = base.prompt;
        if (key == "negative_prompt") r.negativePrompt = base.negativePrompt;
        if (key == "steps") r.steps = base.steps;
        if (key == "images") r.images = base.images;
        if (key == "seed") r.seed = base.seed;
        if (key == "precision") r.precision = base.precision;
        if (key == "device") r.device = base.device;
        if (key == "attention") r.attention = base.attention;
        if (key == "class") r.classIndex = base.classIndex;
    });
}

void RecipePanel::addHead(const QString& text) {
    auto* head = new QLabel(text);
    head->setFont(headFont());
    head->setProperty("muted", true);
    head->setContentsMargins(0, 10, 0, 0);
    m_rows->addWidget(head);
}

void RecipePanel::focusPrompt() {
    (m_prompt->isVisible() ? static_cast<QWidget*>(m_prompt) : m_steps)->setFocus(Qt::ShortcutFocusReason);
}

}  // namespace meander::gui
