// Paints a run as a card: image, colour bar, name, settings, what is remarkable, distance to the baseline.
#pragma once
#include <QStyledItemDelegate>

#include "gui/selection/selection_model.h"

namespace meander::gui {

class RunDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    explicit RunDelegate(const SelectionModel& selection, QObject* parent = nullptr)
        : QStyledItemDelegate(parent), m_selection(selection) {}
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option,
                              const QModelIndex& index) const override;

private:
    const SelectionModel& m_selection;
};

}  // namespace meander::gui
