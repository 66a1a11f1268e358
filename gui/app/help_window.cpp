#include "gui/app/help_window.h"

#include <QFile>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QTextDocument>
#include <QVBoxLayout>

#include "engine/core/resources.h"
#include "gui/look/text.h"
#include "gui/look/theme.h"

namespace meander::gui {

const std::vector<HelpPage>& helpPages() {
    static const std::vector<HelpPage> pages{
        {"glossary.md", QT_TRANSLATE_NOOP("Help", "Words and symbols")},
        {"models.md", QT_TRANSLATE_NOOP("Help", "Models and their files")},
        {"samplers.md", QT_TRANSLATE_NOOP("Help", "Samplers")},
        {"schedules.md", QT_TRANSLATE_NOOP("Help", "Schedules")},
        {"guidance.md", QT_TRANSLATE_NOOP("Help", "Guidance")},
        {"editors.md", QT_TRANSLATE_NOOP("Help", "Drawing schedules and guidance")},
        {"noise.md", QT_TRANSLATE_NOOP("Help", "Noise")},
        {"reuse.md", QT_TRANSLATE_NOOP("Help", "Reuse inside the network")},
        {"convergence.md", QT_TRANSLATE_NOOP("Help", "Measured orders of convergence")}};
    return pages;
}

HelpWindow::HelpWindow(QWidget* parent)
    : QDialog(parent), m_list(new QListWidget(this)), m_text(new QTextBrowser(this)) {
    setObjectName("help");
    setWindowTitle(tr("Help"));
    resize(980, 680);
    m_list->setAccessibleName(tr("Pages"));
    m_list->setMaximumWidth(230);
    for (const HelpPage& p : helpPages()) {
        auto* item = new QListWidgetItem(QCoreApplication::translate("Help", p.title), m_list);
        item->setData(Qt::UserRole, QString::fromLatin1(p.file));
    }
    m_text->setAccessibleName(tr("Page"));
    m_text->setOpenLinks(false);
    auto* search = new QLineEdit(this);
    search->setPlaceholderText(tr("Find on this page"));
    search->setAccessibleName(search->placeholderText());
    search->setClearButtonEnabled(true);
    connect(search, &QLineEdit::textChanged, this, &HelpWindow::find);
    connect(search, &QLineEdit::returnPressed, this, [this, search] { find(search->text()); });
    connect(m_list, &QListWidget::currentItemChanged, this, [this](const QListWidgetItem* item) {
        if (item) showPage(item->data(Qt::UserRole).toString());
    });
    connect(m_text, &QTextBrowser::anchorClicked, this, [this](const QUrl& url) { showPage(url.fileName()); });
    auto* right = new QVBoxLayout;
    right->addWidget(search);
    right->addWidget(m_text, 1);
    auto* box = new QHBoxLayout(this);
    box->addWidget(m_list);
    box->addLayout(right, 1);
    showPage({});
}

void HelpWindow::showPage(const QString& file) {
    int row = 0;
    for (std::size_t i = 0; i < helpPages().size(); ++i)
        if (file == QLatin1String(helpPages()[i].file)) row = int(i);
    const QString page = QString::fromLatin1(helpPages()[std::size_t(row)].file);
    if (m_page == page) return;
    m_page = page;
    m_list->setCurrentRow(row);
    const auto path = findResource("help/" + page.toStdString());
    QFile in(path ? qstr(*path) : QString());
    if (path && in.open(QIODevice::ReadOnly)) m_text->setMarkdown(QString::fromUtf8(in.readAll()));
    else m_text->setPlainText(tr("The page '%1' is not installed. Reinstall Meander to have it.").arg(page));
    m_text->moveCursor(QTextCursor::Start);
}

// From the cursor on, then from the top.
void HelpWindow::find(const QString& words) {
    if (words.isEmpty() || m_text->find(words)) return;
    m_text->moveCursor(QTextCursor::Start);
    m_text->find(words);
}

QString HelpWindow::pageFor(const QWidget* widget) {
    for (; widget; widget = widget->parentWidget())
        if (const QString page = widget->property("helpPage").toString(); !page.isEmpty()) return page;
    return QString::fromLatin1(helpPages().front().file);
}

}  // namespace meander::gui
