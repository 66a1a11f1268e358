// The numbers of a curve beside it: the same points as rows, some columns of which can be typed into.
#pragma once
#include <QAbstractTableModel>
#include <QTableView>

namespace meander::gui {

class CurveTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using QAbstractTableModel::QAbstractTableModel;
    struct Column {
        QString title, tooltip;
        bool isEditable = false;
    };
    void setColumns(std::vector<Column> columns);
    // Texts of every row; a cell of an editable column shows few digits of what is edited in full.
    void setRows(const QVector<QStringList>& rows);
    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : int(m_rows.size()); }
    int columnCount(const QModelIndex& parent = {}) const override {
        return parent.isValid() ? 0 : int(m_columns.size());
    }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation way, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;

signals:
    void edited(int row, int column, const QString& text);

private:
    std::vector<Column> m_columns;
    QVector<QStringList> m_rows;
};

class CurveTable : public QTableView {
    Q_OBJECT
public:
    explicit CurveTable(QWidget* parent = nullptr);
    CurveTableModel* rows() const { return m_model; }
    void choose(const QList<int>& rows, int anchor);
    QSize sizeHint() const override;

signals:
    void chosen(const QList<int>& rows, int anchor);  // by a person

private:
    CurveTableModel* m_model;
    bool m_isChoosing = false;
};

}  // namespace meander::gui
