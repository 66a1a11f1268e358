#include "gui/panels/log/log_panel.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QScrollBar>
#include <QShortcut>
#include <QToolButton>
#include <QVBoxLayout>

#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

void LogFilter::setLevel(LogLevel level) {
    m_level = level;
    invalidateFilter();
}

void LogFilter::setText(const QString& text) {
    m_text = text;
    invalidateFilter();
}

bool LogFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
    const QModelIndex index = sourceModel()->index(row, 0, parent);
    return index.data(LogModel::LevelRole).toInt() >= int(m_level)
           && (m_text.isEmpty() || index.data().toString().contains(m_text, Qt::CaseInsensitive));
}

LogPanel::LogPanel(LogModel& log, QWidget* parent)
    : FrontPanel(parent), m_filter(new LogFilter(this)), m_list(new QListView(body())), m_empty(new QLabel(body())) {
    setProperty("panel", true);
    m_filter->setSourceModel(&log);
    m_list->setModel(m_filter);
    m_list->setFont(numberFont(8.8));
    m_list->setStyleSheet(QStringLiteral("padding-left: 8px;"));
    m_list->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_list->setAccessibleName(tr("Log"));
    auto* level = new ChoiceField(body());
    level->addItems({tr("Everything"), tr("Warnings and problems"), tr("Problems")});
    level->setAccessibleName(tr("Least level shown"));
    connect(level, &QComboBox::currentIndexChanged, this, [this](int i) { m_filter->setLevel(LogLevel(i)); });
    auto* search = new QLineEdit(body());
    search->setPlaceholderText(tr("Filter"));
    search->setAccessibleName(tr("Filter the log"));
    search->setClearButtonEnabled(true);
    connect(search, &QLineEdit::textChanged, m_filter, &LogFilter::setText);
    auto* copyButton = new QToolButton(body());
    copyButton->setIcon(icon("copy"));
    copyButton->setToolTip(tr("Copy the selected lines, or all shown ones"));
    copyButton->setAccessibleName(tr("Copy"));
    connect(copyButton, &QToolButton::clicked, this, &LogPanel::copy);
    auto* clear = new QToolButton(body());
    clear->setIcon(icon("trash"));
    clear->setToolTip(tr("Clear the log"));
    clear->setAccessibleName(tr("Clear the log"));
    connect(clear, &QToolButton::clicked, &log, &LogModel::clear);
    auto* keys = new QShortcut(QKeySequence::Copy, m_list);
    keys->setContext(Qt::WidgetShortcut);
    connect(keys, &QShortcut::activated, this, &LogPanel::copy);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(12, 8, 12, 4);
    bar->addWidget(level);
    bar->addWidget(search, 1);
    bar->addWidget(copyButton);
    bar->addWidget(clear);
    auto* box = new QVBoxLayout(body());
    box->setContentsMargins(0, 0, 0, 0);
    box->addLayout(bar);
    box->addWidget(m_list, 1);
    m_empty->setProperty("muted", true);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setContentsMargins(20, 0, 20, 0);
    box->addWidget(m_empty, 1);
    for (auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(m_filter, signal, this, &LogPanel::showLines);
    connect(m_filter, &QAbstractItemModel::modelReset, this, &LogPanel::showLines);
    QScrollBar* scroll = m_list->verticalScrollBar();
    connect(scroll, &QScrollBar::valueChanged, this,
            [this, scroll](int value) { m_isAtEnd = value >= scroll->maximum() - 4; });
    connect(scroll, &QScrollBar::rangeChanged, this, [this, scroll](int, int maximum) {
        if (m_isAtEnd) scroll->setValue(maximum);
    });
    showLines();
}

void LogPanel::showLines() {
    const bool isEmpty = m_filter->rowCount() == 0;
    m_list->setVisible(isInFront() && !isEmpty);
    m_empty->setVisible(isEmpty);
    m_empty->setText(m_filter->sourceModel()->rowCount() > 0
                         ? tr("No line of the log passes this filter.")
                         : tr("What the program does and every problem stands here, newest last. Nothing so far."));
}

QString LogPanel::shownText() const {
    QStringList lines;
    for (int i = 0; i < m_filter->rowCount(); ++i) lines.append(m_filter->index(i, 0).data().toString());
    return lines.join('\n');
}

void LogPanel::copy() const {
    QModelIndexList selected = m_list->selectionModel()->selectedIndexes();
    std::sort(selected.begin(), selected.end(),
              [](const QModelIndex& a, const QModelIndex& b) { return a.row() < b.row(); });
    QStringList lines;
    for (const QModelIndex& i : selected) lines.append(i.data().toString());
    QGuiApplication::clipboard()->setText(lines.isEmpty() ? shownText() : lines.join('\n'));
}

}  // namespace meander::gui
