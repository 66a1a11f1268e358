// Looks like a search field and opens the palette.
#pragma once
#include <QAbstractButton>

namespace meander::gui {

class SearchButton : public QAbstractButton {
    Q_OBJECT
public:
    SearchButton(const QString& text, const QString& keys, QWidget* parent = nullptr);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    QString m_keys;
};

}  // namespace meander::gui
