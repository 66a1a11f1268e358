#include "gui/widgets/curve_table.h"

#include <QHeaderView>
#include <QItemSelectionModel>

#include "gui/look/text.h"
#include "gui/look/theme.h"

namespace meander::gui {

void CurveTableModel::setColumns(std::vector<Column> columns) {
    beginResetModel();
    m_columns = std::move(columns);
    m_rows.clear();
    endResetModel();
}

void CurveTableModel::setRows(const QVector<QStringList>& rows) {
    if (rows == m_rows) return;
    if (rows.size() != m_rows.size()) {  // a selection by row survives where it can
        if (rows.size() > m_rows.size()) {
            beginInsertRows({}, int(m_rows.size()), int(rows.size()) - 1);
            m_rows = rows;
            endInsertRows();
        } else {
            beginRemoveRows({}, int(rows.size()), int(m_rows.size()) - 1);
            m_rows = rows;
            endRemoveRows();
        }
    }
    m_rows = rows;
    if (!m_rows.isEmpty() && !m_columns.empty())
        emit dataChanged(index(0, 0), index(int(m_rows.size()) - 1, int(m_columns.size()) - 1));
}

QVariant CurveTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const QString text = m_rows[index.row()].value(index.column());
    if (role == Qt::EditRole || role == Qt::ToolTipRole) return text;
    if (role == Qt::DisplayRole) {
        bool isNumber = false;
        const double value = text.toDouble(&isNumber);
        return isNumber && m_columns[std::size_t(index.column())].isEditable ? numberText(value, 5) : text;
    }
    if (role == Qt::TextAlignmentRole) return int(Qt::AlignRight | Qt::AlignVCenter);
    if (role == Qt::ForegroundRole && !m_columns[std::size_t(index.column())].isEditable) return theme().muted;
    return {};
}

QVariant CurveTableModel::headerData(int section, Qt::Orientation way, int role) const {
    if (way != Qt::Horizontal || section < 0 || section >= int(m_columns.size())) return {};
    const Column& c = m_columns[std::size_t(section)];
    if (role == Qt::DisplayRole) return c.title;
    if (role == Qt::ToolTipRole) return c.tooltip;
    if (role == Qt::TextAlignmentRole) return int(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

Qt::ItemFlags CurveTableModel::flags(const QModelIndex& index) const {
    if (!index.isValid()) return Qt::NoItemFlags;
    const Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
    const bool isTyped =
        m_columns[std::size_t(index.column())].isEditable && !m_rows[index.row()].value(index.column()).isEmpty();
    return isTyped ? flags | Qt::ItemIsEditable : flags;
}

bool CurveTableModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::EditRole || !(flags(index) & Qt::ItemIsEditable)) return false;
    const QString text = value.toString().trimmed();
    if (text != m_rows[index.row()].value(index.column())) emit edited(index.row(), index.column(), text);
    return true;
}

CurveTable::CurveTable(QWidget* parent) : QTableView(parent), m_model(new CurveTableModel(this)) {
    setModel(m_model);
    setFont(numberFont(8.5));
    setShowGrid(false);
    setSelectionBehavior(SelectRows);
    setSelectionMode(ExtendedSelection);
    setEditTriggers(DoubleClicked | EditKeyPressed | AnyKeyPressed);
    setTabKeyNavigation(false);
    setCornerButtonEnabled(false);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(22);
    verticalHeader()->setMinimumSectionSize(18);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setMinimumSectionSize(40);
    horizontalHeader()->setFont(interfaceFont(8.5));
    connect(selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        if (m_isChoosing) return;
        QList<int> rows;
        for (const QModelIndex& i : selectionModel()->selectedRows()) rows.append(i.row());
        emit chosen(rows, currentIndex().row());
    });
}

QSize CurveTable::sizeHint() const {
    return {fontMetrics().horizontalAdvance(QStringLiteral("00000.0000")) * std::max(1, m_model->columnCount()), 160};
}

void CurveTable::choose(const QList<int>& rows, int anchor) {
    m_isChoosing = true;
    QItemSelection all;
    for (const int r : rows)
        if (r < m_model->rowCount()) all.select(m_model->index(r, 0), m_model->index(r, m_model->columnCount() - 1));
    selectionModel()->select(all, QItemSelectionModel::ClearAndSelect);
    if (anchor >= 0 && anchor < m_model->rowCount()) {
        const int column = currentIndex().isValid() ? currentIndex().column() : 1;
        selectionModel()->setCurrentIndex(m_model->index(anchor, column), QItemSelectionModel::NoUpdate);
        scrollTo(m_model->index(anchor, 0));
    }
    m_isChoosing = false;
}

}  // namespace meander::gui
