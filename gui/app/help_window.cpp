#include "gui/app/help_window.h"

#include <QFile>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QTextBlock>
#include <QTextDocument>
#include <QTextDocumentFragment>
#include <QTextTable>
#include <QVBoxLayout>

#include "engine/core/resources.h"
#include "gui/look/text.h"
#include "gui/look/theme.h"

namespace meander::gui {

namespace {

// At the heads of the second order.
QStringList sectionsOf(const QString& markdown) {
    QStringList sections;
    for (const QString& line : markdown.split('\n')) {
        if (sections.isEmpty() || line.startsWith("## ")) sections.append(QString());
        sections.last() += line + '\n';
    }
    return sections;
}

// Hairlines and air instead of boxes in boxes; the head of a table is raised.
void layOutAirily(QTextDocument& section) {
    for (QTextBlock b = section.begin(); b.isValid(); b = b.next()) {
        if (b.blockFormat().headingLevel() == 0) continue;
        QTextBlockFormat air = b.blockFormat();
        air.setTopMargin(4 * metrics::grid);
        QTextCursor(b).setBlockFormat(air);
    }
    for (QTextFrame* frame : section.rootFrame()->childFrames()) {
        auto* table = qobject_cast<QTextTable*>(frame);
        if (!table) continue;
        QTextTableFormat format = table->format();
        format.setBorderCollapse(true);
        format.setBorder(1);
        format.setBorderStyle(QTextFrameFormat::BorderStyle_Solid);
        format.setBorderBrush(theme().line);
        format.setCellSpacing(0);
        format.setCellPadding(metrics::grid + 1);
        format.setTopMargin(metrics::grid);
        table->setFormat(format);
        for (int column = 0; column < table->columns(); ++column) {
            QTextCharFormat head;
            head.setBackground(theme().raised);
            table->cellAt(0, column).setFormat(head);
        }
    }
}

}  // namespace

const std::vector<HelpPage>& helpPages() {
    static const std::vector<HelpPage> pages{
        {"glossary.md", QT_TRANSLATE_NOOP("Help", "Words and symbols")},
        {"models.md", QT_TRANSLATE_NOOP("Help", "Models and their files")},
        {"samplers.md", QT_TRANSLATE_NOOP("Help", "Samplers")},
        {"schedules.md", QT_TRANSLATE_NOOP("Help", "Schedules")},
        {"guidance.md", QT_TRANSLATE_NOOP("Help", "Guidance")},
        {"editors.md", QT_TRANSLATE_NOOP("Help", "Drawing schedules and guidance")},
        {"noise.md", QT_TRANSLATE_NOOP("Help", "Noise")},
        {"sweeps.md", QT_TRANSLATE_NOOP("Help", "Sweeps")},
        {"optimise.md", QT_TRANSLATE_NOOP("Help", "Fitted schedules")},
        {"convergence.md", QT_TRANSLATE_NOOP("Help", "Measured orders of convergence")}};
    return pages;
}

HelpWindow::HelpWindow(QWidget* parent)
    : QDialog(parent), m_list(new QListWidget(this)), m_text(new QTextBrowser(this)) {
    setObjectName("help");
    setWindowTitle(tr("Help"));
    resize(980, 680);
    m_list->setProperty("pages", true);
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
    m_next.setInterval(0);
    connect(&m_next, &QTimer::timeout, this, &HelpWindow::addSection);
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
    m_text->clear();
    m_left.clear();
    if (path && in.open(QIODevice::ReadOnly)) m_left = sectionsOf(QString::fromUtf8(in.readAll()));
    else m_text->setPlainText(tr("The page '%1' is not installed. Reinstall Meander to have it.").arg(page));
    addSection();
    m_text->moveCursor(QTextCursor::Start);
}

void HelpWindow::addSection() {
    if (!isWhole()) {
        // Laid out once, by itself: in a document that is shown each cell of a table would lay out all.
        QTextDocument section;
        section.setDefaultFont(m_text->document()->defaultFont());
        section.setMarkdown(m_left.takeFirst());
        layOutAirily(section);
        QTextCursor end(m_text->document());
        end.movePosition(QTextCursor::End);
        if (!m_text->document()->isEmpty()) end.insertBlock(QTextBlockFormat(), QTextCharFormat());
        end.insertFragment(QTextDocumentFragment(&section));
    }
    if (isWhole()) m_next.stop();
    else m_next.start();
}

void HelpWindow::changeEvent(QEvent* event) {
    QDialog::changeEvent(event);
    if (event->type() == QEvent::StyleChange && !m_page.isEmpty()) showPage(std::exchange(m_page, {}));
}

// From the cursor on, then from the top.
void HelpWindow::find(const QString& words) {
    while (!isWhole()) addSection();
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
