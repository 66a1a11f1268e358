#include "gui/app/settings_dialog.h"

#include <QCheckBox>
#include <QHeaderView>
#include <QKeySequenceEdit>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QStackedWidget>
#include <QTableWidget>
#include <QVBoxLayout>

#include "gui/document/settings.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

SettingsDialog::SettingsDialog(CommandRegistry& commands, ChangeAppearance change, QWidget* parent)
    : QDialog(parent),
      m_commands(commands),
      m_changeAppearance(std::move(change)),
      m_names(new QListWidget(this)),
      m_pages(new QStackedWidget(this)) {
    setObjectName("settings");
    setWindowTitle(tr("Settings"));
    auto* find = new QLineEdit(this);
    find->setPlaceholderText(tr("Search settings"));
    find->setClearButtonEnabled(true);
    find->setObjectName("findSetting");
    const int pages = QFontMetrics(interfaceFont()).averageCharWidth() * 24;
    m_names->setFixedWidth(pages);
    m_names->setAccessibleName(tr("Pages"));
    addPage(tr("Appearance"), appearancePage());
    addPage(tr("Start"), startPage());
    addPage(tr("Keys"), keysPage());
    m_names->setProperty("pages", true);
    connect(m_names, &QListWidget::currentRowChanged, m_pages, &QStackedWidget::setCurrentIndex);
    connect(find, &QLineEdit::textChanged, this, &SettingsDialog::search);
    m_names->setCurrentRow(0);
    auto* left = new QVBoxLayout;
    left->addWidget(find);
    left->addWidget(m_names, 1);
    find->setFixedWidth(pages);
    auto* body = new QHBoxLayout;
    body->setSpacing(20);
    body->addLayout(left);
    body->addWidget(m_pages, 1);
    auto* close = new QPushButton(tr("Close"), this);
    close->setDefault(true);
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(16, 16, 16, 14);
    box->addLayout(body, 1);
    box->addWidget(close, 0, Qt::AlignRight);
    resize(720, 460);
}

void SettingsDialog::addPage(const QString& name, QWidget* page) {
    m_names->addItem(name);
    m_pages->addWidget(page);
}

QWidget* SettingsDialog::appearancePage() {
    auto* page = new QWidget(this);
    auto* box = new QVBoxLayout(page);
    box->setContentsMargins(0, 0, 0, 0);
    auto* theme = new ChoiceField;
    theme->setObjectName("theme");
    theme->addChoice("dark", tr("Dark"));
    theme->addChoice("light", tr("Light"));
    theme->addChoice("system", tr("As the system"));
    const auto show = [theme] {
        theme->setChoice(settings::themeChoice() == ThemeChoice::Light    ? "light"
                         : settings::themeChoice() == ThemeChoice::System ? "system"
                                                                          : "dark");
    };
    show();
    auto* scale = new IntegerField;
    scale->setObjectName("textSize");
    scale->setRange(80, 200);
    scale->setSingleStep(10);
    scale->setSuffix(" %");
    scale->setValue(qRound(settings::fontScale() * 100));
    auto* motion = new QCheckBox(tr("Reduced motion: nothing plays or blinks by itself"));
    motion->setChecked(settings::reducedMotion());
    motion->setObjectName("reducedMotion");
    box->addWidget(new FormRow(tr("Theme"), theme));
    box->addWidget(new FormRow(tr("Text size"), scale));
    box->addWidget(motion);
    auto* reset = new QPushButton(tr("Reset this page"));
    box->addStretch();
    box->addWidget(reset, 0, Qt::AlignLeft);
    connect(theme, &ChoiceField::chosen, this, [this](const QString& id) {
        m_changeAppearance(id == "light"    ? ThemeChoice::Light
                           : id == "system" ? ThemeChoice::System
                                            : ThemeChoice::Dark,
                           settings::fontScale());
    });
    connect(scale, &QSpinBox::valueChanged, this,
            [this](int percent) { m_changeAppearance(settings::themeChoice(), percent / 100.0); });
    connect(motion, &QCheckBox::toggled, this, [](bool on) { settings::setReducedMotion(on); });
    connect(reset, &QPushButton::clicked, this, [this, scale, motion, show] {
        motion->setChecked(false);
        scale->setValue(100);
        m_changeAppearance(ThemeChoice::Dark, 1.0);
        show();
    });
    return page;
}

QWidget* SettingsDialog::startPage() {
    auto* page = new QWidget(this);
    auto* box = new QVBoxLayout(page);
    box->setContentsMargins(0, 0, 0, 0);
    auto* last = new QCheckBox(tr("Open the last project at the start"));
    last->setChecked(settings::opensLastProject());
    auto* hint = new QCheckBox(tr("Show the sample project and its hint again at the next start"));
    hint->setChecked(!settings::hintWasSeen());
    auto* recent = new QPushButton(tr("Clear the list of recent projects"));
    auto* reset = new QPushButton(tr("Reset this page"));
    box->addWidget(last);
    box->addWidget(hint);
    box->addWidget(recent, 0, Qt::AlignLeft);
    box->addStretch();
    box->addWidget(reset, 0, Qt::AlignLeft);
    connect(last, &QCheckBox::toggled, this, [](bool on) { settings::setOpensLastProject(on); });
    connect(hint, &QCheckBox::toggled, this, [](bool on) { settings::setHintWasSeen(!on); });
    connect(recent, &QPushButton::clicked, this, [] { settings::clearRecentFiles(); });
    connect(reset, &QPushButton::clicked, this, [last, hint] {
        last->setChecked(true);
        hint->setChecked(true);
    });
    return page;
}

QWidget* SettingsDialog::keysPage() {
    auto* page = new QWidget(this);
    auto* box = new QVBoxLayout(page);
    box->setContentsMargins(0, 0, 0, 0);
    auto* table = new QTableWidget(int(m_commands.commands().size()), 2, page);
    table->setHorizontalHeaderLabels({tr("Command"), tr("Keys")});
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    table->setColumnWidth(1, 170);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(34);
    table->setShowGrid(false);
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    auto* clash = new QLabel(page);
    clash->setProperty("danger", true);
    clash->setWordWrap(true);
    const auto showClash = [this, clash] {
        const QStringList clashes = m_commands.duplicateShortcuts();
        clash->setText(clashes.isEmpty() ? QString()
                                         : tr("Two commands claim the same keys: %1").arg(clashes.join("; ")));
    };
    for (int row = 0; row < table->rowCount(); ++row) {
        const Command& c = m_commands.commands()[std::size_t(row)];
        table->setItem(row, 0, new QTableWidgetItem(c.text));
        auto* edit = new QKeySequenceEdit(m_commands.action(c.id)->shortcut());
        edit->setObjectName(c.id);
        edit->setAccessibleName(tr("Keys of %1").arg(c.text));
        connect(edit, &QKeySequenceEdit::editingFinished, this, [this, edit, id = c.id, showClash] {
            m_commands.setKeys(id, edit->keySequence().isEmpty() ? QList<QKeySequence>()
                                                                 : QList<QKeySequence>{edit->keySequence()});
            showClash();
        });
        table->setCellWidget(row, 1, edit);
    }
    auto* reset = new QPushButton(tr("Reset all keys"), page);
    connect(reset, &QPushButton::clicked, this, [this, table, showClash] {
        m_commands.resetKeys();
        for (int row = 0; row < table->rowCount(); ++row)
            if (auto* edit = qobject_cast<QKeySequenceEdit*>(table->cellWidget(row, 1)))
                edit->setKeySequence(m_commands.action(edit->objectName())->shortcut());
        showClash();
    });
    box->addWidget(table, 1);
    box->addWidget(clash);
    box->addWidget(reset, 0, Qt::AlignLeft);
    return page;
}

void SettingsDialog::search(const QString& text) {
    // A page stays when one of its words matches; commands are found by their name.
    for (int i = 0; i < m_pages->count(); ++i) {
        bool isFound = text.isEmpty() || m_names->item(i)->text().contains(text, Qt::CaseInsensitive);
        for (const QLabel* l : m_pages->widget(i)->findChildren<QLabel*>())
            isFound |= l->text().contains(text, Qt::CaseInsensitive);
        for (const QAbstractButton* b : m_pages->widget(i)->findChildren<QAbstractButton*>())
            isFound |= b->text().contains(text, Qt::CaseInsensitive);
        if (auto* table = m_pages->widget(i)->findChild<QTableWidget*>())
            for (int row = 0; row < table->rowCount(); ++row) {
                const bool isMatch = text.isEmpty() || table->item(row, 0)->text().contains(text, Qt::CaseInsensitive);
                table->setRowHidden(row, !isMatch);
                isFound |= isMatch;
            }
        m_names->item(i)->setHidden(!isFound);
    }
    for (int i = 0; i < m_names->count(); ++i)
        if (!m_names->item(i)->isHidden()) {
            m_names->setCurrentRow(i);
            return;
        }
}

}  // namespace meander::gui
