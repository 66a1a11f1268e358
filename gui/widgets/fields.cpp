#include "gui/widgets/fields.h"

#include <QAbstractTextDocumentLayout>
#include <QBoxLayout>
#include <QFontMetrics>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QRegularExpression>
#include <QStylePainter>
#include <QTextBlock>
#include <QToolTip>
#include <QWheelEvent>
#include <charconv>
#include <cmath>

#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/widgets/choice_popup.h"

namespace meander::gui {
namespace {

// From this many entries on a list is searched rather than read.
constexpr int searchFrom = 13;

}  // namespace

int formLabelWidth() { return QFontMetrics(interfaceFont()).horizontalAdvance(QStringLiteral("Guidance 2")) + 34; }

ChoiceField::ChoiceField(QWidget* parent) : QComboBox(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    setMinimumContentsLength(6);
    setMinimumWidth(64);
    setMaxVisibleItems(18);
    connect(this, &QComboBox::activated, this, [this] { emit chosen(choice()); });
}

void ChoiceField::addChoice(const QString& id, const QString& label, const QString& help) {
    addItem(label, id);
    if (!help.isEmpty()) setItemData(count() - 1, help, Qt::ToolTipRole);
}

void ChoiceField::setChoice(const QString& id) {
    int index = findData(id);
    if (index < 0 && !id.isEmpty()) {
        addChoice(id, id);
        index = count() - 1;
    }
    if (index != currentIndex()) setCurrentIndex(index);
}

bool ChoiceField::isSearchable() const { return m_isDescribed || count() >= searchFrom; }

void ChoiceField::openSearch(const QString& text) {
    if (!m_popup) {
        m_popup = new ChoicePopup(this);
        connect(m_popup, &ChoicePopup::chosen, this, [this](int index) {
            setCurrentIndex(index);
            emit activated(index);
        });
    }
    m_popup->popUp([this](int index) { return m_groupOf ? m_groupOf(itemData(index).toString()) : QString(); }, text);
}

void ChoiceField::showPopup() {
    if (isSearchable()) openSearch({});
    else QComboBox::showPopup();
}

void ChoiceField::hidePopup() {
    if (m_popup) m_popup->hide();
    QComboBox::hidePopup();
}

void ChoiceField::keyPressEvent(QKeyEvent* event) {
    const QString text = event->text();
    const bool isLetter = !text.isEmpty() && text.front().isPrint() && !text.front().isSpace()
                          && !(event->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier));
    switch (event->key()) {
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_PageUp:
    case Qt::Key_PageDown: return showPopup();
    case Qt::Key_Home:
    case Qt::Key_End:
    case Qt::Key_Left:
    case Qt::Key_Right: return event->ignore();
    default: break;
    }
    if (isSearchable() && isLetter) openSearch(text);
    else if (isLetter) showPopup();
    else QComboBox::keyPressEvent(event);
}

QString ChoiceField::shownText() const {
    QStyleOptionComboBox option;
    initStyleOption(&option);
    const QRect room = style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, this);
    return fontMetrics().elidedText(currentIndex() < 0 ? placeholderText() : currentText(), Qt::ElideRight,
                                    room.width() - 2);
}

void ChoiceField::paintEvent(QPaintEvent*) {
    QStylePainter p(this);
    QStyleOptionComboBox option;
    initStyleOption(&option);
    p.drawComplexControl(QStyle::CC_ComboBox, option);
    option.currentText = shownText();
    p.drawControl(QStyle::CE_ComboBoxLabel, option);
}

bool ChoiceField::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip && currentIndex() >= 0 && shownText() != currentText()) {
        QToolTip::showText(static_cast<QHelpEvent*>(event)->globalPos(),
                           toolTip().isEmpty() ? currentText() : currentText() + QStringLiteral("\n") + toolTip(),
                           this);
        return true;
    }
    return QComboBox::event(event);
}

void ChoiceField::wheelEvent(QWheelEvent* event) { event->ignore(); }

IntegerField::IntegerField(QWidget* parent) : QSpinBox(parent) {
    setFont(numberFont());
    lineEdit()->setFont(numberFont());  // it would lose an inherited one to a new style sheet or text size
    setButtonSymbols(QAbstractSpinBox::NoButtons);
    setFocusPolicy(Qt::StrongFocus);
    setLocale(QLocale::c());
    setKeyboardTracking(false);
    setAccelerated(true);
    setMinimumWidth(64);
}

void IntegerField::wheelEvent(QWheelEvent* event) { event->ignore(); }

RealField::RealField(QWidget* parent) : QDoubleSpinBox(parent) {
    setFont(numberFont());
    lineEdit()->setFont(numberFont());  // it would lose an inherited one to a new style sheet or text size
    setButtonSymbols(QAbstractSpinBox::NoButtons);
    setFocusPolicy(Qt::StrongFocus);
    setLocale(QLocale::c());
    setKeyboardTracking(false);
    setDecimals(12);
    setMinimumWidth(64);  // the width of twelve decimals is nobody's wish
}

QString RealField::textFromValue(double value) const {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::abs(value) < 1e-12 ? 0.0 : value * m_scale,
                                   std::chars_format::general, 7)
                         .ptr;
    return QString::fromLatin1(buffer, end - buffer);
}

double RealField::valueFromText(const QString& text) const {
    QString t = text;
    if (!suffix().isEmpty() && t.endsWith(suffix())) t.chop(suffix().size());
    return t.trimmed().replace(',', '.').toDouble() / m_scale;
}

QValidator::State RealField::validate(QString& text, int&) const {
    QString t = text;
    if (!suffix().isEmpty() && t.endsWith(suffix())) t.chop(suffix().size());
    t = t.trimmed().replace(',', '.');
    bool isNumber = false;
    const double v = t.toDouble(&isNumber) / m_scale;
    if (isNumber && v >= minimum() && v <= maximum()) return QValidator::Acceptable;
    static const QRegularExpression partial(QStringLiteral("^[+-]?[0-9]*\\.?[0-9]*([eE][+-]?[0-9]*)?$"));
    return partial.match(t).hasMatch() ? QValidator::Intermediate : QValidator::Invalid;
}

void RealField::stepBy(int steps) {
    if (m_logarithmic && value() > 0) setValue(value() * std::pow(1.1, steps));
    else setValue(std::round((value() + steps * singleStep()) / singleStep()) * singleStep());
    selectAll();
}

void RealField::wheelEvent(QWheelEvent* event) { event->ignore(); }

PromptField::PromptField(int minimumLines, int maximumLines, QWidget* parent)
    : QPlainTextEdit(parent), m_minimumLines(minimumLines), m_maximumLines(maximumLines) {
    setUndoRedoEnabled(false);
    setTabChangesFocus(true);
    setVerticalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    document()->setDocumentMargin(2);
    connect(document()->documentLayout(), &QAbstractTextDocumentLayout::documentSizeChanged, this,
            [this] { updateGeometry(); });
}

QSize PromptField::sizeHint() const {
    const int line = fontMetrics().lineSpacing();
    int lines = 0;
    for (QTextBlock b = document()->begin(); b.isValid(); b = b.next())
        lines += std::max(1, b.layout() ? b.layout()->lineCount() : 1);
    return {120, std::clamp(lines, m_minimumLines, m_maximumLines) * line + 18};
}

bool PromptField::event(QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride) {
        auto* key = static_cast<QKeyEvent*>(event);
        if (key->matches(QKeySequence::Undo) || key->matches(QKeySequence::Redo)) {
            event->ignore();
            return true;
        }
    }
    return QPlainTextEdit::event(event);
}

void PromptField::focusOutEvent(QFocusEvent* event) {
    QPlainTextEdit::focusOutEvent(event);
    emit left();
}

void PromptField::resizeEvent(QResizeEvent* event) {
    QPlainTextEdit::resizeEvent(event);
    updateGeometry();
}

FormRow::FormRow(const QString& label, QWidget* field, QWidget* parent, Layout layout)
    : QWidget(parent),
      m_label(new QLabel(label, this)),
      m_dot(new QLabel(this)),
      m_reset(new QToolButton(this)),
      m_field(field) {
    field->setParent(this);
    if (field->accessibleName().isEmpty()) field->setAccessibleName(label);
    m_label->setProperty("muted", true);
    m_label->setBuddy(field);
    m_dot->setFixedSize(6, 6);
    m_dot->setVisible(false);
    m_dot->setProperty("dot", true);
    m_reset->setIcon(icon("reset", IconTone::Muted));
    m_reset->setIconSize({13, 13});
    m_reset->setProperty("flat", true);
    m_reset->setFixedSize(20, 20);
    m_reset->setVisible(false);
    m_reset->setFocusPolicy(Qt::TabFocus);
    m_reset->setAccessibleName(tr("Reset %1").arg(label));
    connect(m_reset, &QToolButton::clicked, this, &FormRow::resetRequested);
    auto* head = m_head = new QHBoxLayout;
    head->setContentsMargins(0, 0, 0, 0);
    head->setSpacing(5);
    head->addWidget(m_label);
    head->addWidget(m_dot, 0, Qt::AlignVCenter);
    head->addStretch();
    head->addWidget(m_reset);
    if (layout == Layout::Above) {
        auto* box = new QVBoxLayout(this);
        box->setContentsMargins(0, 0, 0, 0);
        box->setSpacing(4);
        box->addLayout(head);
        box->addWidget(field);
        return;
    }
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(8);
    m_labels = new QWidget(this);
    m_labels->setLayout(head);
    m_labels->setFixedWidth(formLabelWidth());
    box->addWidget(m_labels);
    box->addWidget(field, 1);
}

void FormRow::changeEvent(QEvent* event) {
    if (event->type() == QEvent::FontChange && m_labels) m_labels->setFixedWidth(formLabelWidth());
    QWidget::changeEvent(event);
}

void FormRow::addToHead(QWidget* before, const QList<QWidget*>& after) {
    if (before) m_head->insertWidget(0, before);
    for (QWidget* w : after) m_head->addWidget(w);
}

void FormRow::setHelp(const QString& help) {
    m_label->setToolTip(help);
    m_field->setToolTip(help);
    m_field->setAccessibleDescription(help);
}

void FormRow::setDifference(const QString& other) {
    m_different = !other.isEmpty();
    m_dot->setVisible(m_different);
    m_dot->setToolTip(m_different ? tr("The current run has: %1").arg(other) : QString());
}

void FormRow::setResettable(bool on, const QString& defaultText) {
    m_reset->setVisible(on);
    m_reset->setToolTip(defaultText.isEmpty() ? tr("Reset to the default")
                                              : tr("Reset to the default, %1").arg(defaultText));
}

}  // namespace meander::gui
