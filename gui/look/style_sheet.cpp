#include "gui/look/style_sheet.h"

#include <QList>
#include <QPair>

namespace meander::gui {
namespace {

// Widgets opt in by dynamic properties: primary (the one accent button), flat (buttons inside cards), segment (axis
// selector), card, dim, muted.
const char* const sheet = R"(
* { outline: none; }
QMainWindow, QDialog { background: @panel; }
QMainWindow::separator { width: 5px; height: 5px; background: @hairAcross; }
QMainWindow::separator:horizontal { background: @hairAlong; }
QMainWindow::separator:hover { background: @accentAcross; }
QMainWindow::separator:horizontal:hover { background: @accentAlong; }
QSplitter::handle { image: none; }
QSplitter::handle:horizontal { width: 5px; background: @hairAcross; }
QSplitter::handle:vertical { height: 5px; background: @hairAlong; }
QSplitter::handle:horizontal:hover { background: @accentAcross; }
QSplitter::handle:vertical:hover { background: @accentAlong; }
QDialogButtonBox, QMessageBox, QFileDialog { dialogbuttonbox-buttons-have-icons: 0; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 5px 7px; }

QMenuBar { background: @panel; padding: 2px 6px 0 6px; }
QMenuBar::item { padding: 5px 9px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: @raised; }
QMenu { background: @raised; border: 1px solid @line; padding: 5px; }
QMenu::item { padding: 5px 28px 5px 12px; border-radius: 4px; }
QMenu::item:selected { background: @accentSoft; }
QMenu::item:disabled { color: @dim; }
QMenu::separator { height: 1px; background: @line; margin: 5px 6px; }
QMenu::icon { padding-left: 6px; }
QMenu::indicator { width: 14px; height: 14px; left: 6px; }
QMenu::indicator:checked { image: url(:/themes/check-menu-@name.svg); }

QToolBar { background: @panel; border: 0; border-bottom: 1px solid @line; padding: 7px 12px; spacing: 6px; }
QToolBar::separator { background: @line; width: 1px; margin: 4px 8px; }
QStatusBar { background: @panel; border-top: 1px solid @line; }
QStatusBar::item { border: 0; }

QPushButton, QToolButton { background: @raised; color: @text; border: 1px solid @line; border-radius: 5px;
    padding: 5px 12px; }
QToolButton { padding: 5px 9px; }
QPushButton:hover, QToolButton:hover { background: @hover; }
QPushButton:pressed, QToolButton:pressed { background: @pressed; }
QToolButton:checked, QPushButton:checked { background: @accentSoft; color: @accentText; border: 1px solid @accentLine; }
QPushButton:disabled, QToolButton:disabled { color: @dim; background: @panel; }
QPushButton:focus, QToolButton:focus { border: 1px solid @accent; }
QPushButton:default { border: 1px solid @accent; }
QToolButton[primary="true"], QPushButton[primary="true"] { background: @accent; color: @onAccent;
    border: 1px solid @accent; font-weight: 600; }
QToolButton[primary="true"] { padding: 5px 16px 5px 12px; }
QToolButton[primary="true"]:hover, QPushButton[primary="true"]:hover { background: @accentHover;
    border-color: @accentHover; }
QToolButton[primary="true"]:pressed, QPushButton[primary="true"]:pressed { background: @accentPressed;
    border-color: @accentPressed; }
QToolButton[primary="true"]:focus, QPushButton[primary="true"]:focus { border: 1px solid @text; }
QToolButton[primary="true"]:disabled, QPushButton[primary="true"]:disabled { background: @raised; color: @dim;
    border-color: @line; }
QToolButton[flat="true"], QPushButton[flat="true"] { background: transparent; border: 1px solid transparent;
    padding: 3px; }
QToolButton[flat="true"]:hover, QPushButton[flat="true"]:hover { background: @hover; }
QToolButton[flat="true"]:pressed, QPushButton[flat="true"]:pressed { background: @pressed; }
QToolButton[flat="true"]:checked { background: @accentSoft; border: 1px solid @accentLine; }
QToolButton[flat="true"]:focus, QPushButton[flat="true"]:focus { border: 1px solid @accent; }
QPushButton[link="true"], QToolButton[link="true"] { background: transparent; border: 1px solid transparent;
    color: @accent; padding: 2px 3px; text-align: left; }
QPushButton[link="true"]:hover, QToolButton[link="true"]:hover { color: @accentHover; background: @hover; }
QPushButton[link="true"]:focus, QToolButton[link="true"]:focus { border: 1px solid @accent; }
QPushButton[link="true"]:disabled { color: @dim; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton[segment="true"] { background: @raised; color: @muted; border: 1px solid @line; border-radius: 0;
    padding: 5px 3px; margin: 0; }
QToolButton[segment="first"] { background: @raised; color: @muted; border: 1px solid @line; border-right: 0;
    border-top-left-radius: 5px; border-bottom-left-radius: 5px; border-top-right-radius: 0;
    border-bottom-right-radius: 0; padding: 5px 3px; }
QToolButton[segment="middle"] { background: @raised; color: @muted; border: 1px solid @line; border-right: 0;
    border-radius: 0; padding: 5px 3px; }
QToolButton[segment="last"] { background: @raised; color: @muted; border: 1px solid @line;
    border-top-right-radius: 5px; border-bottom-right-radius: 5px; border-top-left-radius: 0;
    border-bottom-left-radius: 0; padding: 5px 3px; }
QToolButton[segment="first"]:hover, QToolButton[segment="middle"]:hover,
    QToolButton[segment="last"]:hover { background: @hover; color: @text; }
QToolButton[segment="first"]:checked, QToolButton[segment="middle"]:checked,
    QToolButton[segment="last"]:checked { background: @accentSoft; color: @accentText; }
QToolButton[segment="first"]:focus, QToolButton[segment="middle"]:focus,
    QToolButton[segment="last"]:focus { color: @text; border: 1px solid @accent; }

QScrollArea, QAbstractScrollArea { border: 0; background: transparent; }
QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox { background: @raised; color: @text;
    border: 1px solid @line; border-radius: 4px; padding: 4px 8px; selection-background-color: @accent;
    selection-color: @onAccent; }
QPlainTextEdit, QTextEdit { padding: 4px 5px; }
QAbstractSpinBox { padding: 4px 7px; }
QLineEdit:hover, QPlainTextEdit:hover, QAbstractSpinBox:hover, QComboBox:hover { border-color: @lineHover; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus,
    QComboBox:on { border: 1px solid @accent; }
QLineEdit:disabled, QPlainTextEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled { color: @dim;
    background: @panel; }
QLineEdit[invalid="true"], QAbstractSpinBox[invalid="true"], QComboBox[invalid="true"],
    QPlainTextEdit[invalid="true"] { border: 1px solid @danger; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: 0; }
QComboBox { padding-right: 22px; }
QComboBox::drop-down { border: 0; width: 22px; }
QComboBox::down-arrow { image: url(:/themes/chevron-@name.svg); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: @raised; border: 1px solid @line; padding: 4px;
    selection-background-color: @accentSoft; selection-color: @text; outline: none; }
QComboBox QAbstractItemView::item { min-height: 24px; padding: 2px 6px; border-radius: 4px; }

QComboBox[add="true"] { background: transparent; border: 1px dashed @line; color: @accentText; }
QComboBox[add="true"]:hover { border-color: @lineHover; background: @hover; }
QListWidget[popup="true"] { background: transparent; border: 0; }
QListWidget[popup="true"]::item { min-height: 22px; padding: 1px 6px; border-radius: 4px; }
QListWidget[popup="true"]::item:hover { background: @hover; }
QListWidget[popup="true"]::item:selected { background: @accentSoft; color: @text; }

QCheckBox { spacing: 8px; }
QCheckBox::indicator { width: 15px; height: 15px; border: 1px solid @lineHover; border-radius: 4px;
    background: @raised; }
QCheckBox::indicator:hover, QCheckBox::indicator:focus { border-color: @accent; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent; image: url(:/themes/check-@name.svg); }
QCheckBox::indicator:disabled { background: @panel; }
QSlider::groove:horizontal { height: 4px; background: @line; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent; border-radius: 2px; }
QSlider::handle:horizontal { background: @raised; border: 2px solid @accent; width: 10px; height: 10px;
    margin: -5px 0; border-radius: 7px; }

QTabBar { background: @panel; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: @muted; border: 0; border-bottom: 2px solid transparent;
    padding: 7px 12px 6px 12px; margin: 0 2px; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }
QTabBar::tab:focus { color: @accentText; }
QTabWidget::pane { border: 0; border-top: 1px solid @line; }

QListView, QTreeView, QTableView { background: @panel; border: 0; }
QListView:focus[bordered="true"] { border: 1px solid @accent; }
QHeaderView::section { background: @panel; color: @muted; border: 0; border-bottom: 1px solid @line; padding: 5px 3px; }
QTableView { gridline-color: @line; }
QTableView::item { padding: 0 8px; }
QListWidget[pages="true"]::item { min-height: 24px; padding: 2px 8px; border-radius: 4px; }
QTableView::item:selected, QTreeView::item:selected, QListView::item:selected { background: @accentSoft; color: @text; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: @scroll; border-radius: 3px; min-height: 28px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle:horizontal { background: @scroll; border-radius: 3px; min-width: 28px; margin: 2px; }
QScrollBar::handle:hover { background: @dim; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }
QProgressBar { background: @line; border: 0; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }

QLabel[muted="true"], QCheckBox[muted="true"] { color: @muted; }
QLabel[dim="true"] { color: @dim; }
QLabel[warning="true"] { color: @warning; }
QLabel[danger="true"] { color: @danger; }
QLabel[accent="true"] { color: @accentText; }
QLabel[dot="true"] { background: @warning; border-radius: 3px; }
QLabel[dot="idle"] { background: @dim; border-radius: 4px; }
QLabel[dot="ready"] { background: @accent; border-radius: 4px; }
QLabel[dot="busy"] { background: @warning; border-radius: 4px; }
QFrame[card="true"] { background: @raised; border: 1px solid @line; border-radius: 6px; }
QFrame[card="rule"] { background: @panel; border: 1px solid @line; border-radius: 6px; }
QFrame[card="accent"] { background: @accentCard; border: 1px solid @accentLine; border-radius: 6px; }
QFrame[card="danger"] { background: @dangerCard; border: 1px solid @dangerLine; border-radius: 6px; }
QFrame[separator="true"] { background: @line; border: 0; }
QWidget[panel="true"] { background: @panel; }
QWidget[canvas="true"] { background: @background; }
)";

QString css(const QColor& c) { return c.name(); }

// A line of one pixel in the middle of the five that the hand takes.
QString hairline(const QColor& beside, const QColor& line, bool isAcross) {
    return QStringLiteral("qlineargradient(x1:0, y1:0, x2:%1, y2:%2, stop:0 %3, stop:0.39 %3, stop:0.4 %4, stop:0.6 "
                          "%4, stop:0.61 %3, stop:1 %3)")
        .arg(isAcross ? 1 : 0)
        .arg(isAcross ? 0 : 1)
        .arg(css(beside), css(line));
}

}  // namespace

QColor mixed(const QColor& under, const QColor& over, double a) {
    return QColor::fromRgbF(float(under.redF() * (1 - a) + over.redF() * a),
                            float(under.greenF() * (1 - a) + over.greenF() * a),
                            float(under.blueF() * (1 - a) + over.blueF() * a));
}

QString styleSheet(const Theme& t) {
    QString s = QString::fromLatin1(sheet);
    const QColor white(Qt::white), black(Qt::black);
    // Longest names first: "@accentSoft" must not be read as "@accent".
    const QList<QPair<QString, QString>> tokens = {
        // What the style calls a horizontal separator lies flat, a horizontal splitter has upright handles.
        {"@hairAcross", hairline(t.panel, t.line, true)},
        {"@hairAlong", hairline(t.panel, t.line, false)},
        {"@accentAcross", hairline(t.panel, t.accent, true)},
        {"@accentAlong", hairline(t.panel, t.accent, false)},
        {"@accentPressed", css(mixed(t.accent, black, 0.18))},
        {"@accentHover", css(mixed(t.accent, t.dark ? white : black, 0.12))},
        {"@accentSoft", css(mixed(t.raised, t.accent, t.dark ? 0.24 : 0.18))},
        {"@accentText", css(t.dark ? mixed(t.accent, white, 0.15) : mixed(t.accent, black, 0.15))},
        {"@accentCard", css(mixed(t.panel, t.accent, t.dark ? 0.07 : 0.08))},
        {"@accentLine", css(mixed(t.panel, t.accent, t.dark ? 0.32 : 0.28))},
        {"@accent", css(t.accent)},
        {"@onAccent", css(t.onAccent)},
        {"@dangerCard", css(mixed(t.panel, t.danger, 0.08))},
        {"@dangerLine", css(mixed(t.panel, t.danger, 0.4))},
        {"@danger", css(t.danger)},
        {"@warning", css(t.warning)},
        {"@background", css(t.background)},
        {"@panel", css(t.panel)},
        {"@raised", css(t.raised)},
        {"@lineHover", css(mixed(t.line, t.text, 0.22))},
        {"@line", css(t.line)},
        {"@hover", css(mixed(t.raised, t.text, 0.07))},
        {"@pressed", css(mixed(t.raised, t.text, 0.14))},
        {"@scroll", css(mixed(t.panel, t.text, 0.2))},
        {"@text", css(t.text)},
        {"@muted", css(t.muted)},
        {"@dim", css(t.dim)},
        {"@name", t.dark ? "dark" : "light"},
    };
    for (const auto& [token, value] : tokens) s.replace(token, value);
    return s;
}

}  // namespace meander::gui
