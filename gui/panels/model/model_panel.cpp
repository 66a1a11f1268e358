#include "gui/panels/model/model_panel.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "gui/document/run_text.h"
#include "gui/document/settings.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"

namespace meander::gui {
namespace {

QString sizesText(const Shape& s) {
    QStringList parts;
    for (auto e : s.extents()) parts.append(QString::number(e));
    return parts.join(QStringLiteral(" × "));
}

QString rulesText(const ModelInfo& m) {
    switch (m.distillation) {
    case Distillation::None: return ModelPanel::tr("any ODE or SDE sampler");
    case Distillation::Consistency: return ModelPanel::tr("consistency sampling, few steps");
    case Distillation::Lcm: return ModelPanel::tr("LCM, 1 to 8 steps");
    case Distillation::Shortcut: return ModelPanel::tr("Euler; the step size is told to the network");
    case Distillation::Reflow: return ModelPanel::tr("Euler, few steps (straightened paths)");
    case Distillation::Trajectory: return ModelPanel::tr("TCD or CTM, few steps");
    case Distillation::Phased: return ModelPanel::tr("phased consistency, steps on its phases");
    case Distillation::ContinuousConsistency: return ModelPanel::tr("sCM, 1 to 4 steps");
    case Distillation::Acceleration: return ModelPanel::tr("constant acceleration");
    case Distillation::DistributionMatching: return ModelPanel::tr("its own list of times, 1 to 4 steps");
    case Distillation::Poisson: return ModelPanel::tr("PFGM++ with its D");
    case Distillation::Bridge: return ModelPanel::tr("mixture of bridges with its σ");
    }
    return {};
}

// Of a model's id the path: itself, or that of its points.
QString fileOf(const QString& id) {
    return id.contains(QStringLiteral("?file=")) ? id.section(QStringLiteral("?file="), 1).section('&', 0, 0) : id;
}

// How a fact is known: the value stands above already or speaks for itself, the reason is what is new.
QString findingLabel(const Finding& f) {
    const QString key = qstr(f.key);
    return key.isEmpty() ? key : key.at(0).toUpper() + key.mid(1).replace(QLatin1Char('_'), QLatin1Char(' '));
}

QString findingText(const Finding& f) {
    const QString how = f.source == Finding::Assumed    ? ModelPanel::tr(" (assumed)")
                        : f.source == Finding::Declared ? ModelPanel::tr(" (declared)")
                                                        : QString();
    return qstr(f.value) + how + QStringLiteral(" – ") + qstr(f.reason);
}

}  // namespace

std::vector<std::pair<QString, QString>> modelFacts(const ModelInfo& m) {
    std::vector<std::pair<QString, QString>> facts;
    facts.emplace_back(ModelPanel::tr("Family"), qstr(m.family));
    facts.emplace_back(ModelPanel::tr("Predicts"), QLatin1String(nameOf(m.parametrization)));
    facts.emplace_back(ModelPanel::tr("Process"), qstr(m.process.name()));
    facts.emplace_back(ModelPanel::tr("State"),
                       sizesText(m.state.shape)
                           + (m.state.kind == StateKind::Points ? ModelPanel::tr(" (points)") : QString()));
    if (m.state.image.rank() == 3) facts.emplace_back(ModelPanel::tr("Image"), sizesText(m.state.image));
    const auto pixels = m.pixels;
    if (m.state.kind == StateKind::Image)
        facts.emplace_back(ModelPanel::tr("Codec"),
                           !pixels ? ModelPanel::tr("latent, a network")
                           : !pixels->isExact()
                               ? ModelPanel::tr("network, %1 × %1 pixels in a cell").arg(m.state.factor())
                           : pixels->fold == 1 ? ModelPanel::tr("none, pixels")
                                               : ModelPanel::tr("pixels, %1 × %1 in a place").arg(pixels->fold));
    const QString conditioning =
        m.conditioning == ConditioningKind::Text    ? ModelPanel::tr("text, %1 tokens").arg(m.textTokens)
        : m.conditioning == ConditioningKind::Class ? ModelPanel::tr("%1 classes").arg(m.classes.size())
                                                    : ModelPanel::tr("none");
    facts.emplace_back(ModelPanel::tr("Conditioning"), conditioning);
    if (!m.attention.empty())
        facts.emplace_back(ModelPanel::tr("Attention"), ModelPanel::tr("%1 layers recorded").arg(m.attention.size()));
    facts.emplace_back(ModelPanel::tr("Parameters"),
                       m.parameters > 0 ? countText(m.parameters) : ModelPanel::tr("none, a closed form"));
    if (m.weightBytes > 0) facts.emplace_back(ModelPanel::tr("Weights"), bytesText(m.weightBytes));
    facts.emplace_back(ModelPanel::tr("Rules"), rulesText(m));
    if (m.builtInGuidance)
        facts.emplace_back(ModelPanel::tr("Guidance"),
                           ModelPanel::tr("distilled in, scale %1").arg(*m.builtInGuidance));
    if (m.hasDensity) facts.emplace_back(ModelPanel::tr("Density"), ModelPanel::tr("known in closed form"));
    for (const Finding& f : m.findings) facts.emplace_back(findingLabel(f), findingText(f));
    for (const std::string& part : m.missing) facts.emplace_back(ModelPanel::tr("Missing"), qstr(part));
    return facts;
}

ModelPanel::ModelPanel(Document& document, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_list(new QListWidget(this)),
      m_name(new QLabel(this)),
      m_summary(new QLabel(this)) {
    setProperty("panel", true);
    setProperty("helpPage", "models.md");
    m_list->setAccessibleName(tr("Models"));
    m_list->setSpacing(1);
    for (const CatalogEntry& e : builtInModels()) {
        auto* item = new QListWidgetItem(icon("model", IconTone::Muted), qstr(e.name), m_list);
        item->setData(Qt::UserRole, qstr(e.id));
        item->setToolTip(qstr(e.summary));
    }
    const QStringList opened = settings::recentModels();
    for (const QString& id : opened)
        if (QFileInfo::exists(fileOf(id))) addOpened(id, modelLabel(id.toStdString()));
    connect(m_list, &QListWidget::itemActivated, this,
            [this](const QListWidgetItem* item) { useModel(item->data(Qt::UserRole).toString()); });
    connect(m_list, &QListWidget::itemClicked, this,
            [this](const QListWidgetItem* item) { useModel(item->data(Qt::UserRole).toString()); });
    auto* file = new QPushButton(icon("file"), tr("Open a file …"), this);
    auto* folder = new QPushButton(icon("folder"), tr("Open a folder …"), this);
    file->setToolTip(tr("A model in one file (.safetensors, .gguf, .ckpt), or your own points (.csv, .npy, .json)"));
    folder->setToolTip(tr("A diffusers model folder, or a folder of PNG images to be denoised exactly"));
    connect(file, &QPushButton::clicked, this, &ModelPanel::openFile);
    connect(folder, &QPushButton::clicked, this, &ModelPanel::openFolder);
    auto* buttons = new QHBoxLayout;
    buttons->setContentsMargins(12, 0, 12, 6);
    buttons->addWidget(file);
    buttons->addWidget(folder);
    buttons->addStretch();
    auto* card = new QFrame(this);
    card->setProperty("card", "true");
    m_name->setFont(interfaceFont(0, true));
    m_summary->setProperty("muted", true);
    m_summary->setWordWrap(true);
    auto* cardBox = new QVBoxLayout(card);
    cardBox->setContentsMargins(12, 10, 12, 12);
    cardBox->addWidget(m_name);
    cardBox->addWidget(m_summary);
    m_facts = new QFormLayout;
    m_facts->setLabelAlignment(Qt::AlignLeft);
    m_facts->setHorizontalSpacing(12);
    m_facts->setVerticalSpacing(4);
    m_facts->setRowWrapPolicy(QFormLayout::DontWrapRows);
    cardBox->addLayout(m_facts);
    auto* scroll = new QScrollArea(this);
    auto* content = new QWidget(scroll->viewport());
    content->setProperty("panel", true);
    auto* contentBox = new QVBoxLayout(content);
    contentBox->setContentsMargins(12, 4, 12, 12);
    contentBox->addWidget(card);
    contentBox->addStretch();
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setAccessibleName(tr("What the model is"));
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 4, 0, 0);
    box->addWidget(m_list, 2);
    box->addLayout(buttons);
    box->addWidget(scroll, 3);
    connect(&document, &Document::planChanged, this, &ModelPanel::showModel);
    showModel();
}

void ModelPanel::showModel() {
    while (m_facts->rowCount() > 0) m_facts->removeRow(0);
    const QString current = qstr(m_document.draft().model);
    const auto model = m_document.draftModel();
    QListWidgetItem* item = itemOf(current);
    if (!item && model && qstr(model->id) == current) {
        item = addOpened(current, qstr(model->name));
        if (QFileInfo::exists(fileOf(current))) settings::addRecentModel(current);
    }
    m_list->setCurrentItem(item);
    if (!model) {
        m_name->setText(modelLabel(m_document.draft().model));
        const auto& plan = m_document.draftPlan();
        m_summary->setText(m_document.isPlanning() || plan ? tr("Reading what this model is …")
                                                           : qstr(plan.error().text));
        return;
    }
    m_name->setText(qstr(model->name));
    m_summary->setText(qstr(model->summary));
    for (const auto& [label, value] : modelFacts(*model)) {
        auto* left = new QLabel(label);
        left->setProperty("muted", true);
        auto* right = new QLabel(value);
        right->setWordWrap(true);
        right->setTextInteractionFlags(Qt::TextSelectableByMouse);
        m_facts->addRow(left, right);
    }
}

QListWidgetItem* ModelPanel::itemOf(const QString& id) const {
    for (int i = 0; i < m_list->count(); ++i)
        if (m_list->item(i)->data(Qt::UserRole).toString() == id) return m_list->item(i);
    return nullptr;
}

QListWidgetItem* ModelPanel::addOpened(const QString& id, const QString& name) {
    auto* item = new QListWidgetItem(icon("folder", IconTone::Muted), name, m_list);
    item->setData(Qt::UserRole, id);
    item->setToolTip(id);
    return item;
}

void ModelPanel::useModel(const QString& id) {
    if (id.isEmpty() || id.toStdString() == m_document.draft().model) return;
    m_document.useModel(id);
}

void ModelPanel::openFile() {
    const QString path = QFileDialog::getOpenFileName(
        window(), tr("Open a model"), settings::lastFolder(),
        tr("Models (*.safetensors *.gguf *.ckpt *.pt *.pth *.bin);;Points (*.csv *.npy *.json);;All files (*)"));
    if (path.isEmpty()) return;
    settings::setLastFolder(QFileInfo(path).absolutePath());
    useModel(modelIdOf(path));
}

void ModelPanel::openFolder() {
    const QString path =
        QFileDialog::getExistingDirectory(window(), tr("Open a diffusers model folder"), settings::lastFolder());
    if (path.isEmpty()) return;
    settings::setLastFolder(path);
    useModel(modelIdOf(path));
}

}  // namespace meander::gui
