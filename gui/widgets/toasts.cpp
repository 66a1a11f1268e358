#include "gui/widgets/toasts.h"

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "gui/look/icons.h"
#include "gui/look/theme.h"

namespace meander::gui {
namespace {
constexpr int toastWidth = 380, toastGap = 8, messageMs = 5000, problemMs = 20'000;
constexpr std::size_t toastLimit = 4;
}  // namespace

Toast::Toast(const QString& sentence, const QString& detail, bool isProblem, QWidget* parent)
    : QFrame(parent), m_sentence(sentence), m_text(new QLabel(sentence, this)) {
    setProperty("card", isProblem ? "danger" : "true");
    setAccessibleName(sentence);
    setFixedWidth(toastWidth);
    auto* mark = new QLabel(this);
    mark->setPixmap(iconPixmap(isProblem ? "warning" : "info", 16, isProblem ? theme().danger : theme().accent,
                               devicePixelRatioF()));
    mark->setAlignment(Qt::AlignTop);
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* close = new QToolButton(this);
    close->setIcon(icon("close", IconTone::Muted));
    close->setProperty("flat", true);
    close->setAccessibleName(tr("Close the notice"));
    connect(close, &QToolButton::clicked, this, &Toast::closed);
    auto* texts = new QVBoxLayout;
    texts->setSpacing(4);
    texts->addWidget(m_text);
    if (!detail.isEmpty()) {
        auto* more = new QLabel(detail, this);
        more->setWordWrap(true);
        more->setTextFormat(Qt::PlainText);
        more->setProperty("muted", true);
        more->setFont(numberFont(8.4));
        more->hide();
        m_detail = more;
        auto* buttons = new QHBoxLayout;
        auto* show = new QPushButton(tr("Details"), this);
        auto* copy = new QPushButton(tr("Copy"), this);
        for (QPushButton* b : {show, copy}) b->setProperty("link", true);
        connect(show, &QPushButton::clicked, this, [this, more] {
            more->setVisible(!more->isVisible());
            adjustSize();
            QApplication::postEvent(parentWidget(), new QEvent(QEvent::LayoutRequest));
        });
        connect(copy, &QPushButton::clicked, this,
                [sentence, detail] { QApplication::clipboard()->setText(sentence + '\n' + detail); });
        buttons->addWidget(show);
        buttons->addWidget(copy);
        buttons->addStretch();
        texts->addWidget(more);
        texts->addLayout(buttons);
    }
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(12, 10, 8, 10);
    box->setSpacing(10);
    box->addWidget(mark, 0, Qt::AlignTop);
    box->addLayout(texts, 1);
    box->addWidget(close, 0, Qt::AlignTop);
    m_life.setSingleShot(true);
    m_life.setInterval(isProblem ? problemMs : messageMs);
    connect(&m_life, &QTimer::timeout, this, &Toast::closed);
    m_life.start();
}

void Toast::addOne() {
    m_text->setText(QStringLiteral("%1 (×%2)").arg(m_sentence).arg(++m_count));
    m_life.start();
}

void Toast::enterEvent(QEnterEvent*) { m_life.stop(); }
void Toast::leaveEvent(QEvent*) {
    if (!m_detail || m_detail->isHidden()) m_life.start();
}

Toasts::Toasts(QWidget* window)
    : QObject(window), m_window(window), m_closeAll(new QPushButton(tr("Close all"), window)) {
    window->installEventFilter(this);
    m_closeAll->hide();
    connect(m_closeAll, &QPushButton::clicked, this, [this] {
        while (!m_shown.empty()) remove(m_shown.back());
    });
}

void Toasts::showProblem(const QString& sentence, const QString& detail) { add(sentence, detail, true); }
void Toasts::showMessage(const QString& sentence) { add(sentence, {}, false); }

void Toasts::add(const QString& sentence, const QString& detail, bool isProblem) {
    for (Toast* t : m_shown)
        if (t->sentence() == sentence) {
            t->addOne();
            return;
        }
    if (m_shown.size() >= toastLimit) remove(m_shown.front());
    auto* toast = new Toast(sentence, detail, isProblem, m_window);
    connect(toast, &Toast::closed, this, [this, toast] { remove(toast); });
    m_shown.push_back(toast);
    toast->show();
    arrange();
}

void Toasts::remove(Toast* toast) {
    std::erase(m_shown, toast);
    toast->hide();
    toast->deleteLater();
    arrange();
}

void Toasts::arrange() {
    int bottom = m_window->height() - 40;
    for (auto it = m_shown.rbegin(); it != m_shown.rend(); ++it) {
        Toast* t = *it;
        const int height =
            t->layout()->hasHeightForWidth() ? t->layout()->totalHeightForWidth(toastWidth) : t->sizeHint().height();
        t->setGeometry(m_window->width() - toastWidth - 16, bottom - height, toastWidth, height);
        t->raise();
        bottom -= height + toastGap;
    }
    m_closeAll->setVisible(m_shown.size() > 1);
    m_closeAll->adjustSize();
    m_closeAll->move(m_window->width() - m_closeAll->width() - 16, bottom - m_closeAll->height());
    m_closeAll->raise();
}

bool Toasts::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_window && (event->type() == QEvent::Resize || event->type() == QEvent::LayoutRequest)) arrange();
    return QObject::eventFilter(watched, event);
}

}  // namespace meander::gui
