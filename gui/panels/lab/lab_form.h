// The column of settings beside a result of the laboratory, and the row of one sampler in it.
#pragma once
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <QWidget>

#include "gui/plots/run_style.h"

namespace meander::gui {

class LabForm : public QWidget {
    Q_OBJECT
public:
    explicit LabForm(QWidget* parent = nullptr);
    void add(const QString& label, QWidget* field, const QString& help);
    void addWide(QWidget* widget);
    void setHead(QWidget* widget);  // above what scrolls
    // Stays in sight below what scrolls.
    void setFoot(const QList<QWidget*>& widgets);

protected:
    void changeEvent(QEvent* event) override;

private:
    static int columnWidth();
    QVBoxLayout *m_head, *m_rows, *m_foot;
};

class LabChip : public QWidget {
    Q_OBJECT
public:
    LabChip(RunStyle style, const QString& name, QWidget* parent = nullptr);

signals:
    void removed();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    RunStyle m_style;
};

QPushButton* labButton(const QString& text, QWidget* parent);

}  // namespace meander::gui
