#include "gui/panels/compare/compare_table.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QVBoxLayout>

#include "engine/run/recipe_differences.h"
#include "gui/document/run_text.h"
#include "gui/look/theme.h"

namespace meander::gui {
namespace {

// A header under a style sheet does not elide by itself.
class ElidedHeader : public QHeaderView {
public:
    explicit ElidedHeader(QWidget* parent) : QHeaderView(Qt::Horizontal, parent) {}

protected:
    void initStyleOptionForIndex(QStyleOptionHeader* option, int section) const override {
        QHeaderView::initStyleOptionForIndex(option, section);
        option->text = option->fontMetrics.elidedText(option->text, Qt::ElideRight, sectionSize(section) - 12);
    }
};

}  // namespace

// Of the evaluations alone: how long a run waited for others or for its model says nothing about its settings.
static QString networkTimeText(const Run& run) {
    if (!run.trajectory) return QStringLiteral("–");
    double milliseconds = 0;
    for (const auto& e : run.trajectory->evaluations)
        if (!e->replayed) milliseconds += e->milliseconds;
    return secondsText(milliseconds / 1000);
}

QString settingText(const Difference& d, const std::string& value) {
    return d.key == "model" ? modelLabel(value) : qstr(value);
}

CompareTable::CompareTable(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(metrics::panelPadding, metrics::rowGap, metrics::panelPadding, metrics::panelPadding);
    m_hint = new QLabel(this);
    m_hint->setWordWrap(true);
    m_hint->setProperty("dim", true);
    m_table = new QTableWidget(0, 3, this);
    m_table->setObjectName(QStringLiteral("compareTable"));
    m_table->setAccessibleName(tr("Settings that differ"));
    m_table->setHorizontalHeader(new ElidedHeader(m_table));
    m_table->verticalHeader()->hide();
    m_table->setShowGrid(false);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_table->setContextMenuPolicy(Qt::ActionsContextMenu);
    auto* copy = new QAction(tr("Copy as text"), m_table);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetShortcut);
    connect(copy, &QAction::triggered, this, [this] {
        QApplication::clipboard()->setText(text());
        emit m_document.message(tr("The table was copied as text"));
    });
    m_table->addAction(copy);
    layout->addWidget(m_hint);
    layout->addWidget(m_table, 1);
    connect(&selection, &SelectionModel::runChanged, this, &CompareTable::refresh);
    connect(&document, &Document::runFinished, this, &CompareTable::refresh);
    connect(&document, &Document::trajectoryLoaded, this, &CompareTable::refresh);
    connect(&document, &Document::runsChanged, this, &CompareTable::refresh);
    refresh();
}

void CompareTable::addRow(const QString& label, const QString& left, const QString& right) {
    const int row = m_table->rowCount();
    m_table->insertRow(row);
    const QString cells[] = {label, left, right};
    for (int c = 0; c < 3; ++c) {
        auto* item = new QTableWidgetItem(cells[c]);
        item->setToolTip(cells[c]);
        if (c) item->setFont(numberFont(9.5));
        m_table->setItem(row, c, item);
    }
}

void CompareTable::refresh() {
    const RunPtr a = m_document.run(m_selection.currentRun()), b = m_document.run(m_selection.comparedRun());
    m_table->setRowCount(0);
    m_table->setVisible(a && b);
    m_hint->setVisible(true);
    if (!a || !b) {
        m_hint->setText(tr("Ctrl+click a second run in the list, or press Compare, to see the two side by side and the "
                           "settings in which they differ."));
        return;
    }
    m_table->setHorizontalHeaderLabels({tr("Setting"), tr("run %1 · %2").arg(a->number).arg(runTitle(*a, b.get())),
                                        tr("run %1 · %2").arg(b->number).arg(runTitle(*b, a.get()))});
    const auto list = differences(a->recipe, b->recipe);
    for (const auto& d : list) addRow(qstr(d.label), settingText(d, d.left), settingText(d, d.right));
    addRow(tr("Evaluations (NFE)"), QString::number(a->evaluations), QString::number(b->evaluations));
    addRow(tr("Network time"), networkTimeText(*a), networkTimeText(*b));
    m_hint->setText(list.empty()       ? tr("The two runs have the same settings.")
                    : list.size() == 1 ? tr("One setting differs.")
                                       : tr("%1 settings differ.").arg(list.size()));
}

QString CompareTable::text() const {
    QStringList lines;
    QStringList head;
    for (int c = 0; c < 3; ++c)
        head << (m_table->horizontalHeaderItem(c) ? m_table->horizontalHeaderItem(c)->text() : QString());
    lines << head.join(QLatin1Char('\t'));
    for (int r = 0; r < m_table->rowCount(); ++r) {
        QStringList row;
        for (int c = 0; c < 3; ++c) row << m_table->item(r, c)->text();
        lines << row.join(QLatin1Char('\t'));
    }
    return lines.join(QLatin1Char('\n'));
}

}  // namespace meander::gui
