#include "gui/app/help_window.h"

#include <QFile>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QTextBlock>
#include <QTextDocument>
#include <QTextDocumentFragment>
#include <QTextTable>
#include <QVBoxLayout>
#include <algorithm>

#include "engine/core/resources.h"
#include "gui/look/text.h"
#include "gui/look/theme.h"

namespace meander::gui {

namespace {

constexpr int mostRows = 35, nameWidth = 24;
const QString columnsLanguage = QStringLiteral("columns");  // of the code block that a long table becomes

// Names that are too long for their column have a line of their own.
QString inColumns(const QStringList& table) {
    std::vector<QStringList> rows;
    std::vector<qsizetype> widths;
    for (const QString& line : table) {
        QStringList row = line.split('|').mid(1);
        row.removeLast();
        if (row.front().startsWith("---")) continue;
        widths.resize(std::max(widths.size(), std::size_t(row.size())));
        for (qsizetype c = 0; c < row.size(); ++c)
            widths[std::size_t(c)] = std::max(widths[std::size_t(c)], (row[c] = row[c].trimmed()).size());
        rows.push_back(row);
    }
    widths[0] = std::min<qsizetype>(widths[0], nameWidth);
    QString text = QStringLiteral("```%1\n").arg(columnsLanguage);
    for (const QStringList& row : rows) {
        text += row[0].size() > widths[0] ? row[0] + '\n' + QString(widths[0], ' ') : row[0].leftJustified(widths[0]);
        for (qsizetype c = 1; c < row.size(); ++c) text += "  " + row[c].rightJustified(widths[std::size_t(c)]);
        text += '\n';
    }
    return text + QStringLiteral("```\n");
}

// Hairlines and air instead of boxes in boxes; the head of a table is raised.
void layOutAirily(QTextDocument& section) {
    const auto isColumns = [](const QTextBlock& b) {
        return b.blockFormat().stringProperty(QTextFormat::BlockCodeLanguage) == columnsLanguage;
    };
    for (QTextBlock b = section.begin(); b.isValid(); b = b.next()) {
        if (isColumns(b)) {
            QTextCharFormat number;
            number.setFont(numberFont(8.8));
            number.setForeground(isColumns(b.previous()) ? theme().text : theme().muted);
            QTextCursor line(b);
            line.movePosition(QTextCursor::EndOfBlock, QTextCursor::KeepAnchor);
            line.setCharFormat(number);
        }
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

QStringList helpSections(const QString& markdown) {
    QStringList sections;
    const QStringList lines = markdown.split('\n');
    for (qsizetype i = 0, end = 0; i < lines.size(); i = end) {
        if (sections.isEmpty() || lines[i].startsWith("## ")) sections.append(QString());
        end = i + 1;
        while (lines[i].startsWith('|') && end < lines.size() && lines[end].startsWith('|')) ++end;
        const QStringList block = lines.mid(i, end - i);  // a line, or a whole table
        sections.last() += block.size() > mostRows ? inColumns(block) : block.join('\n') + '\n';
    }
    return sections;
}

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
        {"sweeps.md", QT_TRANSLATE_NOOP("Help", "Sweeps")},
        {"convergence.md", QT_TRANSLATE_NOOP("Help", "Measured orders of convergence")}};
    return pages;
}

HelpWindow::HelpWindow(QWidget* parent)
    : QDialog(parent), m_list(new QListWidget(this)), m_text(new QTextBrowser(this)) {
    setObjectName("help");
    setWindowTitle(tr("Help"));
    resize(1080, 680);
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
    if (path && in.open(QIODevice::ReadOnly)) m_left = helpSections(QString::fromUtf8(in.readAll()));
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
